import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { run } from "./fakeWorld.ts";

const file =
  "name: demo\ngroups: { control: { role: control, count: 3 }, worker: { count: 2 } }\naws: { region: eu-central-1 }\n";
const files = { "cluster.yml": file };
const single = join(import.meta.dirname, "../aws/scenarios/single");

describe("render --format cloudformation", () => {
  it("prints the template of the whole cluster, and says what was not asked", async () => {
    const { code, stdout, stderr } = await run(["render", "--format", "cloudformation"], { files });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ Description: "The cluster demo, made by Slipway" });
    expect(stderr).toContain("note: nothing was asked of AWS");
    expect(stderr).toMatch(/^\d+ resources, \d+ bytes without white space$/m);
  });

  it("writes what the golden has, but for the sums of the programs, and over nothing unless forced", async () => {
    const one = { "cluster.yml": readFileSync(join(single, "cluster.yml"), "utf8") };
    const words = ["render", "--format", "cloudformation", "-o", "t.json"];
    const first = await run(words, { files: one });
    const resources = (text: string) => Object.keys((JSON.parse(text) as { Resources: object }).Resources);
    expect(resources(String(first.files.get("t.json")))).toEqual(
      resources(readFileSync(join(single, "expected/cloudformation.json"), "utf8")),
    );
    const again = await run(words, { files: { ...one, "t.json": "mine" } });
    expect([again.code, again.files.get("t.json")]).toEqual([2, "mine"]);
    expect(again.stderr).toContain("next: slipway render cluster.yml --format cloudformation -o t.json --force");
  });

  it("takes what AWS has said from a file, and says what does not fit at its line", async () => {
    const good = await run(["render", "--format", "cloudformation", "--facts", "facts.json"], {
      files: { ...files, "facts.json": '{ "zones": ["eu-central-1a", "eu-central-1b", "eu-central-1c"] }' },
    });
    expect(JSON.parse(good.stdout)).toHaveProperty("Parameters.Zone1.Default", "eu-central-1a");
    expect(good.stderr).not.toContain("nothing was asked");
    const bad = await run(["render", "--format", "cloudformation", "--facts", "facts.json"], {
      files: { ...files, "facts.json": '{ "region": "eu-west-1" }' },
    });
    expect(bad.code).toBe(2);
    expect(bad.stderr).toContain("cluster.yml:3:16: error: the facts are of eu-west-1, the file is for eu-central-1");
    const none = await run(["render", "--format", "cloudformation", "--facts", "facts.json"], {
      files: { ...files, "facts.json": '{ "regions": [] }' },
    });
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining("facts.json: these are no facts of AWS")]);
  });

  it("gives resources with their places as JSON", async () => {
    const { stdout } = await run(["render", "--format", "cloudformation", "--json"], { files });
    const { resources } = JSON.parse(stdout) as { resources: readonly object[] };
    expect(resources).toContainEqual({
      id: "WorkerNodes",
      type: "AWS::AutoScaling::AutoScalingGroup",
      layer: "workers",
      origin: { kind: "field", path: ["groups", "worker"] },
    });
  });
});

describe("policy", () => {
  it("prints a policy for each purpose", async () => {
    for (const purpose of ["launch", "operate", "cleanup", "node:worker"]) {
      const { code, stdout } = await run(["policy", "--for", purpose], { files });
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toHaveProperty("Version", "2012-10-17");
    }
  });

  it("knows no other purpose", async () => {
    const { code, stderr } = await run(["policy", "--for", "node:workers"], { files });
    expect(code).toBe(2);
    expect(stderr).toContain("next: slipway policy cluster.yml --for launch|operate|cleanup|node:control|node:worker");
  });
});
