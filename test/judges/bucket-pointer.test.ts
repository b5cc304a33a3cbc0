import { describe, expect, test } from "vitest";
import { bucketPointer } from "../../src/machine/bucket-pointer.ts";
import { userDataText } from "../../src/targets/aws/user-data.ts";
import { boot, scenarios } from "../aws/scenarios.ts";
import { ask, ownFolder, pathOf } from "./judge.ts";

const folder = ownFolder();

/** One group's user data for each system, with a bucket's name in it. */
const texts = [...new Map(scenarios.map((scenario) => [scenario.cluster.os, scenario])).values()].flatMap(
  ({ cluster }) => {
    const [group] = cluster.groups;
    if (group === undefined) return [];
    const text = userDataText(cluster, group, boot).replace("SLIPWAYSTOREBUCKET", "demo-store.012345678901");
    return [{ os: cluster.os, text }];
  },
);

describe("user data on AWS", () => {
  test("is good for the system that reads it", { timeout: 120_000 }, async (context) => {
    expect(texts.map(({ os }) => os).toSorted()).toEqual(["debian", "fedora-coreos", "flatcar", "ubuntu"]);
    const ignition = await pathOf("ignition-validate", context);
    const cloudInit = await pathOf("cloud-init", context);
    for (const { os, text } of texts) {
      const file = folder.write(`${os}.txt`, text);
      const container = os === "flatcar" || os === "fedora-coreos";
      const said = container ? await ask(ignition, [file]) : await ask(cloudInit, ["schema", "--config-file", file]);
      expect(`${os} ${said.code} ${said.stderr}`).toBe(`${os} 0 `);
    }
  });

  test("fetches by a script that is a good one", { timeout: 60_000 }, async (context) => {
    const shellcheck = await pathOf("shellcheck", context);
    const script = bucketPointer({ cluster: "demo", group: "worker", bucket: "b", ...boot }).files.find(
      ({ mode }) => mode === "0755",
    );
    if (script?.contents.kind !== "text") expect.fail("no script");
    const said = await ask(shellcheck, [folder.write("fetch", script.contents.text)]);
    expect(said).toMatchObject({ code: 0, stdout: "" });
  });
});
