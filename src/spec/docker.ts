import ipaddr from "ipaddr.js";
import { quoted } from "../problems/visible.ts";
import { section, text, type Complaint } from "./fields.ts";

/** `docker:` — what concerns nodes that are containers on this machine. */
export const docker = section("Settings for --on docker.", {
  subnet: text({
    description: "The nodes' network, such as 10.77.0.0/24; a free one is chosen when left out.",
    check: (subnet) => privateNetwork(subnet, 16, 26),
  }).optional(),
  publish_on: text({
    description: "The address of this machine on which ports are published; 127.0.0.1 when left out.",
    check: addressComplaint,
  }).optional(),
});

const privateRanges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"] as const;

/** A private IPv4 network whose size lies between two. */
export function privateNetwork(subnet: string, largest: number, smallest: number): Complaint | undefined {
  const parts = /^(\d{1,3}(?:\.\d{1,3}){3})\/(\d{1,2})$/.exec(subnet);
  const address = parts?.[1] ?? "";
  const prefix = Number(parts?.[2] ?? "");
  if (parts === null || !ipaddr.IPv4.isValidFourPartDecimal(address) || prefix > 32)
    return {
      code: "invalid-value",
      message: `${quoted(subnet)} is not an IPv4 network`,
      fix: "such as 10.77.0.0/24",
    };
  if (prefix < largest || prefix > smallest)
    return {
      code: "out-of-range",
      message: `a network of the size /${prefix} is out of range`,
      fix: `from /${largest} to /${smallest}`,
    };
  const network = ipaddr.IPv4.networkAddressFromCIDR(`${address}/${prefix}`);
  if (network.toString() !== address)
    return {
      code: "invalid-value",
      message: `${subnet} is an address inside a network`,
      fix: `${network.toString()}/${prefix}`,
    };
  if (!privateRanges.some((range) => network.match(ipaddr.IPv4.parseCIDR(range))))
    return {
      code: "invalid-value",
      message: `${subnet} is not a private network`,
      fix: `a part of ${privateRanges.join(", ")}`,
    };
  return undefined;
}

function addressComplaint(address: string): Complaint | undefined {
  return ipaddr.IPv4.isValidFourPartDecimal(address) || ipaddr.IPv6.isValid(address)
    ? undefined
    : {
        code: "invalid-value",
        message: `${quoted(address)} is not an address`,
        fix: "127.0.0.1, or an address of this machine",
      };
}
