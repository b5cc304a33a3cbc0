import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  clearAway,
  cleanUp,
  clusterFile,
  docker,
  inNode,
  program,
  shell,
  slipway,
  status,
  untilTrue,
} from "./harness.ts";
import { type Writer, writer } from "./writer.ts";

const name = "fault";
const controls = [1, 2, 3].map((n) => `${name}-control-${n}`);
const worker = `${name}-worker-1`;
const small = `${name}-small-1`;
const gateway = `${name}-gateway`;
const file = clusterFile("");
const write = (more = "") =>
  file.write(`name: ${name}
groups:
  control: { role: control, count: 3 }
  worker: { count: 1 }
${more}`);

async function launches(): Promise<void> {
  const { code, stdout, stderr } = await slipway(["launch", file.path, "--yes"]);
  expect(code, `${stdout}\n${stderr}`).toBe(0);
}
const kill = (nodes: readonly string[]) => docker("kill", ...nodes);
const start = (nodes: readonly string[]) => docker("start", ...nodes);

/** The gateway's own end of the store, asked in its container. */
const asksStore = `ask() { curl --silent --fail --unix-socket /run/slipway/operator.sock "http://store/v1/$1"; }`;
const stored = async (prefix: string): Promise<readonly string[]> => {
  const found: readonly [key: string, version: string][] = JSON.parse(
    await shell(gateway, `${asksStore}; ask 'list?prefix=${prefix}'`),
  );
  return found.map(([key]) => key);
};
async function record(key: string): Promise<Record<string, unknown>> {
  return JSON.parse(await shell(gateway, `${asksStore}; ask records/${key}`));
}
/** Comes back when the store has a key of this pattern: soon after, not at the next look of a test. */
const appears = (pattern: string) =>
  shell(
    gateway,
    `${asksStore}; for i in $(seq 3000); do ask 'list?prefix=' | grep -qE '${pattern}' && exit 0; sleep 0.01; done; exit 1`,
  );

/** Kills the engine of a node as soon as it has the managers' log, but before it is one of them. */
const tornWhenItJoins = (node: string) =>
  shell(
    node,
    "until set -- /var/lib/docker/swarm/raft/wal-v3-encrypted/*.wal && test -e $1; do sleep 0.01; done; systemctl kill --signal=KILL docker",
    { timeout: 180_000 },
  );

/** Commands on a volume, in a container that is gone afterwards. */
const onVolume = (volume: string, line: string) =>
  docker("run", "--rm", "--network=none", "--volume", `${volume}:/data`, "demo/hello", "sh", "-c", line);
const wipe = (node: string) => onVolume(`${node}-data`, "rm -rf /data/etcd");

type Member = { readonly name: string; readonly id: string; readonly state: string };
/** All nodes ready, three voters; gives the members. */
async function whole(deadline = 90_000): Promise<readonly Member[]> {
  return untilTrue(
    "three voters, all nodes ready",
    async () => {
      const seen = await status(name);
      const { members } = seen.etcd;
      const well =
        seen.state === "ready" && members.length === 3 && members.every((member) => member.state === "voter");
      if (!well) throw new Error(JSON.stringify(seen, undefined, 1));
      return members;
    },
    deadline,
  );
}
const idOf = (members: readonly Member[], node: string) => members.find((member) => member.name === node)?.id;
/** Every cluster id that any node ever saw etcd or Swarm have: one each, or something was founded twice. */
async function clusterIds(): Promise<{ readonly etcd: ReadonlySet<unknown>; readonly swarm: ReadonlySet<unknown> }> {
  const keys = await stored("formation/");
  const joined = await Promise.all(keys.filter((key) => key.includes("/etcd/joined/")).map(record));
  const swarms = await Promise.all(keys.filter((key) => /\/swarm\/(claim|cluster)$/.test(key)).map(record));
  const seen = await Promise.all(controls.map((node) => shell(node, "docker info --format '{{.Swarm.Cluster.ID}}'")));
  const etcd = await Promise.all(
    controls.map((node) => shell(node, `etcdctl member list -w fields | sed -n 's/^"ClusterID" : //p'`)),
  );
  return {
    etcd: new Set([...joined.map(({ clusterId }) => clusterId), ...etcd.map((id) => BigInt(id).toString(16))]),
    swarm: new Set([...swarms.map(({ clusterId }) => clusterId), ...seen]),
  };
}
const swarmNodes = async () =>
  (await shell(controls[0] ?? "", "docker node ls --format '{{.ID}} {{.Hostname}} {{.Status}}'"))
    .split("\n")
    .toSorted();

