import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { NodeName } from "../../src/cluster/cluster.ts";
import { nodeAccess } from "../../src/targets/files/access.ts";
import { temporaryFolder } from "../store/places.ts";

const name = "demo-worker-1" as NodeName;
const host = ["-o", `HostKeyAlias=${name}`, "-o", "StrictHostKeyChecking=accept-new"];
const quietly = ["-o", "BatchMode=yes", "-o", "ConnectTimeout=10"];
let folder: string;
let path: string | undefined;
let remove: () => Promise<void>;

/** An ssh that notes its words, one a line; the machine that it reaches is this one, where sudo is nothing. */
beforeEach(async () => {
  ({ folder, remove } = await temporaryFolder());
  program(
    "ssh",
    `for word; do printf '%s\\n' "$word"; done >'${folder}/words'\nfor line; do :; done\nexec sh -c "$line"`,
  );
  program("sudo", 'shift\nexec "$@"');
  path = process.env["PATH"];
  process.env["PATH"] = `${folder}${delimiter}${path ?? ""}`;
});
afterEach(async () => {
  process.env["PATH"] = path;
  await remove();
});

function program(file: string, text: string): void {
  writeFileSync(join(folder, file), `#!/bin/sh\n${text}\n`);
  chmodSync(join(folder, file), 0o755);
}
const words = (): readonly string[] => readFileSync(join(folder, "words"), "utf8").trimEnd().split("\n");
const as = (user: string) => nodeAccess(async () => ({ user, host: "10.0.0.9", alias: name }), name);

test("a command runs as root with its variables, and ssh is told whose key it is and what is no option", async () => {
  const command = ["sh", "-c", 'echo "$A"; exit 3'] as const;
  expect(await as("debian").exec(command, { environment: { A: "b c" } })).toEqual({
    code: 3,
    stdout: "b c\n",
    stderr: "",
  });
  expect(words().slice(0, -1)).toEqual([...host, ...quietly, "--", "debian@10.0.0.9"]);
  expect(words().at(-1)).toMatch(/^sudo -n env /);
  await as("root").exec(["true"]);
  expect(words().slice(-2)).toEqual(["root@10.0.0.9", "true"]);
});

test("archives go in and out by tar", async () => {
  const access = as("root");
  const [from, to] = [join(folder, "from"), join(folder, "to")];
  for (const place of [from, to]) mkdirSync(place);
  writeFileSync(join(from, "it's"), "hello");
  await access.put(to, await access.get(`${from}/it's`));
  expect(readFileSync(join(to, "it's"), "utf8")).toBe("hello");
  await expect(access.get(`${from}/nothing`)).rejects.toThrow(/^tar .* on demo-worker-1 ended with 2: /);
});

test("a stream to a port and a terminal are reached under the same key", async () => {
  program("ssh", `for word; do printf '%s\\n' "$word"; done >'${folder}/words'\nexec cat`);
  const stream = await as("debian").connect(2379);
  stream.end("echo");
  expect(String(await stream.toArray())).toBe("echo");
  expect(words()).toEqual([...host, ...quietly, "-W", "127.0.0.1:2379", "--", "debian@10.0.0.9"]);
  expect(await as("debian").terminal(["top"])).toEqual(["ssh", ...host, "-t", "--", "debian@10.0.0.9", "top"]);
});

test.each([
  ["a command", (access: ReturnType<typeof as>) => access.exec(["true"])],
  ["an archive", (access: ReturnType<typeof as>) => access.get("/etc/hostname")],
])("%s on a machine that does not answer is an error with what to do", async (_, act) => {
  program("ssh", "echo 'Permission denied (publickey).' >&2\nexit 255");
  await expect(act(as("debian"))).rejects.toMatchObject({
    name: "NotHere",
    message: "ssh does not reach demo-worker-1 as debian: Permission denied (publickey).",
    next: "slipway ssh demo-worker-1",
  });
});
