import { overlapCidr } from "cidr-tools";
import { parse } from "ipaddr.js";

/** Turns an IPv4 address into its number. */
function toNumber(address: string): number {
  return parse(address)
    .toByteArray()
    .reduce((sum, byte) => sum * 256 + byte, 0);
}

function toAddress(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

function base(subnet: string): { start: number; size: number } {
  const [address = "", bits = "32"] = subnet.split("/");
  return { start: toNumber(address), size: 2 ** (32 - Number(bits)) };
}

/** The gateway container's address: the third of the subnet (the second is the bridge's). */
export function gatewayAddress(subnet: string): string {
  return toAddress(base(subnet).start + 2);
}

/** The first address of the subnet, taken by the engine's bridge. */
export function bridgeAddress(subnet: string): string {
  return toAddress(base(subnet).start + 1);
}

/** Addresses for nodes in order, from the eleventh on, without those in use; throws when the subnet is full. */
export function freeAddresses(subnet: string, used: ReadonlySet<string>, count: number): readonly string[] {
  const { start, size } = base(subnet);
  const found: string[] = [];
  for (let offset = 11; offset < size - 1 && found.length < count; offset++) {
    const address = toAddress(start + offset);
    if (!used.has(address)) found.push(address);
  }
  if (found.length < count) throw new Error(`the network ${subnet} has no room for ${count} more nodes`);
  return found;
}

/**
 * A private /24 (/20 for more than 200 nodes, /16 for more than 4,000) that overlaps none of the taken networks. The search starts
 * at a place given by the cluster's name, so that the same cluster tends to get the same addresses.
 */
export function freeSubnet(cluster: string, nodes: number, taken: readonly string[]): string {
  const bits = nodes > 4_000 ? 16 : nodes > 200 ? 20 : 24;
  const step = 2 ** (32 - bits);
  const pool = "10.208.0.0/12";
  const { start, size } = base(pool);
  let seed = 7;
  for (const character of cluster) seed = (seed * 31 + (character.codePointAt(0) ?? 0)) % (size / step);
  const ipv4 = taken.filter((network) => !network.includes(":"));
  for (let n = 0; n < size / step; n++) {
    const candidate = `${toAddress(start + ((seed + n) % (size / step)) * step)}/${bits}`;
    if (!ipv4.some((network) => overlapCidr(candidate, network))) return candidate;
  }
  throw new Error(`every network in ${pool} is taken`);
}