let writes: Writer | undefined;
const moreWrites = () => writes?.more();

beforeAll(async () => {
  await clearAway(name);
  write();
});
afterAll(async () => {
  await writes?.stop();
  await cleanUp(name);
  file.remove();
});

test("all control nodes killed between the steps of formation, and the one that claimed the swarm: one cluster forms", async () => {
  const child = spawn(process.execPath, [program, "launch", file.path, "--yes"], { stdio: "ignore" });
  const ended = once(child, "close");
  const again = async () => {
    await kill(controls);
    await start(controls);
  };
  await untilTrue(
    "the control nodes run",
    async () =>
      (
        await docker(
          "ps",
          "--quiet",
          "--filter",
          `label=slipway.cluster=${name}`,
          "--filter",
          "label=slipway.role=control",
        )
      ).split("\n").length === 3,
    60_000,
  );
  await again();
  await appears("etcd/proposal");
  await again();
  await appears("etcd/claims/.*etcd/claims/.*etcd/claims/");
  await again();
  await appears("swarm/claim");
  const claim = (await stored("formation/")).find((key) => key.endsWith("swarm/claim")) ?? "";
  const { instance } = await record(claim);
  const claimer = (
    await docker("ps", "--format", "{{.Names}}", "--filter", `label=slipway.instance=${String(instance)}`)
  ).trim();
  await kill([claimer]);
  await start([claimer]);
  // The managers count the second one already, and its engine cannot go on without a leader: neither has a quorum.
  await Promise.any(controls.filter((node) => node !== claimer).map(tornWhenItJoins));
  await again();
  // It may have looked just when a node was down, and have said so; the same command completes.
  await ended;
  await launches();
  await whole();
  writes = await writer(name, "/faults/");
  const { etcd, swarm } = await clusterIds();
  expect([etcd.size, swarm.size]).toEqual([1, 1]);
  // A leader that was elected just now calls the others Unknown until it has heard from them.
  await untilTrue(
    "all swarm nodes are ready",
    async () => (await swarmNodes()).every((line) => line.endsWith(" Ready")),
    60_000,
  );
  expect((await swarmNodes()).map((line) => line.split(" ")[1]).toSorted()).toEqual([...controls, worker]);
});

test("the leader's container is removed with its data kept: launch brings the same member back", async () => {
  const before = await whole();
  const { leader } = (await status(name)).etcd;
  await docker("rm", "--force", leader);
  await moreWrites();
  await launches();
  expect(idOf(await whole(), leader)).toBe(idOf(before, leader));
});

test("the leader's container and data are removed: launch puts another member in its place", async () => {
  const before = await whole();
  const { leader } = (await status(name)).etcd;
  await docker("rm", "--force", leader);
  await docker("volume", "rm", `${leader}-data`, `${leader}-docker`);
  await launches();
  const after = await whole();
  expect(idOf(after, leader)).not.toBe(idOf(before, leader));
  expect((await swarmNodes()).length).toBe(4);
});

test("etcd's data of one member is wiped: it comes back by itself as a learner, then as a voter", async () => {
  const before = await whole();
  const node = controls[1] ?? "";
  await kill([node]);
  await wipe(node);
  await start([node]);
  const after = await untilTrue(
    "another member of that name",
    async () => {
      const members = await whole();
      return idOf(members, node) === idOf(before, node) ? undefined : members;
    },
    90_000,
  );
  expect(after.length).toBe(3);
});

test("two of three wiped: nothing is founded anew, status and doctor say why, and their data brings the cluster back", async () => {
  await whole();
  const two = controls.slice(1);
  await kill(two);
  for (const node of two) await onVolume(`${node}-data`, "mv /data/etcd /data/kept");
  await start(two);
  const reasons = await untilTrue(
    "both say why they wait",
    async () => {
      const { nodes } = await status(name);
      const found = nodes.filter(
        (node) => two.includes(node.name) && /nothing is founded anew/.test(node.reason ?? ""),
      );
      return found.length === 2 ? found.map((node) => node.reason ?? "") : undefined;
    },
    60_000,
  );
  expect(reasons.join("\n")).toMatch(/run slipway doctor, then slipway restore/);
  const doctor = await slipway(["doctor", name]);
  expect(doctor.stdout).toMatch(/etcd.*no quorum/s);
  for (const node of two)
    expect((await inNode(node, ["test", "-e", "/var/lib/slipway/etcd/member"])).code, node).toBe(1);

  await kill(two);
  for (const node of two) await onVolume(`${node}-data`, "rm -rf /data/etcd; mv /data/kept /data/etcd");
  await start(two);
  await whole();
  expect((await clusterIds()).etcd.size).toBe(1);
  await moreWrites();
});

