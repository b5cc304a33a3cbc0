import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { CreateStackCommand } from "@aws-sdk/client-cloudformation";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { NodeName } from "../../../src/cluster/cluster.ts";
import { systemProcesses } from "../../../src/host/processes.ts";
import { cp } from "../../../src/operations/cp.ts";
import { exec } from "../../../src/operations/exec.ts";
import { compiled } from "../scenarios.ts";
import { exampleParameters, rested, storeBucket } from "../stand-in/example.ts";
import { sdkOver } from "../stand-in/sdk.ts";
import { useStandIn } from "../stand-in/started.ts";
import { demo, example, operatorOn } from "./operator.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const started = useStandIn();

/** Programs that note what they are called with; the machine that ssh reaches is this one. */
const programs: Readonly<Record<string, string>> = {
  // What is not an option is the host, and then what the machine's shell is given.
  ssh: `
import { spawnSync } from "node:child_process";
const [, , ...words] = process.argv;
const end = words.indexOf("--");
const [destination, ...remote] = words.slice(end + 1);
const host = destination.slice(destination.indexOf("@") + 1);
const proxy = words.find((word) => word.startsWith("ProxyCommand="));
if (proxy !== undefined) {
  const line = proxy.slice("ProxyCommand=".length).replaceAll("%h", host).replaceAll("%p", "22");
  if (spawnSync("/bin/sh", ["-c", "exec " + line], { stdio: "ignore" }).status !== 0) process.exit(255);
}
const { status } = spawnSync("/bin/sh", ["-c", remote.join(" ")], { stdio: "inherit" });
process.exit(status ?? 255);
`,
  aws: `
import { spawnSync } from "node:child_process";
spawnSync("session-manager-plugin", ["{}", "eu-central-1", "StartSession"], { stdio: "ignore" });
`,
  "session-manager-plugin": "",
  sudo: `
import { spawnSync } from "node:child_process";
const [, , , program, ...words] = process.argv;
const { status } = spawnSync(program, words, { stdio: "inherit" });
process.exit(status ?? 1);
`,
  // What a person wants to run there.
  show: "process.stdout.write(JSON.stringify(process.argv.slice(2)));",
};

let folder: string;
let path: string | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipway-reached-"));
  for (const [name, source] of Object.entries(programs)) {
    const note = `import { appendFileSync } from "node:fs";\nappendFileSync(${JSON.stringify(join(folder, "calls"))}, JSON.stringify([${JSON.stringify(name)}, ...process.argv.slice(2)]) + "\\n");\n`;
    writeFileSync(join(folder, `${name}.mjs`), note + source);
    writeFileSync(join(folder, name), `#!/bin/sh\nexec '${process.execPath}' '${join(folder, `${name}.mjs`)}' "$@"\n`);
    chmodSync(join(folder, name), 0o755);
  }
  path = process.env["PATH"];
  process.env["PATH"] = `${folder}${delimiter}${path ?? ""}`;
});
afterEach(() => {
  process.env["PATH"] = path;
  rmSync(folder, { recursive: true });
});

