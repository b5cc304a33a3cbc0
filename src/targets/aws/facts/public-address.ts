import ipaddr from "ipaddr.js";
import type { Clock } from "../../../host/clock.ts";

/** AWS's own service, which answers with the asker's address and a line end (EC2 user guide, "Authorize inbound traffic"). */
const service = "https://checkip.amazonaws.com/";
const attempts = 3;
/** Milliseconds. */
const patience = 5_000;
const pause = 1_000;
/** Bytes: no address is longer, and what comes is from the outside. */
const longest = 64;

/** The IPv4 address by which the outside sees this machine. Throws when nobody says it, or what is said cannot be one. */
export async function publicAddress(ports: { readonly fetch: typeof fetch; readonly clock: Clock }): Promise<string> {
  let why = "";
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (attempt > 0) await ports.clock.sleep(pause);
    try {
      const answer = await ports.fetch(service, { redirect: "error", signal: AbortSignal.timeout(patience) });
      const text = (await answer.text()).slice(0, longest).trim();
      if (answer.ok && isPublic(text)) return text;
      why = answer.ok ? `it says ${JSON.stringify(text)}, which is no public IPv4 address` : `it says ${answer.status}`;
    } catch (error) {
      why = error instanceof Error ? error.message : String(error);
    }
  }
  throw new Error(`${service} does not tell this machine's public address: ${why}`);
}

function isPublic(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) && ipaddr.IPv4.parse(text).range() === "unicast";
}
