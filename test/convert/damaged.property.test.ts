import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readCluster } from "../../src/cluster/read.ts";
import { convert } from "../../src/convert/convert.ts";
import { showProblems } from "../../src/problems/show.ts";

const folder = join(import.meta.dirname, "inputs");
const whole = [
  "op-py/config/cluster-conf.yml.example",
  "op-py/config/cloud-config.example",
  "swarm-heat/heat.yaml",
  "aws-terraform-nodes/worker.tf",
]
  .concat(["aws-terraform/envs.sh", "coreos-fleet/myapp.service", "coreos-flannel/cloud-config.yml"])
  .map((path) => readFileSync(join(folder, path), "utf8"));
const template = readFileSync(join(folder, "kubernetes-template/kubernetes.yml"), "utf8");

const pieces = [
  "\n",
  "  ",
  "- ",
  ": ",
  "[",
  "{",
  "'",
  '"',
  "&a ",
  "*a",
  "!x ",
  "name",
  "content: |",
  "/etc/hosts",
  "@insert: heat",
  "0x1F",
  "null",
  "\t",
];
/** A text with a few pieces taken out and others put in. */
const damaged = fc
  .tuple(
    fc.constantFrom(...whole, template),
    fc.array(fc.tuple(fc.nat(), fc.nat(60), fc.constantFrom(...pieces)), { maxLength: 4 }),
  )
  .map(([text, cuts]) =>
    cuts.reduce((now, [at, length, piece]) => {
      const start = at % (now.length + 1);
      return now.slice(0, start) + piece + now.slice(start + (length % 7));
    }, text),
  );

const read = async (path: string): Promise<string | undefined> => {
  const file = join(folder, "op-py", path);
  return existsSync(file) && statSync(file).isFile() ? readFileSync(file, "utf8") : undefined;
};

test("whatever is damaged, there is a good cluster.yml, or problems that can be shown", async () => {
  await fc.assert(
    fc.asyncProperty(damaged, async (text) => {
      const conversion = await convert([{ file: "old", content: text }], { name: "old", read });
      if (conversion.kind === "good") expect(readCluster(conversion.yaml, "cluster.yml").kind).toBe("good");
      if (conversion.kind === "bad") {
        expect(conversion.faults).not.toEqual([]);
        for (const { problems, source } of conversion.faults)
          expect(showProblems(problems, source)).toMatch(/:\d+:\d+: error: /);
      }
    }),
    { numRuns: 300 },
  );
});
