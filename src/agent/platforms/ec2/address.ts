import type { NodePorts } from "../../../components/node.ts";
import type { Imds } from "../../../host/aws/imds.ts";

type Ports = Pick<NodePorts, "files" | "processes">;

/** A table of its own for what comes from the address that stays; any number that nobody else uses. */
const table = "1001";

/** What the second interface is in its subnet. */
export type Address = {
  readonly mac: string;
  readonly address: string;
  /** The subnet's range, such as 10.0.16.0/20. */
  readonly range: string;
};

/** The address that stays, by the metadata service, once its interface is attached. */
export async function addressOf(metadata: Imds, mac: string): Promise<Address | undefined> {
  const folder = `meta-data/network/interfaces/macs/${mac}`;
  const [address, range] = [
    await metadata.get(`${folder}/local-ipv4s`),
    await metadata.get(`${folder}/subnet-ipv4-cidr-block`),
  ];
  const first = address?.split("\n")[0];
  return first === undefined || range === undefined ? undefined : { mac, address: first, range };
}

/** The subnet's router: the first address of its range (AWS, "Subnet CIDR blocks": reserved addresses). */
export function routerOf(range: string): string {
  const [address = "", prefix = ""] = range.split("/");
  const parts = address.split(".").map(Number);
  if (parts.length !== 4 || parts.some((part) => !(part >= 0 && part <= 255)) || !/^\d+$/.test(prefix))
    throw new Error(`${range} is no range of addresses`);
  const number = parts.reduce((sum, part) => sum * 256 + part, 0) + 1;
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
}

/**
 * Gives the second interface its address, and what leaves from that address its own way out: the first interface's default
 * route would send it through the wrong interface, and AWS drops what comes from an address that is not the interface's.
 */
export async function useAddress({ files, processes }: Ports, { mac, address, range }: Address): Promise<void> {
  const link = await linkOf(files, mac);
  if (link === undefined)
    throw new Error(`the interface with the address ${address} is attached, and the kernel does not show it`);
  const ip = async (...words: readonly string[]): Promise<string> =>
    (await processes.run(["ip", "-4", ...words], { timeout: 10_000 })).stdout;
  const prefix = range.split("/")[1] ?? "";
  await ip("link", "set", "dev", link, "up");
  await ip("address", "replace", `${address}/${prefix}`, "dev", link, "noprefixroute");
  await ip("route", "replace", range, "dev", link, "src", address, "table", table);
  await ip("route", "replace", "default", "via", routerOf(range), "dev", link, "table", table);
  // What the system's own network service has put there for it: nothing else is to leave by this interface.
  await ip("route", "flush", "table", "main", "dev", link);
  if (!(await ip("rule", "show", "from", address)).includes(`lookup ${table}`))
    await ip("rule", "add", "from", address, "lookup", table);
}

async function linkOf(files: Ports["files"], mac: string): Promise<string | undefined> {
  const folder = "/sys/class/net";
  for (const name of ((await files.list(folder)) ?? []).toSorted())
    if ((await files.read(`${folder}/${name}/address`))?.trim().toLowerCase() === mac.toLowerCase()) return name;
  return undefined;
}
