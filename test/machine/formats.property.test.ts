import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readCloudInit } from "../../src/machine/formats/cloud-init-read.ts";
import { cloudInit } from "../../src/machine/formats/cloud-init.ts";
import { readCoreosCloudConfig } from "../../src/machine/formats/coreos-cloud-config-read.ts";
import { coreosCloudConfig } from "../../src/machine/formats/coreos-cloud-config.ts";
import { readIgnition } from "../../src/machine/formats/ignition-read.ts";
import { ignition, packedIgnition } from "../../src/machine/formats/ignition.ts";
import { shellCommand, systemdCommand, systemdEscapePath } from "../../src/machine/quote.ts";
import { shellWords, systemdWords } from "../../src/machine/unquote.ts";
import { machines, textsOf } from "./hostile-machine.ts";
import { sayable, tripsOf } from "./trips.ts";

const cases = 1_700;
const trips = tripsOf({ ignition, coreosCloudConfig, cloudInit, readIgnition, readCoreosCloudConfig, readCloudInit });

describe("a machine config in another format", () => {
  test.each(Object.entries(trips))(
    "%s reads back to the same, whatever its texts",
    (name, { format, setting, read }) => {
      const seen = { "\n": 0, '"': 0, "'": 0, $: 0, "%": 0, "\0": 0 };
      fc.assert(
        fc.property(machines, (machine) => {
          const texts = textsOf(machine);
          for (const mark of Object.keys(seen) as (keyof typeof seen)[])
            if (texts.some((text) => text.includes(mark))) seen[mark]++;
          const wanted = sayable(machine, name);
          const { text, problems } = format.render(wanted, setting);
          expect(problems).toEqual([]);
          expect(read(text)).toEqual(wanted);
          if (name === "ignition") expect(read(packedIgnition(text))).toEqual(wanted);
        }),
        { numRuns: cases },
      );
      for (const [mark, count] of Object.entries(seen))
        expect(count / cases, JSON.stringify(mark)).toBeGreaterThan(0.15);
    },
  );

  test("what a format cannot say is a problem at its place", () => {
    const at = ["groups", "worker", "x", 0];
    const origin = { kind: "field", path: at } as const;
    const nothing = { files: [], directories: [], links: [], users: [], groups: [], units: [], kernelArguments: [] };
    const argument = { ...nothing, kernelArguments: [{ argument: "quiet", origin }] };
    const group = { ...nothing, groups: [{ name: "x", system: false, origin }] };
    const special = { ...nothing, directories: [{ path: "/x", mode: "2755", user: "root", group: "root", origin }] };
    for (const [name, machine] of [
      ["coreos-cloud-config", argument],
      ["cloud-init", argument],
      ["coreos-cloud-config", group],
      ["ignition", special],
    ] as const) {
      const { format, setting } = trips[name] ?? expect.fail(name);
      expect(format.render(machine, setting).problems, name).toMatchObject([{ code: "unsupported", path: at }]);
    }
    expect(ignition.render(special, { system: "fedora-coreos" })).toMatchObject({
      problems: [],
      text: expect.stringContaining('"3.6.0"'),
    });
  });
});

const word = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "'",
        '"',
        "$",
        "%",
        "\\",
        "\n",
        " ",
        ";",
        "`",
        "#",
        "~",
        "\t",
        "\r",
        "\u0001",
        "é",
        "$(id)",
        "${A}",
        "%n",
      ),
      fc.string({ maxLength: 3 }),
    ),
    { maxLength: 5 },
  )
  .map((parts) => parts.join("").replaceAll("\0", ""));

describe("quoting", () => {
  test("a shell reads back the very words", () => {
    const all: string[][] = [];
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 4 }), (words) => {
        expect(shellWords(shellCommand(words))).toEqual(words);
        all.push(words);
      }),
      { numRuns: 1_000 },
    );
    // The real shell, all at once: each command prints its words, each with a NUL behind it.
    const script = all.map((words) => `printf '%s\\0' ${shellCommand(words)}`).join("\n");
    const printed = execFileSync("bash", ["-s"], { input: script, maxBuffer: 1 << 26 }).toString("utf8");
    expect(printed.split("\0").slice(0, -1)).toEqual(all.flat());
  });

  test("systemd's words read back, on one line", () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 4 }), (words) => {
        const line = systemdCommand(["/bin/x", ...words]);
        expect(line).not.toMatch(/[\n\r\0]/);
        // Neither a specifier nor a variable is left.
        expect(line.replaceAll("%%", "").replaceAll("$$", "")).not.toMatch(/[%$]/);
        expect(systemdWords(line)).toEqual(["/bin/x", ...words]);
      }),
      { numRuns: 1_000 },
    );
  });

  test("a path's unit name is what systemd-escape says", () => {
    expect(systemdEscapePath("/srv/a-b/ü x")).toBe("srv-a\\x2db-\\xc3\\xbc\\x20x");
    expect(systemdEscapePath("/")).toBe("-");
    expect(systemdEscapePath("/.hidden/")).toBe("\\x2ehidden");
  });
});
