import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { etcdRelease } from "../../src/components/etcd/release.ts";
import { systemProcesses } from "../../src/host/processes.ts";
import type { Status } from "../../src/operations/status-shape.ts";
import { detectRights } from "../../src/targets/docker/capabilities.ts";
import { cloudImage, seedFolder } from "./cloud-image.ts";
import { clearAway, docker, inNode, program, shell, slipway, succeeds, untilTrue } from "./harness.ts";

// Bare containers that get nothing but user data, and a store that is served on the machine beside them.
const name = "handed";
const label = `slipway.cluster=${name}`;
const address = "10.213.10.1";
const listen = `${address}:7443`;
/** The worker that boots by cloud-init. */
const cloud = `${name}-bare-4`;
const folder = mkdtempSync(join(tmpdir(), "slipway-files-"));
const data = join(folder, "data");
const out = join(folder, "out");
const here = { directory: folder };
let server: ChildProcess | undefined;
let served = "";

function serve(): void {
  server = spawn(process.execPath, [program, "store", "serve", "--data", data, "--listen", listen]);
  for (const stream of [server.stdout, server.stderr])
    stream?.on("data", (text: Buffer) => (served += text.toString("utf8")));
}

/** A key for this test alone; its public half. */
function publicKey(): string {
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", join(folder, "key")]);
  return readFileSync(join(folder, "key.pub"), "utf8").trim();
}

/** A PATH whose ssh is the system's with a key, a configuration and known hosts of this test: nobody's own are touched. */
function ownSsh(): string {
  const bin = mkdtempSync(join(folder, "ssh-"));
  const real = execFileSync("sh", ["-c", "command -v ssh"]).toString().trim();
  writeFileSync(
    join(folder, "ssh-config"),
    `Host *\n  IdentityFile ${join(folder, "key")}\n  IdentitiesOnly yes\n  UserKnownHostsFile ${join(folder, "known")}\n`,
  );
  writeFileSync(join(bin, "ssh"), `#!/bin/sh\nexec ${real} -F ${join(folder, "ssh-config")} "$@"\n`, { mode: 0o755 });
  return `${bin}:${process.env["PATH"] ?? ""}`;
}

async function stopServing(): Promise<number | null> {
  const child = server;
  server = undefined;
  if (child === undefined) return null;
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  return ended;
}

async function statusHere(): Promise<Status> {
  const read: Status = JSON.parse(await succeeds(["status", name, "--json"], here));
  return read;
}

/** The swarm's nodes by our names for them, and their state, sorted. */
async function swarmNodes(): Promise<readonly string[]> {
  const manager = `${name}-bare-1`;
  const byInstance = new Map((await statusHere()).nodes.map((node) => [node.instance, node.name]));
  const ids = (await shell(manager, "docker node ls -q")).split("\n");
  const format = '{{index .Spec.Labels "slipway.instance"}} {{.Status.State}}';
  const lines = (await shell(manager, `docker node inspect -f '${format}' ${ids.join(" ")}`)).split("\n");
  return lines
    .map((line) => {
      const [instance = "", state = ""] = line.split(" ");
      return `${byInstance.get(instance) ?? instance} ${state.replace(/^r/, "R")}`;
    })
    .toSorted();
}

/** The agent on a machine has ended, and systemd does not start it again. */
async function agentEnded(container: string): Promise<void> {
  await untilTrue(
    "its agent has ended",
    async () => (await inNode(container, ["systemctl", "is-active", "slipway-agent"])).stdout.trim() === "inactive",
    30_000,
  );
}

type CloudConfig = {
  readonly write_files: readonly { readonly path: string; readonly permissions: string; readonly content: string }[];
  readonly runcmd: readonly (readonly string[])[];
};

/** A container with systemd and nothing of ours in it, as a provider makes a machine: not started yet. */
async function create(container: string, image: string): Promise<void> {
  const rights = await detectRights({ image, processes: systemProcesses });
  const allowed =
    rights.kind === "privileged"
      ? ["--privileged"]
      : [
          ...rights.add.flatMap((one) => ["--cap-add", one]),
          ...["seccomp=unconfined", "apparmor=unconfined", "systempaths=unconfined"].flatMap((one) => [
            "--security-opt",
            one,
          ]),
          ...["--device-cgroup-rule", "a *:* rwm"],
        ];
  const volumes = ["/var/lib/slipway", "/var/lib/docker"].flatMap((path) => ["--volume", path]);
  const rooms = ["--tmpfs", "/run", "--tmpfs", "/tmp", "--cgroupns", "private", ...volumes];
  const which = ["--name", container, "--hostname", container, "--label", label, "--network", name];
  const how = ["--env", "container=docker", "--stop-signal", "SIGRTMIN+3"];
  await docker("create", ...which, ...how, ...rooms, ...allowed, image);
}

