import { afterAll, beforeAll, expect, test } from "vitest";
import {
  cleanUp,
  clearAway,
  type ClusterFile,
  clusterFile,
  docker,
  inNode,
  shell,
  status,
  succeeds,
  untilTrue,
} from "./harness.ts";

const name = "share";
const worker = "share-worker-1";
const pki = "/var/lib/slipway/pki";
const text = (etcd: string): string => `name: ${name}
orchestrator: none
groups:
  control: { role: control, count: 3 }
  worker: { count: 1 }
${etcd}
`;
let file: ClusterFile;

async function launch(etcd: string): Promise<void> {
  file.write(text(etcd));
  await succeeds(["launch", file.path, "--yes"]);
}
const etcdctl = (node: string, ...words: readonly string[]) =>
  inNode(node, ["etcdctl", "--command-timeout=5s", ...words]);
/** What etcd says no to, in its own words; `settings` go before what the node's environment has. */
async function refused(words: readonly string[], settings: readonly string[] = []): Promise<void> {
  const { code, stderr } = await inNode(worker, ["env", ...settings, "etcdctl", "--command-timeout=5s", ...words]);
  expect(`${code} ${stderr}`, words.join(" ")).toMatch(/^[1-9][\s\S]*etcdserver: permission denied/);
}
async function reads(node: string, key: string): Promise<string> {
  const { code, stdout, stderr } = await etcdctl(node, "get", "--print-value-only", key);
  expect(`${code} ${stderr}`).toBe("0 ");
  return stdout.trimEnd();
}
async function writes(node: string, key: string, value: string): Promise<void> {
  const { stdout, stderr } = await etcdctl(node, "put", key, value);
  expect(`${stdout}${stderr}`).toBe("OK\n");
}
const found = (node: string, pattern: string): Promise<string> => shell(node, `ls -d ${pattern} 2>/dev/null || true`);

beforeAll(async () => {
  await clearAway(name);
  file = clusterFile(text(""));
  await succeeds(["launch", file.path, "--yes"]);
});
afterAll(async () => {
  await cleanUp(name);
  file.remove();
});

test("where nothing is shared, a worker has no certificate for etcd, no endpoint, and etcd no users", async () => {
  expect(await found(worker, `${pki}/etcd-* /etc/systemd/system/etcd-*`)).toBe("");
  expect((await etcdctl(worker, "get", "/apps/a")).code).not.toBe(0);
  expect(await shell(worker, "ss --listening --tcp --no-header --numeric src 127.0.0.1:2379")).toBe("");
  await writes("share-control-1", "/apps/before", "1");
  await writes("share-control-1", "/other", "secret");
  expect(await shell("share-control-1", "etcdctl auth status")).toContain("Authentication Status: false");
});

test("a shared prefix is a worker's to read and write, and the rest is not", async () => {
  await launch("etcd: { share: /apps }");
  expect(await reads(worker, "/apps/before")).toBe("1");
  await writes(worker, "/apps/a", "2");
  expect(await reads("share-control-2", "/apps/a")).toBe("2");
  await refused(["get", "/other"]);
  await refused(["get", "--prefix", ""]);
  await refused(["get", "--from-key", "/apps"]);
  await refused(["put", "/other", "x"]);
  await refused(["member", "add", "mine", "--peer-urls=https://10.9.9.9:2380"]);
  await refused(["user", "add", "--no-password", "other"]);
  await refused(["auth", "disable"]);
  await refused(["snapshot", "save", "/tmp/all.db"]);
  expect(await reads("share-control-1", "/other")).toBe("secret");
});

test("a worker's certificate for etcd opens neither another member's port nor the peers'", async () => {
  const address = (await status(name)).nodes.find((node) => node.name === "share-control-1")?.address ?? "";
  const knock = (node: string, certificate: string) =>
    inNode(node, [
      "curl",
      "-sSk",
      "--http1.1",
      "--max-time",
      "5",
      "--cert",
      `${pki}/${certificate}.crt`,
      "--key",
      `${pki}/${certificate}.key`,
      `https://${address}:2380/version`,
    ]);
  expect((await knock("share-control-2", "etcd-peer")).stdout).toContain("etcdserver");
  for (const certificate of ["etcd-client", "store"]) {
    const { code, stdout, stderr } = await knock(worker, certificate);
    expect(`${code} ${stdout} ${stderr}`, certificate).toMatch(/^56 {2}curl: .*alert unknown ca/);
  }
});

test("it lasts through a restarted worker and a replaced member", async () => {
  await docker("restart", "--time=10", worker);
  await docker("rm", "--force", "share-control-2");
  await docker("volume", "rm", "share-control-2-data", "share-control-2-docker");
  await succeeds(["launch", file.path, "--yes"]);
  const members = async () =>
    (await status(name)).etcd.members.map((member) => `${member.name} ${member.state}`).join(", ");
  // A new member learns for a moment, and is ready all the same.
  const voters = "share-control-1 voter, share-control-2 voter, share-control-3 voter";
  await untilTrue("the new member has a vote", async () => (await members()) === voters, 60_000);
  await untilTrue(
    "the worker's endpoint is back",
    async () => (await etcdctl(worker, "get", "/apps/a")).stdout.includes("2"),
    20_000,
  );
  await writes(worker, "/apps/a", "3");
  await refused(["get", "/other"]);
  // The new member holds its clients to the same.
  expect(await shell("share-control-2", "etcdctl auth status")).toContain("Authentication Status: true");
  expect(await reads("share-control-2", "/apps/a")).toBe("3");
});

test("another prefix takes the first one's place", async () => {
  await launch("etcd: { share: /teams }");
  await writes(worker, "/teams/a", "1");
  await refused(["get", "/apps/a"]);
});

test("taken back, even a kept certificate opens no key", async () => {
  await shell(worker, `mkdir -p /root/kept && cp ${pki}/etcd-client.* /root/kept`);
  const address = (await status(name)).nodes.find((node) => node.name === "share-control-3")?.address ?? "";
  await launch("");
  await untilTrue(
    "the worker's own files for etcd are gone",
    async () => (await found(worker, `${pki}/etcd-* /var/lib/slipway/etcd-* /etc/systemd/system/etcd-*`)) === "",
    20_000,
  );
  expect(await shell(worker, "ss --listening --tcp --no-header --numeric src 127.0.0.1:2379")).toBe("");
  const kept = [
    `ETCDCTL_ENDPOINTS=https://${address}:2379`,
    ...["CACERT=ca.crt", "CERT=crt", "KEY=key"].map(
      (part) => `ETCDCTL_${part.replace("=", "=/root/kept/etcd-client.")}`,
    ),
  ];
  await refused(["get", "/teams/a"], kept);
  await refused(["put", "/apps/a", "4"], kept);
  expect(await shell("share-control-1", "etcdctl user list")).toBe("root");
});
