import { describe, expect, it } from "vitest";
import { clusterOf, problemsOf } from "./converting.ts";

const head = "#cloud-config\nwrite_files:\n  - path: /etc/app\n    content: |\n";

/** The content of the only file that a template's machines get. */
async function contentOf(body: string, params: string, others: Readonly<Record<string, string>> = {}) {
  const { cluster } = await clusterOf({ "heat.yaml": head + body, "params.yml": params }, others);
  const contents = cluster.groups[0]?.files[0]?.contents;
  return contents?.kind === "text" ? contents.text : undefined;
}

describe("@insert", () => {
  it("takes a file at the column of its own, files inside files, quoted or not", async () => {
    const others = { "parts/a": "first\n@insert : parts/b\n", b: "", "parts/b": "  second\n\nthird @param:name\n" };
    expect(await contentOf('      @insert: "file:parts/a"\n', "name: x\n", others)).toBe(
      "first\n  second\n\nthird x\n",
    );
  });

  it("that leads back to itself is a problem with the way round, where it stands", async () => {
    const others = { a: "x\n@insert: b\n", b: "  @insert: file:a\n" };
    expect(await problemsOf({ "heat.yaml": `${head}      @insert: a\n` }, others)).toMatchInlineSnapshot(`
      "b:1:3: error: a inserts itself: a → b → a
            @insert: file:a
            ^~~~~~~~~~~~~~~
        fix: take one of these inserts out
      "
    `);
  });

  it("of a file that is not there is a problem", async () => {
    expect(await problemsOf({ "heat.yaml": `${head}      @insert: "file:gone"\n` })).toContain(
      "heat.yaml:5:7: error: there is no file gone to insert",
    );
  });

  it("beside other text is a problem, in a comment it is nothing", async () => {
    expect(await problemsOf({ "heat.yaml": `${head}      x @insert: a\n` })).toContain(
      "heat.yaml:5:9: error: an @insert stands alone",
    );
    expect(await contentOf("      y\n# x @insert: a\n", "")).toBe("y\n");
  });

  it("of a file that doubles itself ends", async () => {
    const names = Array.from({ length: 40 }, (_, index) => `f${index}`);
    const others = Object.fromEntries(
      names.map((name, index) => [name, `@insert: f${index + 1}\n@insert: f${index + 1}\n`]),
    );
    expect(await problemsOf({ "heat.yaml": `${head}      @insert: f0\n` }, { ...others, f40: "x\n" })).toContain(
      "more than 20000 lines",
    );
  });

  it("whose YAML is wrong is shown in the file that was inserted", async () => {
    const files = { "heat.yaml": "#cloud-config\ncoreos:\n  @insert: part\n" };
    expect(await problemsOf(files, { part: "units:\n\t- name: a.service\n" })).toMatch(/^part:2:1: error: /);
  });
});

describe("@param", () => {
  it("takes the whole name: foo is not the beginning of foo-bar", async () => {
    expect(await contentOf("      @param:foo @param:foo-bar @param:foo\n", "foo: 1\nfoo-bar: 2\n")).toBe("1 2 1\n");
  });

  it("keeps a value as it is written", async () => {
    expect(
      await contentOf("      @param:a @param:b @param:c @param:d\n", "a: 1.10\nb: 0644\nc: yes\nd: 012345678901\n"),
    ).toBe("1.10 0644 yes 012345678901\n");
  });

  it("takes the first example of a value that is empty, and lines of one that has several", async () => {
    expect(await contentOf("      a@param:x|\n      @param:y\n", 'x: ""\ny: |-\n  one\n')).toBe("a|\none\n");
  });

  it("without a value is a problem at each place, also in a file that was inserted", async () => {
    expect(
      await problemsOf({ "heat.yaml": `${head}      a @param:foo\n      @insert: part\n` }, { part: "b @param:bar\n" }),
    ).toMatchInlineSnapshot(`
        "heat.yaml:5:9: error: the parameter foo has no value
                  a @param:foo
                    ^~~~~~~~~~
          fix: foo: … in params.yml, and give that file too
        part:1:3: error: the parameter bar has no value
            b @param:bar
              ^~~~~~~~~~
          fix: bar: … in params.yml, and give that file too
        "
      `);
  });

  it("has small letters and - in its name", async () => {
    expect(await problemsOf({ "heat.yaml": `${head}      @param:foo_bar\n`, "params.yml": "foo: 1\n" })).toContain(
      "small letters and - only",
    );
  });

  it("that is a list is a problem", async () => {
    expect(await problemsOf({ "heat.yaml": `${head}      @param:foo\n`, "params.yml": "foo: [1]\n" })).toContain(
      "params.yml:1:1: error: the parameter foo is not one value",
    );
  });

  it("that no file asks for is said", async () => {
    const { rows } = await clusterOf({ "heat.yaml": `${head}      @param:foo\n`, "params.yml": "foo: 1\nbar: 2\n" });
    expect(rows).toContainEqual({
      verdict: "dropped",
      what: "parameter bar: 2",
      at: "params.yml:2",
      by: "",
      why: "no file asks for it",
    });
  });
});

describe("lists of units", () => {
  const service = "[Service]\nType=oneshot\nExecStart=/bin/true\n";
  const template = `${head}      @param:node-role\n`;

  it("start units whose texts are given, in the group that the list is for", async () => {
    const { cluster } = await clusterOf({
      "heat.yaml": template,
      "systemd-units/once.service": service,
      "manager-systemd-units.txt": "once.service\n",
    });
    expect(cluster.groups.map(({ name, units }) => [name, units.map((unit) => [unit.name, unit.enabled])])).toEqual([
      ["manager", [["once.service", true]]],
      ["worker", []],
    ]);
    expect(cluster.services).toEqual([]);
  });

  it("say which unit's text is missing", async () => {
    const { rows } = await clusterOf({
      "heat.yaml": template,
      "worker-systemd-units.txt": "node-lifecycle.service\nmine.service\n",
    });
    expect(rows.find(({ what }) => what === "unit mine.service")?.why).toContain("its text was not given");
  });
});
