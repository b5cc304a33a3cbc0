import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { textsOf } from "../scenarios/scenarios.ts";
import { ask, leaveOut, ownFolder, pathOf, titled } from "./judge.ts";
import { emptySystem, seenIn, wantedIn } from "./system-tree.ts";

const folder = ownFolder();
const texts = textsOf("ignition");

/** What scenarios fetch, by the path in their addresses. */
const remote: Readonly<Record<string, Uint8Array>> = {
  "/hello": Buffer.from("#!/bin/sh\necho hello\n"),
  "/list.gz": gzipSync("one\ntwo\n"),
};
/** The same as nodes have it then, by the sum that the file names. */
const fetched = new Map(
  [remote["/hello"], Buffer.from("one\ntwo\n")].flatMap((bytes) =>
    ["sha256", "sha512"].map((algorithm): [string, Uint8Array] => [
      `${algorithm}-${createHash(algorithm)
        .update(bytes ?? "")
        .digest("hex")}`,
      bytes ?? Buffer.of(),
    ]),
  ),
);
let server: Server;
let address = "";
beforeAll(async () => {
  server = createServer((request, response) => {
    const bytes = remote[new URL(request.url ?? "", "http://x").pathname];
    response.writeHead(bytes === undefined ? 404 : 200).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at = server.address();
  address = typeof at === "object" && at !== null ? `http://127.0.0.1:${at.port}` : "";
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const noSystemd = /^CRITICAL : Ignition failed: failed to create units: dial unix \/run\/systemd\/private:[^\n]*$/;

describe("ignition-validate", () => {
  test.for(titled(texts))("accepts %s", async ([name, { text, os }], context) => {
    const judge = await pathOf(os === "fedora-coreos" ? "ignition-validate-fedora" : "ignition-validate", context);
    const file = folder.write(`${name}.ign`, text);
    expect(await ask(judge, [file])).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  test("warns of a unit that nothing wants", async (context) => {
    const units = [{ name: "a.service", enabled: true, contents: "[Service]\nExecStart=/bin/true\n" }];
    const file = folder.write("bad.ign", JSON.stringify({ ignition: { version: "3.3.0" }, systemd: { units } }));
    const { stdout, stderr } = await ask(await pathOf("ignition-validate", context), [file]);
    expect(stdout + stderr).toContain("warning");
  });
});

describe("ignition writes what is meant:", () => {
  // Flatcar's, which ends at 3.5; set-user-id bits are in the words of 3.6.
  test.for(titled(texts.filter(({ text }) => !text.includes('"3.6.0"'))))(
    "%s",
    async ([name, { text, machine }], context) => {
      const ignition = await pathOf("ignition", context);
      if (process.getuid?.() !== 0)
        leaveOut(context, "Ignition's files stage gives files their owners, which takes root");
      const root = emptySystem(join(folder.path, `root ${name}`));
      const config = folder.write(`${name}.fetch.ign`, text.replaceAll("https://files.example", address));
      const before = seenIn(root);
      for (const stage of ["fetch", "files"]) {
        const words = {
          platform: "file",
          stage,
          root,
          "config-cache": join(folder.path, `${name}.cache`),
          "state-file": join(folder.path, `${name}.state`),
          neednet: join(folder.path, "neednet"),
          "log-to-stdout": "true",
        };
        const flags = Object.entries(words).map(([flag, value]) => `--${flag}=${value}`);
        const { code, stdout, stderr } = await ask(ignition, flags, { IGNITION_CONFIG_FILE: config });
        // On a failure its other stream holds the whole config.
        const bad = stdout.split("\n").filter((line) => /^(?:WARNING|ERR|CRIT)/.test(line));
        // After it has written units of which one is an instance, it asks systemd for its version, and a container has none.
        if (machine.units.some((unit) => /@[^.]/.test(unit.name)) && noSystemd.test(bad.join("\n"))) continue;
        expect(bad.join("\n"), stderr.split("\n")[0]).toBe("");
        expect(code).toBe(0);
      }
      const after = seenIn(root);
      expect(after).toEqual(wantedIn(root, before, machine, fetched));
      rmSync(root, { recursive: true });
    },
  );
});
