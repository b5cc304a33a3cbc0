import * as z from "zod";
import { quoted } from "../problems/visible.ts";
import { choice, complain, integer, integerOf, section, type Complaint } from "./fields.ts";
import { Plain } from "./plain.ts";

const port = section("A port of the service.", {
  published: integer("The port under which it is reached from outside.", 1, 65_535),
  target: integer("The port inside the container.", 1, 65_535),
  protocol: choice("tcp or udp; tcp when left out.", ["tcp", "udp"]).optional(),
});

/** One of `ports:`: `"8080:80"`, `"53:53/udp"`, `80`, or the three keys. */
export const servicePort = z
  .preprocess((input, context) => {
    const written = input instanceof Plain && input.value !== null ? input.source : input;
    if (typeof written !== "string") return input;
    const read = readPort(written);
    if (read.kind === "good") return read.keys;
    complain(context, read.complaint);
    return input;
  }, port)
  .meta({
    description: 'A port: "8080:80" publishes the container\'s 80 as 8080; "53:53/udp" and plain 80 do too.',
    short: { type: ["string", "integer"] },
  });

type ReadPort =
  | { readonly kind: "good"; readonly keys: Readonly<Record<string, unknown>> }
  | { readonly kind: "bad"; readonly complaint: Complaint };

function readPort(written: string): ReadPort {
  const parts = /^(?:(\d{1,7}):)?(\d{1,7})(?:\/([A-Za-z]+))?$/.exec(written);
  if (parts === null) return { kind: "bad", complaint: portComplaint(written) };
  const [, published, target = "", protocol] = parts;
  for (const digits of [published ?? target, target]) {
    const port = integerOf(number(digits), 1, 65_535);
    if (typeof port !== "number") return { kind: "bad", complaint: port };
  }
  const keys = { published: number(published ?? target), target: number(target) };
  return {
    kind: "good",
    keys: protocol === undefined ? keys : { ...keys, protocol: protocol.toLowerCase() },
  };
}

function number(digits: string): Plain {
  return new Plain(digits, Number(digits));
}

function portComplaint(written: string): Complaint {
  const addressed = /^(\d+\.\d+\.\d+\.\d+|\[.*\]):(\d+:\d+.*)$/.exec(written);
  if (addressed !== null)
    return {
      code: "unsupported",
      message: `${quoted(written)} names an address; all ports are published on one`,
      fix: `"${addressed[2] ?? ""}" here, and docker: { publish_on: ${addressed[1] ?? ""} }`,
    };
  if (/^\d+-\d+(:|$)/.test(written))
    return {
      code: "unsupported",
      message: `${quoted(written)} is a range of ports`,
      fix: "write the ports one by one",
    };
  return {
    code: "invalid-value",
    message: `${quoted(written)} is not a port`,
    fix: '"8080:80" or "53:53/udp"',
  };
}
