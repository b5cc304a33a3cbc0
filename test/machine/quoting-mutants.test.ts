import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mutatedModule, type Edit } from "../components/mutate.ts";
import { machines } from "./hostile-machine.ts";
import { sayable, tripsOf, type Formats } from "./trips.ts";

const entry = [
  "ignition",
  "ignition-read",
  "coreos-cloud-config",
  "coreos-cloud-config-read",
  "cloud-init",
  "cloud-init-read",
]
  .map((name) => `export * from "./${name}.ts";`)
  .join("\n");
const inFile =
  (file: string) =>
  (find: string, replace: string): Edit => ({ file: `src/machine/${file}`, find, replace });
const quote = inFile("quote.ts");
const yaml = inFile("formats/yaml.ts");
const coreos = inFile("formats/coreos-cloud-config.ts");
const tree = inFile("formats/tree.ts");

/** Every quoting call taken away, one at a time, and the format in which that shows. */
const mutants: readonly (readonly [string, Edit, string])[] = [
  ["a shell's word without quotes", quote("`'${text.replaceAll(\"'\", `'\\\\''`)}'`", "text"), "cloud-init"],
  ["a shell's word with its own quotes left", quote("text.replaceAll(\"'\", `'\\\\''`)", "text"), "cloud-init"],
  ["a unit's word with its line ends", quote("code > 127 ? found", "code !== 0 ? found"), "coreos-cloud-config"],
  ["a unit's word with its quotes", quote('/[\\\\"]/g', "/[\\\\]/g"), "coreos-cloud-config"],
  [
    "a unit's word with specifiers",
    quote('.replaceAll("%", "%%").replaceAll("$", "$$$$")', '.replaceAll("$", "$$$$")'),
    "coreos-cloud-config",
  ],
  [
    "a unit's word with variables",
    quote('.replaceAll("%", "%%").replaceAll("$", "$$$$")', '.replaceAll("%", "%%")'),
    "coreos-cloud-config",
  ],
  ["a command of bare words", quote("words.map(systemdWord)", "words.map((word) => word)"), "coreos-cloud-config"],
  ["YAML's plain texts", yaml('node.type = "QUOTE_DOUBLE"', 'node.type = "PLAIN"'), "coreos-cloud-config"],
  ["CoreOS's variables", coreos('text.replaceAll(substituted, "\\\\x24")', "text"), "coreos-cloud-config"],
  [
    "a fetched file's address",
    tree(
      'shellCommand(["curl", "-fsSL", "--retry", "5", "--retry-all-errors", "--max-time", "600", contents.url])',
      "`curl -fsSL --retry 5 --retry-all-errors --max-time 600 ${contents.url}`",
    ),
    "cloud-init",
  ],
  [
    "an address with bare percent signs",
    quote("const plain = /[A-Za-z0-9\\-_.!~*'()]/;", "const plain = /[A-Za-z0-9\\-_.!~*'()%]/;"),
    "ignition",
  ],
];

describe("without one call of a quoting function", () => {
  test.each(mutants)("%s: the texts do not read back", async (_, edit, name) => {
    const formats = await mutatedModule<Formats>([edit], "src/machine/formats", entry);
    const { format, setting, read } = tripsOf(formats)[name] ?? expect.fail(name);
    const property = fc.property(machines, (machine) => {
      const wanted = sayable(machine, name);
      expect(read(format.render(wanted, setting).text)).toEqual(wanted);
    });
    expect(fc.check(property, { numRuns: 2_000 }).failed).toBe(true);
  });

  test("and with all of them they do", async () => {
    const formats = await mutatedModule<Formats>([], "src/machine/formats", entry);
    for (const [name, { format, setting, read }] of Object.entries(tripsOf(formats)))
      fc.assert(
        fc.property(machines, (machine) => {
          const wanted = sayable(machine, name);
          expect(read(format.render(wanted, setting).text)).toEqual(wanted);
        }),
      );
  });
});