/** A machine that has booted without user data, and then what cloud-init makes of it: the files and the commands. */
async function machine(container: string, userData: string): Promise<void> {
  await create(container, (await slipway(["image", "--on", "docker"])).stdout.trim());
  await docker("start", container);
  await untilTrue(
    `${container} has booted`,
    async () => /running|degraded/.test((await inNode(container, ["systemctl", "is-system-running"])).stdout),
    60_000,
  );
  // The image brings etcd; the mark spares this test the way to its publisher.
  await shell(container, `echo ${etcdRelease.version} >/usr/local/bin/.slipway-etcd`);
  const { write_files: files, runcmd: commands }: CloudConfig = parse(userData);
  for (const { path, permissions, content } of files)
    await shell(container, `mkdir -p "$(dirname ${path})" && cat >${path} && chmod ${permissions} ${path}`, {
      input: content,
    });
  for (const command of commands) expect((await inNode(container, command)).code, command.join(" ")).toBe(0);
}

/** A machine that boots with user data which its own, real cloud-init reads; nobody else does anything to it. */
async function cloudMachine(container: string, userData: string): Promise<void> {
  await create(container, await cloudImage());
  const seed = join(folder, container, seedFolder);
  mkdirSync(seed, { recursive: true });
  writeFileSync(join(seed, "user-data"), userData);
  writeFileSync(join(seed, "meta-data"), `instance-id: ${container}\n`);
  await docker("cp", join(folder, container, "var"), `${container}:/`);
  await docker("start", container);
}

beforeAll(async () => {
  await clearAway(name);
  await docker("network", "create", "--subnet", "10.213.10.0/24", "--label", label, name);
  writeFileSync(
    join(folder, "cluster.yml"),
    `name: ${name}
target: files
os: debian
groups:
  control: { role: control, count: 3 }
  worker:
    count: 1
    users: [{ name: ops, keys: ["${publicKey()}"] }]
    files: [{ path: /etc/sudoers.d/ops, mode: "0440", content: "ops ALL=(ALL) NOPASSWD: ALL\\n" }]
files: { store: "https://${listen}", data: ${data}, user: ops }
`,
  );
}, 120_000);

afterAll(async () => {
  await stopServing();
  await clearAway(name);
  rmSync(folder, { recursive: true, force: true });
}, 120_000);

test("a launch without a store says how to serve one", async () => {
  const { code, stderr } = await slipway(["launch", "-o", out, "--yes"], here);
  expect(code).toBe(1);
  expect(stderr).toContain(`next: slipway store serve --data ${data} --listen ${listen}`);
});

test("machines that only get user data form the cluster", async () => {
  serve();
  await untilTrue("the store is served", async () => served.includes("for the operator at"), 20_000);
  const said = await succeeds(["launch", "-o", out, "--yes"], here);
  expect(said).toContain("control: start 3");
  expect(said).toContain("worker: start 1");
  expect(statSync(out).mode & 0o777).toBe(0o700);
  for (const group of ["control", "worker"]) expect(statSync(join(out, `${group}.token`)).mode & 0o777).toBe(0o600);
  const before = readFileSync(join(out, "worker.token"), "utf8");

  const userData = (group: string) => readFileSync(join(out, `${group}.cloud-init`), "utf8");
  await Promise.all(
    [1, 2, 3]
      .map((n) => machine(`${name}-bare-${n}`, userData("control")))
      .concat(cloudMachine(cloud, userData("worker"))),
  );
  const status = await untilTrue(
    "the cluster is ready",
    async () => {
      const now = await statusHere();
      return now.state === "ready" && now.nodes.length === 4 ? now : undefined;
    },
    180_000,
  );
  expect(status.nodes.map((node) => node.name)).toEqual([
    `${name}-control-1`,
    `${name}-control-2`,
    `${name}-control-3`,
    `${name}-worker-1`,
  ]);
  expect(status.etcd.members.map(({ state }) => state)).toEqual(["voter", "voter", "voter"]);
  // The leader labels a node once that node has said which one it is.
  await expect.poll(swarmNodes, { timeout: 30_000 }).toEqual(status.nodes.map((node) => `${node.name} Ready`));

  // What a launch wrote can be printed again: the store says all but the token.
  const given = ["--token", readFileSync(join(out, "worker.token"), "utf8").trim()];
  const printed = await slipway(["render", "--group", "worker", ...given], here);
  expect(printed.stdout.trimEnd()).toBe(userData("worker").trimEnd());
  expect(printed.stderr).not.toContain("placeholder");

  // All are there: the same command now ends as any launch does, and no token is made again.
  expect(await succeeds(["launch", "-o", out, "--yes"], here)).toContain("worker: all 1 are there");
  expect(readFileSync(join(out, "worker.token"), "utf8")).toBe(before);
}, 400_000);

