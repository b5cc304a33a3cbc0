import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Cluster } from "../../src/cluster/cluster.ts";
import type { Operations } from "../../src/cli/operations.ts";
import { run } from "./fakeWorld.ts";

const conf = "config/cluster-conf.yml.example";
const config = "config/cloud-config.example";
const folder = join(import.meta.dirname, "../convert/inputs/op-py");
const files = Object.fromEntries(
  [conf, config].map((path) => [path, readFileSync(join(folder, path), "utf8")] as const),
);
const expected = readFileSync(join(folder, "expected/cluster.yml"), "utf8");

describe("convert", () => {
  it("writes the file to standard output and the table beside it", async () => {
    const { code, stdout, stderr } = await run(["convert", conf, "--name", "p-1"], { files });
    expect([code, stdout]).toEqual([0, expected]);
    expect(stderr).toContain("instances_count: 2");
    expect(stderr).toMatch(/^replaced {2}unit fleet\.service/m);
  });

  it("writes a file that check finds good, and over nothing unless forced", async () => {
    const words = ["convert", conf, "--name", "p-1", "-o", "cluster.yml"];
    const first = await run(words, { files });
    expect([first.code, first.stdout, first.files.get("cluster.yml")]).toEqual([0, "", expected]);
    expect(first.stderr).toContain("next: slipway check cluster.yml");
    const after = Object.fromEntries(first.files);
    expect((await run(["check"], { files: after })).stdout).toBe("cluster.yml: good: p-1 on docker, 2 nodes\n");
    const again = await run(words, { files: { ...after, "cluster.yml": "mine\n" } });
    expect([again.code, again.files.get("cluster.yml")]).toEqual([2, "mine\n"]);
    expect(again.stderr).toContain(`next: slipway convert ${conf} -o cluster.yml --force`);
    const forced = await run([...words, "--force"], { files: { ...after, "cluster.yml": "mine\n" } });
    expect([forced.code, forced.files.get("cluster.yml")]).toEqual([0, expected]);
  });

  it("gives the text and the rows as JSON", async () => {
    const { stdout, stderr } = await run(["convert", conf, "--name", "p-1", "--json"], { files });
    const document: unknown = JSON.parse(stdout);
    expect([stderr, document]).toEqual(["", expect.objectContaining({ yaml: expected })]);
    expect(document).toHaveProperty("rows.0.verdict");
  });

  it("asks for a name, and judges it", async () => {
    const nameless = await run(["convert", conf], { files });
    expect(nameless.code).toBe(2);
    expect(nameless.stderr).toContain(`next: slipway convert ${conf} --name NAME`);
    expect((await run(["convert", conf, "--name", "P_1"], { files })).stderr).toContain("next: p-1");
  });

  it("shows what is wrong in every file, like a compiler", async () => {
    const { code, stderr } = await run(["convert", "a.txt", conf, "--name", "p-1"], {
      files: { "a.txt": "hello\n", [conf]: files[conf] ?? "" },
    });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^a\.txt:1:1: error: this is none of the files that convert reads\n {4}hello\n {4}\^~~~~\n/);
    const missing = await run(["convert", conf, "--name", "p-1"], { files: { [conf]: files[conf] ?? "" } });
    expect(missing.stderr).toContain(`${conf}:2:1: error: there is no file ${config}`);
  });

  it("says which file is not there", async () => {
    expect((await run(["convert", "gone.yml"])).stderr).toContain("there is no file gone.yml");
  });
});

describe("a conf file of op.py", () => {
  const launched: Cluster[] = [];
  const operations: Partial<Operations> = {
    plan:
      async () =>
      async (_context, { cluster }) => {
        launched.push(cluster);
        return { cluster: cluster.name, forecast: "computed", changes: [] };
      },
  };

  it("is taken by check and plan as it is, under a name that is given", async () => {
    const checked = await run(["check", conf, "--name", "p-1"], { files });
    expect(checked.stdout).toBe(`${conf}: good: p-1 on docker, 2 nodes\n`);
    expect(checked.stderr).toContain("is a conf file of op.py, converted here: ");
    expect(checked.stderr).toContain("two etcd members survive no failure");
    expect((await run(["plan", conf, "--name", "p-1"], { files, operations })).code).toBe(0);
    expect(launched.map(({ name, groups }) => [name, groups.map(({ count }) => count)])).toEqual([["p-1", [1, 1]]]);
  });

  it("is refused without a name, and the same command with one is shown", async () => {
    const { code, stderr } = await run(["launch", conf], { files });
    expect(code).toBe(2);
    expect(stderr).toContain(`next: bin/slipway launch ${conf} --name NAME`);
  });
});