test("the store's container is killed and restarted: the cluster goes on, and all speak to it again", async () => {
  await kill([gateway]);
  await moreWrites();
  const { state } = await status(name);
  expect(state).not.toBe("ready");
  await start([gateway]);
  await whole();
  await docker("restart", gateway);
  await whole();
  const plan = await slipway(["plan", file.path, "--exit-code"]);
  expect(plan.code, plan.stdout + plan.stderr).toBe(0);
  expect(plan.stderr).not.toContain("was not seen fresh");
});

test("a node that is cut off when it boots waits and says why; with the network back it is the same swarm node", async () => {
  const before = await swarmNodes();
  const address = await docker(
    "inspect",
    "--format",
    `{{(index .NetworkSettings.Networks "${name}").IPAddress}}`,
    worker,
  );
  await docker("stop", worker);
  await docker("network", "disconnect", name, worker);
  await start([worker]);
  await untilTrue(
    "its agent says why it waits",
    async () => /bootstrap: .*UNREACH/.test(await shell(worker, "journalctl --no-pager --boot --unit slipway-agent")),
    60_000,
  );
  await docker("network", "connect", "--ip", address, name, worker);
  await untilTrue(
    "it is ready",
    async () => (await shell(worker, "journalctl --no-pager --boot --unit slipway-agent")).includes("ready"),
    90_000,
  );
  await docker("restart", worker);
  await untilTrue(
    "all swarm nodes are ready",
    async () => (await swarmNodes()).every((line) => line.endsWith("Ready")),
    60_000,
  );
  expect(await swarmNodes()).toEqual(before);
  await whole();
});

test("a full disk is named, and the node recovers when there is room", async () => {
  // The node finds its volume made, of a size that can be filled.
  const labels = [`slipway.cluster=${name}`, `slipway.node=${small}`, "slipway.part=data"].flatMap((label) => [
    "--label",
    label,
  ]);
  await docker(
    "volume",
    "create",
    "--driver=local",
    "--opt=type=tmpfs",
    "--opt=device=tmpfs",
    "--opt=o=size=150m",
    ...labels,
    `${small}-data`,
  );
  write("  small: { count: 1 }\n");
  await launches();
  await shell(small, "dd if=/dev/zero of=/var/lib/slipway/fill bs=1M 2>/dev/null || true");
  const reason = await untilTrue(
    "its reason names the disk",
    async () => {
      const node = (await status(name)).nodes.find((one) => one.name === small);
      return node?.state === "failed" && node.phase === "disk" ? node.reason : undefined;
    },
    60_000,
  );
  expect(reason).toContain("/var/lib/slipway");
  expect((await slipway(["doctor", name])).stdout).toMatch(/\/var\/lib\/slipway/);

  write("  small: { count: 1, files: [{ path: /etc/fault.conf, content: applied }] }\n");
  const full = await slipway(["launch", file.path, "--yes"]);
  expect(full.code).toBe(1);
  expect(full.stderr).toContain("/var/lib/slipway");
  await shell(small, "rm /var/lib/slipway/fill");
  await launches();
  expect(await shell(small, "cat /etc/fault.conf")).toBe("applied");
  write();
  await launches();
});

test("all nodes stopped and started, and every acknowledged write is there", async () => {
  const stop = await slipway(["stop", name, "--yes"]);
  expect(stop.code, stop.stderr).toBe(0);
  const started = await slipway(["start", name]);
  expect(started.code, started.stderr).toBe(0);
  await whole();
  await moreWrites();
  await writes?.stop();
  const acked = writes?.acked ?? [];
  expect(acked.length).toBeGreaterThan(30);
  for (const node of controls) {
    const { stdout } = await inNode(node, ["etcdctl", "get", "--prefix", "/faults/", "--print-value-only"]);
    const values = new Set(stdout.split("\n"));
    expect(
      acked.filter((n) => !values.has(`value ${n}`)),
      node,
    ).toEqual([]);
  }
  const { etcd, swarm } = await clusterIds();
  expect([etcd.size, swarm.size]).toEqual([1, 1]);
  expect((await swarmNodes()).length).toBe(4);
});