/** Every call, the program first. */
const calls = (): readonly (readonly string[])[] =>
  readFileSync(join(folder, "calls"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as string[]);
const called = (name: string): readonly (readonly string[])[] => calls().filter(([program]) => program === name);

/** The stack of the example, with nodes that say no more than that they are there. */
async function cluster(...changes: readonly (readonly [string, string])[]): Promise<string> {
  const { standIn } = started;
  const client = standIn.client();
  const { s3, cloudformation } = sdkOver(client);
  const CreateBucketConfiguration = { LocationConstraint: "eu-central-1" as const };
  await s3.send(new CreateBucketCommand({ Bucket: storeBucket, CreateBucketConfiguration }));
  const { StackId = "" } = await cloudformation.send(
    new CreateStackCommand({
      StackName: "demo",
      TemplateBody: compiled(example(["count: 3", "count: 1"], ...changes)).text,
      Parameters: [...exampleParameters],
      Capabilities: ["CAPABILITY_IAM"],
      Tags: [{ Key: "slipway.cluster", Value: "demo" }],
    }),
  );
  expect(await rested(standIn, StackId, client)).toBe("CREATE_COMPLETE");
  const control = [...standIn.place().ec2.instances.all.values()].find(
    ({ tags }) => tags["slipway.node"] !== undefined,
  );
  return control?.id ?? "";
}

const node = "demo-control-1" as NodeName;
/** What a shell would make something of. */
const hostile = [
  "a b",
  "$(touch PWNED)",
  "`touch PWNED`",
  "; touch PWNED",
  "'\"",
  "-oProxyCommand=x",
  "%h",
  "a\nb",
  "$HOME",
  "*",
];

test("through Systems Manager, where no port is open: words stay words, files arrive, and no name reaches a shell", async () => {
  const id = await cluster();
  const { context } = operatorOn(started.standIn);
  const said = await context.target.node(node, demo).exec(["show", ...hostile]);
  expect(JSON.parse(said.stdout)).toEqual(hostile);
  expect(called("aws")).toEqual([
    [
      "aws",
      ...["ssm", "start-session", "--region", "eu-central-1", "--target", id],
      ...["--document-name", "AWS-StartSSHSession", "--parameters", "portNumber=22"],
    ],
  ]);
  expect(called("session-manager-plugin")).toHaveLength(1);
  const [ssh = []] = called("ssh");
  expect(ssh.slice(0, -1)).toEqual([
    "ssh",
    ...["-o", `HostKeyAlias=demo-control-1.${id}`, "-o", "StrictHostKeyChecking=accept-new"],
    "-o",
    "ProxyCommand=aws ssm start-session --region eu-central-1 --target %h --document-name AWS-StartSSHSession --parameters portNumber=%p",
    ...["-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "--", `core@${id}`],
  ]);
  expect(called("sudo")[0]).toEqual(["sudo", "-n", "show", ...hostile]);

  // The verbs, over the same way.
  const heard: string[] = [];
  const output = (_: NodeName, stream: string, chunk: Uint8Array) => {
    if (stream === "stdout") heard.push(new TextDecoder().decode(chunk));
  };
  const { code } = await exec(context, { cluster: demo, nodes: [node], command: ["show", ...hostile], output });
  expect(code).toBe(0);
  expect(JSON.parse(heard.join(""))).toEqual(hostile);
  const place = join(folder, "there; touch PWNED");
  mkdirSync(place);
  const from = join(folder, "motd $(touch PWNED)");
  writeFileSync(from, "hello\n");
  await cp(
    { ...context, processes: systemProcesses, readFile: async (path) => readFileSync(path) },
    { cluster: demo, from, to: `${node}:${place}/motd` },
  );
  expect(readFileSync(join(place, "motd"), "utf8")).toBe("hello\n");
  expect(existsSync("PWNED") || existsSync(join(folder, "PWNED")) || existsSync(join(place, "PWNED"))).toBe(false);

  // A terminal, which a person's own ssh opens.
  const words = await context.target.node(node, demo).terminal(["show", "a b"]);
  expect(words.slice(-4)).toEqual(["-t", "--", `core@${id}`, "show 'a b'"]);
});

test("by plain ssh, where the file opens the port; who cannot be reached is an error with what to do", async () => {
  await cluster(["allow_services_from: 0.0.0.0/0", "allow_ssh_from: 198.51.100.0/24"]);
  const { context } = operatorOn(started.standIn);
  const instance = [...started.standIn.place().ec2.instances.all.values()].find(
    ({ tags }) => tags["slipway.node"] === node,
  );
  const said = await context.target.node(node, demo).exec(["show", ...hostile]);
  expect(JSON.parse(said.stdout)).toEqual(hostile);
  expect(called("aws")).toEqual([]);
  const [ssh = []] = called("ssh");
  expect(ssh.filter((word) => word.startsWith("ProxyCommand"))).toEqual([]);
  expect(ssh.at(-2)).toMatch(/^core@\d+\.\d+\.\d+\.\d+$/);
  expect(ssh.at(-2)).not.toBe(`core@${instance?.privateAddress ?? ""}`);

  writeFileSync(join(folder, "ssh"), "#!/bin/sh\necho 'Permission denied (publickey).' >&2\nexit 255\n");
  await expect(context.target.node(node, demo).exec(["true"])).rejects.toMatchObject({
    message: "ssh does not reach demo-control-1 as core: Permission denied (publickey).",
    next: "aws: { allow_ssh_from: …, key_pair: … } in the file, or the session manager's plugin of the aws command",
  });
});
