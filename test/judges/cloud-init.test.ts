import { describe, expect, test } from "vitest";
import { textsOf } from "../scenarios/scenarios.ts";
import { ask, ownFolder, pathOf, titled } from "./judge.ts";

const folder = ownFolder();

describe("cloud-init's schema", () => {
  test.for(titled(textsOf("cloud-init")))("accepts %s", async ([name, { text }], context) => {
    const cloudInit = await pathOf("cloud-init", context);
    const file = folder.write(`${name}.yml`, text);
    const said = await ask(cloudInit, ["schema", "--config-file", file]);
    expect(said).toMatchObject({ code: 0, stderr: "", stdout: `Valid cloud-config: ${file}\n` });
  });

  test("refuses a key that it does not know", async (context) => {
    const file = folder.write("bad.yml", '#cloud-config\nwrite_files: [{ path: "/x", contents: "" }]\n');
    expect(await ask(await pathOf("cloud-init", context), ["schema", "--config-file", file])).toMatchObject({
      code: 1,
    });
  });
});