test("the one that booted by real cloud-init is a worker like any other", async () => {
  const said = await untilTrue(
    "cloud-init is done",
    async () =>
      /^status: (?:done|error)[^]*/m.exec((await inNode(cloud, ["cloud-init", "status", "--long"])).stdout)?.[0],
    60_000,
  );
  expect(said).toMatch(/^status: done$/m);
  expect(await shell(cloud, "grep -E 'WARNING|ERROR|CRITICAL' /var/log/cloud-init.log || true")).toBe("");
  const worker = (await statusHere()).nodes.find((node) => node.name === `${name}-worker-1`);
  expect(worker).toMatchObject({ state: "ready", phase: "ready", role: "worker", group: "worker" });
  expect(await shell(cloud, "hostname -I")).toContain(worker?.address);
  expect(await shell(cloud, "docker info -f '{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}}'")).toBe(
    "active false",
  );
  expect((await inNode(cloud, ["systemctl", "is-active", "etcd.service"])).stdout.trim()).toBe("inactive");
  expect(await shell(cloud, "stat -c '%a %U' /etc/slipway/token /var/lib/slipway/identity.json")).toBe(
    "600 root\n600 root",
  );
  // The name that it was given, where the kernel of this container lets it be set.
  expect([cloud, `${name}-worker-1`]).toContain(await shell(cloud, "hostname"));
}, 120_000);

test("exec and cp reach a node by the system's own ssh, as the user that the file names", async () => {
  const node = `${name}-worker-1`;
  await untilTrue("its configuration is applied", async () => (await inNode(cloud, ["id", "ops"])).code === 0, 60_000);
  // The image for nodes on Docker keeps ssh closed, and users out; a provider's has it open.
  await shell(
    cloud,
    "systemctl unmask ssh.service && ssh-keygen -A >/dev/null && systemctl start ssh.service && rm -f /run/nologin",
  );
  const far = { ...here, environment: { PATH: ownSsh() } };
  expect((await succeeds(["exec", node, "--", "id", "-un"], far)).trim()).toBe("root");
  // Not split, expanded or ended by any shell on the way.
  const odd = `a 'quoted' "word"; $HOME \\ *`;
  expect(await succeeds(["exec", node, "--", "printf", "%s", odd], far)).toContain(odd);
  expect((await slipway(["exec", node, "--", "sh", "-c", "exit 7"], far)).code).toBe(7);
  writeFileSync(join(folder, "note"), "carried\n");
  await succeeds(["cp", join(folder, "note"), `${node}:/root/note`], far);
  expect(await shell(cloud, "cat /root/note")).toBe("carried");
  await succeeds(["cp", `${node}:/root/note`, join(folder, "back")], far);
  expect(readFileSync(join(folder, "back"), "utf8")).toBe("carried\n");
});

test("a store on another machine is reached through the system's ssh and `slipway store connect`", async () => {
  const there = `${name}-store`;
  const image = await cloudImage();
  // The store's machine to whoever comes by ssh: its data, and a slipway to run.
  const folders = [folder, dirname(process.execPath), dirname(program)].flatMap((path) => [
    "--volume",
    `${path}:${path}`,
  ]);
  const which = ["--name", there, "--label", label, "--network", name, ...folders];
  await docker("run", "--detach", ...which, "--entrypoint", "sleep", image, "infinity");
  await shell(there, "ssh-keygen -A >/dev/null && mkdir -p -m 0755 /run/sshd && mkdir -p -m 0700 /root/.ssh");
  await shell(there, "cat >/root/.ssh/authorized_keys", { input: readFileSync(join(folder, "key.pub"), "utf8") });
  const script = `#!/bin/sh\nexec ${process.execPath} ${program} "$@"\n`;
  await shell(there, "cat >/usr/local/bin/slipway && chmod 0755 /usr/local/bin/slipway", { input: script });
  await shell(there, "/usr/sbin/sshd");
  const at = await shell(there, "hostname -i");
  const file = readFileSync(join(folder, "cluster.yml"), "utf8").replace(`data: ${data}`, `data: ${data}, ssh: ${at}`);
  const directory = mkdtempSync(join(folder, "far-"));
  writeFileSync(join(directory, "cluster.yml"), file);
  const far = { directory, environment: { PATH: ownSsh() } };

  // Nobody is there to say yes to a key that was never seen.
  const unknown = await slipway(["status"], far);
  expect([unknown.code, unknown.stderr]).toEqual([
    1,
    expect.stringMatching(/ssh does not reach .*Host key verification failed[^]*next: ssh /),
  ]);
  const hostKey = await shell(there, "cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub");
  appendFileSync(join(folder, "known"), `${at} ${hostKey}\n`);
  const read: Status = JSON.parse(await succeeds(["status", "--json"], far));
  expect(read).toEqual({ ...(await statusHere()), nodes: read.nodes });
  expect(read.nodes.map(({ name: node, state }) => `${node} ${state}`)).toEqual(
    (await statusHere()).nodes.map(({ name: node, state }) => `${node} ${state}`),
  );
  // A change through it: a token is made and taken back.
  const made: { id: string } = JSON.parse(await succeeds(["store", "token", "create", "worker", "--json"], far));
  await succeeds(["store", "token", "revoke", made.id], far);
  expect(await succeeds(["store", "token", "list"], here)).toContain(made.id);
  await docker("rm", "--force", "--volumes", there);
}, 120_000);

