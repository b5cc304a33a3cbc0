import fc from "fast-check";
import { ordered } from "../../src/machine/formats/reading.ts";
import type { Contents, MachineConfig, Origin } from "../../src/machine/machine.ts";

const origin: Origin = { kind: "component", component: "text" };

/** What has a meaning in YAML, shells, units, JSON or addresses, beside plain text. */
const pieces = fc.oneof(
  fc.constantFrom(
    "\n",
    '"',
    "'",
    "$",
    "%",
    "\0",
    "\0\0",
    "a\0b",
    "\\",
    "`",
    ": ",
    " #",
    "- ",
    "\t",
    "\r",
    "${HOME}",
    "$(id)",
    "%n",
    "%%",
    "$$",
    "$private_ipv4",
    "\\$public_ipv6",
    "{{",
    "&a *a",
    "!!x",
    "---\n",
    "[Service]\n",
    "ExecStart=/bin/x\n",
    "; ",
    "'\\''",
    "\u0085",
    "\u2028",
    "\ufeff",
    "\u007f",
    "é😀",
    "no",
    "0755",
    "~",
  ),
  fc.string({ unit: "grapheme", maxLength: 6 }),
);
const hostile = fc.array(pieces, { maxLength: 6 }).map((parts) => parts.join(""));
/** For what is a path or an argument on a node: no NUL, as no such thing can have one. */
const argument = hostile.map((text) => text.replaceAll("\0", ""));
const segment = argument
  .map((text) => text.replaceAll("/", ""))
  .filter((text) => text !== "" && !/^\.{1,2}$/.test(text));
const path = fc.array(segment, { minLength: 1, maxLength: 2 }).map((parts) => `/srv/${parts.join("/")}`);
const name = fc.stringMatching(/^[a-z_][a-z0-9_-]{0,8}$/);
const account = fc.oneof(fc.constant("root"), name, fc.nat({ max: 70_000 }).map(String));
const mode = fc.constantFrom("0644", "0600", "0755", "0000", "0777");
const line = hostile.map((text) => text.replaceAll(/[\p{Cc}\u2028\u2029:,]/gu, ""));
const url = hostile.map((text) => `https://host.example/${text.replaceAll(/[\s\p{Cc}\u2028\u2029\ufeff]/gu, "")}`);
const hash = fc.oneof(
  fc.stringMatching(/^[0-9a-f]{64}$/).map((sum) => `sha256-${sum}`),
  fc.stringMatching(/^[0-9a-f]{128}$/).map((sum) => `sha512-${sum}`),
);
const binary = fc
  .uint8Array({ minLength: 1, maxLength: 12 })
  .map((bytes) => Buffer.concat([Buffer.from([0xff]), bytes]));
const contents: fc.Arbitrary<Contents> = fc.oneof(
  { weight: 6, arbitrary: hostile.map((text) => ({ kind: "text" as const, text })) },
  { weight: 1, arbitrary: binary.map((bytes) => ({ kind: "bytes" as const, base64: bytes.toString("base64") })) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("remote" as const),
      url,
      hash,
      compression: fc.constantFrom("none" as const, "gzip" as const),
    }),
  },
);
const owned = { path, mode, user: account, group: account, origin: fc.constant(origin) };
const unitName = fc.stringMatching(/^[a-z0-9:_.-]{1,8}$/).map((its) => `${its}.service`);
const dropIn = fc.record({
  name: fc.stringMatching(/^[a-z0-9_][a-z0-9_.@-]{0,6}$/).map((its) => `${its}.conf`),
  content: hostile,
  origin: fc.constant(origin),
});
const unit = fc
  .record({
    name: unitName,
    content: fc.option(hostile, { nil: undefined }),
    dropIns: fc.uniqueArray(dropIn, { maxLength: 2, selector: (its) => its.name }),
    state: fc.constantFrom("on" as const, "off" as const, "masked" as const, "installed" as const),
    origin: fc.constant(origin),
  })
  // One that is only there says nothing, and a masked one has no text.
  .map(({ content, ...its }) => {
    if (its.state === "masked") return its;
    if (its.state === "installed" && its.dropIns.length === 0) return { ...its, content: content ?? "x" };
    return content === undefined ? its : { ...its, content };
  });
const user = fc
  .record({
    name,
    keys: fc.array(
      line.map((comment) => `ssh-ed25519 AAAA ${comment}`),
      { maxLength: 2 },
    ),
    uid: fc.option(fc.integer({ min: 1, max: 60_000 }), { nil: undefined }),
    comment: line,
    home: path,
    shell: fc.option(path, { nil: undefined }),
    primaryGroup: fc.option(name, { nil: undefined }),
    groups: fc.uniqueArray(name, { maxLength: 2 }),
    system: fc.boolean(),
    origin: fc.constant(origin),
  })
  .map(({ uid, shell, primaryGroup, ...its }) => ({
    ...its,
    ...(uid === undefined ? {} : { uid }),
    ...(shell === undefined ? {} : { shell }),
    ...(primaryGroup === undefined ? {} : { primaryGroup }),
  }));
const group = fc
  .record({
    name,
    gid: fc.option(fc.integer({ min: 1, max: 60_000 }), { nil: undefined }),
    system: fc.boolean(),
    origin: fc.constant(origin),
  })
  .map(({ gid, ...its }) => (gid === undefined ? its : { ...its, gid }));

type Named = { readonly name: string };
type Placed = { readonly path: string };
const byName = { selector: ({ name: its }: Named) => its, maxLength: 2 };
const byPath = { selector: ({ path: its }: Placed) => its, maxLength: 3 };

/** Any machine config, in texts as bad as they come; lists in their order. */
export const machines: fc.Arbitrary<MachineConfig> = fc
  .record({
    files: fc.uniqueArray(fc.record({ ...owned, contents }), byPath),
    directories: fc.uniqueArray(fc.record(owned), { ...byPath, maxLength: 2 }),
    links: fc.uniqueArray(
      fc.record({ path, target: argument.filter((text) => text !== ""), origin: fc.constant(origin) }),
      { ...byPath, maxLength: 2 },
    ),
    users: fc.uniqueArray(user, byName),
    groups: fc.uniqueArray(group, byName),
    units: fc.uniqueArray(unit, byName),
    kernelArguments: fc.array(
      fc.stringMatching(/^[a-z]{1,8}(=[a-z0-9,]{1,6})?$/).map((its) => ({ argument: its, origin })),
      { maxLength: 2 },
    ),
  })
  .map(ordered);

/** Every text of a machine config. */
export function textsOf(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsOf) : [];
}
