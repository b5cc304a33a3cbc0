import * as z from "zod";
import { quoted } from "../problems/visible.ts";
import { boolean, choice, complain, section, text, type Complaint } from "./fields.ts";
import { dockerName } from "./names.ts";
import { Plain } from "./plain.ts";
import { absolutePath } from "./values.ts";

const kinds = ["volume", "bind", "tmpfs"] as const;

const mount = section("What the container sees under a path of its own.", {
  type: choice(
    "volume keeps data on the node, bind shows a path of the node, tmpfs is memory; volume when left out.",
    kinds,
  ).optional(),
  source: text({
    description: "The volume's name, or the node's path for bind; tmpfs has none.",
  }).optional(),
  target: text({ description: "The path in the container.", check: absolutePath }),
  read_only: boolean("Whether the container may only read; false when left out.").optional(),
}).superRefine((value, context) => {
  const complaint = sourceComplaint(value.type ?? "volume", value.source);
  if (complaint !== undefined) complain(context, { path: ["source"], ...complaint });
});

function sourceComplaint(kind: (typeof kinds)[number], source: string | undefined): Complaint | undefined {
  if (kind === "tmpfs")
    return source === undefined
      ? undefined
      : { code: "invalid-value", message: "a tmpfs has no source", fix: "leave it out", at: "key" };
  if (source === undefined)
    return {
      code: "missing-key",
      message: `the source of the ${kind} is missing`,
      fix: "add source: …",
    };
  return kind === "bind" ? absolutePath(source) : volumeName(source);
}

/** One of `mounts:`: `"data:/var/lib/data"`, `"/srv:/srv:ro"`, or the keys. */
export const serviceMount = z
  .preprocess((input, context) => {
    if (typeof input !== "string") return input;
    const keys = readMount(input);
    if (keys !== undefined) return keys;
    complain(context, {
      code: "invalid-value",
      message: `${quoted(input)} is not a mount`,
      fix: '"volume:/path" or "/path-on-the-node:/path:ro"',
    });
    return input;
  }, mount)
  .meta({
    description: 'A mount: "data:/var/lib/data" for a volume, "/srv:/srv:ro" for a path of the node.',
    short: { type: "string" },
  });

function readMount(written: string): Readonly<Record<string, unknown>> | undefined {
  const parts = /^([^:]+):([^:]+)(?::(ro|rw))?$/.exec(written);
  if (parts === null) return undefined;
  const [, source = "", target = "", access] = parts;
  // A path of the node is a bind; all else must be a volume's name.
  const type = source.startsWith("/") ? "bind" : "volume";
  const read = { type, source, target };
  return access === "ro" ? { ...read, read_only: new Plain("true", true) } : read;
}

function volumeName(name: string): Complaint | undefined {
  if (name.startsWith("."))
    return {
      code: "invalid-value",
      message: `${quoted(name)} is a path beside this file, which nodes do not have`,
      fix: "use a volume's name, or an absolute path of the node",
    };
  return dockerName("volume")(name);
}