test("a machine with a revoked token is refused, and status and its own journal say so", async () => {
  const made: { id: string; token: string } = JSON.parse(
    await succeeds(["store", "token", "create", "worker", "--uses", "2", "--json"], here),
  );
  await succeeds(["store", "token", "revoke", made.id], here);
  const old = readFileSync(join(out, "worker.token"), "utf8").trim();
  const userData = readFileSync(join(out, "worker.cloud-init"), "utf8").replace(old, made.token);
  await machine(`${name}-bare-5`, userData);
  const refused = await untilTrue("it is refused", async () => (await statusHere()).refused, 60_000);
  expect(refused).toMatchObject([{ reason: `the join token ${made.id} is revoked` }]);
  const { stdout } = await slipway(["doctor", name], here);
  expect(stdout).toContain(`the join token ${made.id} is revoked`);
  const journal = await shell(`${name}-bare-5`, "journalctl --unit slipway-agent --output cat --no-pager");
  expect(journal).toContain(`join: the store answered 403 forbidden: the join token ${made.id} is revoked`);
  // It goes on asking, and says so once.
  expect(journal.split("is revoked")).toHaveLength(2);

  // With a good one it comes in, under another identity.
  const good = (await succeeds(["store", "token", "create", "worker"], here)).trim();
  await shell(`${name}-bare-5`, "cat >/etc/slipway/token && systemctl restart slipway-agent", { input: `${good}\n` });
  await untilTrue(
    "it is a node",
    async () => (await statusHere()).nodes.some((node) => node.name === `${name}-worker-2` && node.state === "ready"),
    120_000,
  );
  expect((await statusHere()).refused).toBeUndefined();
}, 300_000);

test("a copy of a node's disk in another machine is nobody", async () => {
  const copied = `${name}-bare-5`;
  await shell(copied, "systemctl stop slipway-agent && cp /etc/machine-id /root/own-id");
  await shell(copied, `echo ${"0123456789abcdef".repeat(2)} >/etc/machine-id && systemctl start slipway-agent`);
  await agentEnded(copied);
  await shell(copied, "cat /root/own-id >/etc/machine-id && systemctl start slipway-agent");
  const journal = () => shell(copied, "journalctl --unit slipway-agent --output cat --no-pager");
  expect(await journal()).toContain(`join: this disk is that of another machine, which is i-`);
  // On its own machine it is the node that it was.
  await untilTrue("it is ready", async () => /(?:^|\n)ready$/.test(await journal()), 60_000);
  expect((await statusHere()).nodes).toHaveLength(5);
}, 120_000);

test("the store's server may end and come back", async () => {
  expect(await stopServing()).toBe(0);
  const { code, stderr } = await slipway(["status", name], here);
  expect(code).toBe(1);
  expect(stderr).toContain("slipway store serve");
  serve();
  await untilTrue("it is ready again", async () => (await statusHere()).state === "ready", 60_000);
}, 120_000);

test("a node leaves by remove, and cleanup leaves nothing in the store", async () => {
  await succeeds(["remove", `${name}-worker-1`, "--yes"], here);
  expect((await statusHere()).nodes.map((node) => node.name)).not.toContain(`${name}-worker-1`);
  const staying = [...[1, 2, 3].map((n) => `${name}-control-${n} Ready`), `${name}-worker-2 Ready`];
  expect(await swarmNodes()).toEqual(staying);
  // The store knows its machine no more, and its agent has ended: also when it is started again, as by a reboot.
  await agentEnded(cloud);
  const end = "systemctl show slipway-agent --property Result,ExecMainStatus,SubState";
  expect((await shell(cloud, end)).split("\n").toSorted()).toEqual([
    "ExecMainStatus=90",
    "Result=success",
    "SubState=dead",
  ]);
  await shell(cloud, "systemctl start slipway-agent");
  await agentEnded(cloud);
  expect(await shell(cloud, "journalctl --unit slipway-agent --output cat --no-pager")).toContain(
    "left: this machine has left its cluster for good",
  );
  expect(await succeeds(["cleanup", name, "--yes"], here)).toContain(`nothing is left of ${name}`);
  expect((await statusHere()).state).toBe("absent");
}, 200_000);
