import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  cleanUp,
  clearAway,
  type ClusterFile,
  clusterFile,
  docker,
  inNode,
  shell,
  slipway,
  status,
  succeeds,
  untilTrue,
} from "./harness.ts";

const name = "trust";
const control = ["trust-control-1", "trust-control-2", "trust-control-3"] as const;
const worker = "trust-worker-1";
const nodes = [...control, worker];
const gateway = "trust-gateway";
const pki = "/var/lib/slipway/pki";
/** Of certificates that are to be renewed while we look on. Milliseconds. */
const life = 40_000;

let file: ClusterFile;
let home: string;
let launched = "";
/** Another user's: nothing that an earlier command wrote down is there. */
const elsewhere = (): Readonly<Record<string, string>> => ({
  HOME: home,
  XDG_STATE_HOME: "",
  XDG_CACHE_HOME: "",
  XDG_CONFIG_HOME: "",
  XDG_RUNTIME_DIR: "",
});

beforeAll(async () => {
  await clearAway(name);
  home = mkdtempSync(join(tmpdir(), "slipway-home-"));
  file = clusterFile(`name: ${name}\ngroups:\n  control: { role: control, count: 3 }\n  worker: { count: 1 }\n`);
  launched = await succeeds(["launch", file.path, "--yes", "--json"]);
});
afterAll(async () => {
  // From there, where nothing is known of the launch.
  const { code, stderr } = await slipway(["cleanup", name, "--yes"], { environment: elsewhere(), directory: home });
  await cleanUp(name);
  file.remove();
  rmSync(home, { recursive: true });
  expect(code, stderr).toBe(0);
});

async function addressOf(node: string): Promise<string> {
  return (await status(name)).nodes.find((candidate) => candidate.name === node)?.address ?? "";
}

test("another user with the same Docker engine sees the cluster and works in it", async () => {
  const options = { environment: elsewhere(), directory: home };
  expect(JSON.parse(await succeeds(["status", name, "--json"], options))).toMatchObject({ state: "ready" });
  expect(await succeeds(["exec", worker, "--", "hostname"], options)).toContain(worker);
});

test("a worker gets nothing out of etcd: not in plain text, not without a certificate, not with its own", async () => {
  const address = await addressOf(control[0]);
  const etcdctl = (node: string, certificate: string | undefined, ...words: readonly string[]) =>
    inNode(node, [
      "env",
      `ETCDCTL_ENDPOINTS=https://${address}:2379`,
      "ETCDCTL_CACERT=",
      "ETCDCTL_INSECURE_SKIP_TLS_VERIFY=true",
      `ETCDCTL_CERT=${certificate === undefined ? "" : `${pki}/${certificate}.crt`}`,
      `ETCDCTL_KEY=${certificate === undefined ? "" : `${pki}/${certificate}.key`}`,
      ...["etcdctl", "--command-timeout=3s", "--dial-timeout=3s", ...words],
    ]);
  const curl = (node: string, url: string, certificate: string | undefined) =>
    inNode(node, [
      "curl",
      "-sSfk",
      "--http1.1",
      "--max-time",
      "5",
      ...(certificate === undefined
        ? []
        : ["--cert", `${pki}/${certificate}.crt`, "--key", `${pki}/${certificate}.key`]),
      url,
    ]);
  // So that what fails below fails for want of a right: the same commands with one.
  expect((await etcdctl(control[1], "etcd-client", "member", "list")).stdout).toContain(control[0]);
  expect((await curl(control[1], `https://${address}:2380/version`, "etcd-peer")).stdout).toContain("etcdserver");
  const attempts = await Promise.all([
    ...[undefined, "store"].flatMap((certificate) => [
      etcdctl(worker, certificate, "member", "list"),
      etcdctl(worker, certificate, "get", "--prefix", ""),
      curl(worker, `https://${address}:2379/health`, certificate),
      curl(worker, `https://${address}:2380/version`, certificate),
      curl(worker, `https://${address}:2380/members`, certificate),
    ]),
    inNode(worker, ["etcdctl", "--command-timeout=3s", "member", "list"]),
    curl(worker, `http://${address}:2379/health`, undefined),
    curl(worker, `http://${address}:2380/version`, undefined),
    // A control node's certificate for clients is none for peers.
    curl(control[1], `https://${address}:2380/version`, "etcd-client"),
  ]);
  expect(attempts.map(({ code, stdout }) => `${code === 0 ? "got in" : "refused"} ${stdout}`)).toEqual(
    attempts.map(() => "refused "),
  );
});

test("the store gives a node what is its own, and only to its certificate", async () => {
  const { nodes: seen } = await status(name);
  const instanceOf = (node: string): string => seen.find((candidate) => candidate.name === node)?.instance ?? "";
  const [mine, others] = [instanceOf(worker), instanceOf(control[0])];
  const url = (JSON.parse(await shell(worker, "cat /etc/slipway/bootstrap.json")) as { store: string }).store;
  const certificate = `--cert ${pki}/store.crt --key ${pki}/store.key`;
  const token = `-H "Authorization: Slipway ${mine} $(cat /etc/slipway/token)"`;
  const write = (condition: string): string => `-X PUT -H '${condition}' -d '{}'`;
  /** HTTP status of a request from the worker. */
  const asks = (path: string, how: string): Promise<string> =>
    shell(
      worker,
      `curl -s -o /dev/null -w '%{http_code}' --max-time 5 --cacert ${pki}/store.ca.crt ${how} '${url}/v1/${path}'`,
    );
  const table: readonly (readonly [answer: string, path: string, how: string])[] = [
    ["200", "records/revision", certificate],
    ["200", `records/roster/${mine}`, certificate],
    ["200", "records/worker/swarm-token", certificate],
    ...[
      "control/issuers/store",
      "control/issuers/etcd-client",
      "control/swarm-token",
      `roster/${others}`,
      `bootstrap/${others}`,
      `requests/${others}`,
      `certificates/${others}`,
      `nodes/${others}`,
      "lock",
      "gateway",
    ].map((key) => ["403", `records/${key}`, certificate] as const),
    ...["control/", `nodes/${others}`].map((prefix) => ["403", `list?prefix=${prefix}`, certificate] as const),
    ["403", `records/roster/${mine}`, `${certificate} ${write("If-None-Match: *")}`],
    ["403", `records/requests/${others}`, `${certificate} ${write("If-None-Match: *")}`],
    ["403", "records/worker/swarm-token", `${certificate} ${write('If-Match: "x"')}`],
    // First contact: its own bootstrap, and no more.
    ["200", `records/bootstrap/${mine}`, token],
    ...["revision", `roster/${mine}`, "worker/swarm-token", "control/issuers/store", `bootstrap/${others}`].map(
      (key) => ["403", `records/${key}`, token] as const,
    ),
    ["401", `records/bootstrap/${others}`, token.replace(mine, others)],
    ["401", "records/revision", ""],
    ["401", "records/root", ""],
  ];
  const answers = await Promise.all(table.map(async ([, path, how]) => `${await asks(path, how)} ${path}`));
  expect(answers).toEqual(table.map(([answer, path]) => `${answer} ${path}`));
});

test("keys and tokens lie where only their owner reads, and nowhere else", async () => {
  const secrets: string[] = [];
  for (const node of nodes) {
    const open = await shell(
      node,
      `find ${pki} -name '*.key' ! -perm 600; find /etc/slipway/token /var/lib/slipway/config.json ! -perm 600`,
    );
    expect(open, node).toBe("");
    secrets.push(await shell(node, "cat /etc/slipway/token"));
    const keys = (await shell(node, `ls ${pki}/*.key`)).split("\n");
    expect(keys.length, node).toBe(node === worker ? 1 : 5);
    for (const key of keys) secrets.push(await shell(node, `sed -n 2p ${key}`));
  }
  expect(
    await shell(gateway, "find /var/lib/slipway-store \\( -type f -o -type s \\) ! -name '*.crt' -perm /077"),
  ).toBe("");
  for (const role of ["manager", "worker"])
    secrets.push(await shell(control[0], `docker swarm join-token --quiet ${role}`));
  const issuers = await shell(gateway, "cat $(grep -rl 'PRIVATE KEY' /var/lib/slipway-store/records)");
  const issuerKeys = [...issuers.matchAll(/BEGIN [A-Z ]*PRIVATE KEY-----\\n([A-Za-z0-9+/=]{20,})/g)].map(
    (found) => found[1] ?? "",
  );
  expect(issuerKeys.length).toBe(4);
  secrets.push(...issuerKeys);
  expect(secrets.filter((secret) => secret.length < 20)).toEqual([]);

  const containers = [...nodes, gateway];
  const said: Record<string, string> = {
    launch: launched
      .split("\n")
      .filter((line) => !line.includes("root.recoveryKey"))
      .join("\n"),
    inspect: await docker("inspect", ...containers),
    volumes: await docker(
      "volume",
      "inspect",
      ...(await docker("volume", "ls", "--quiet", "--filter", `label=slipway.cluster=${name}`)).split("\n"),
    ),
    events: await succeeds(["events", name, "--json"]),
    status: await succeeds(["status", name, "--json"]),
    plan: (await slipway(["plan", file.path, "--json"])).stdout,
    resolved: (await slipway(["check", file.path, "--resolved"])).stdout,
  };
  for (const container of containers) said[`logs of ${container}`] = await docker("logs", container);
  for (const node of nodes) {
    said[`journal of ${node}`] = await shell(node, "journalctl --no-pager --output=cat");
    said[`processes of ${node}`] = await shell(node, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '");
    said[`units of ${node}`] = await shell(node, "cat /etc/systemd/system/*.service; systemctl show-environment");
  }
  for (const [where, text] of Object.entries(said)) {
    expect(text.length, where).toBeGreaterThan(where.startsWith("logs") ? -1 : 20);
    expect(
      secrets.filter((secret) => text.includes(secret)),
      where,
    ).toEqual([]);
    expect(text, where).not.toMatch(/AGE-SECRET-KEY-|PRIVATE KEY-----/);
  }
});

/** Every certificate of the cluster, by place, and its checksum now. */
async function certificates(): Promise<ReadonlyMap<string, string>> {
  const places = [...nodes.map((node) => [node, pki] as const), [gateway, "/var/lib/slipway-store/pki"] as const];
  const texts = await Promise.all(
    places.map(async ([container, folder]) =>
      (await shell(container, `cd ${folder} && cksum $(ls *.crt | grep -v 'ca.crt')`))
        .split("\n")
        .map((line) => `${container} ${line}`),
    ),
  );
  return new Map(
    texts.flat().map((line) => {
      const [container = "", sum = "", , which = ""] = line.split(" ");
      return [`${container} ${which}`, sum];
    }),
  );
}

type Load = { stop(): Promise<void>; result(): Promise<{ readonly good: number; readonly bad: readonly string[] }> };

/** Repeats a command in a node until it is told to stop; what failed is kept with the time. */
async function loadIn(node: string, command: string, every: number): Promise<Load> {
  await shell(node, "rm -f /tmp/load.*");
  const loop = `while [ ! -e /tmp/load.stop ]; do if said=$(${command} 2>&1); then echo x >>/tmp/load.good; else echo "$(date +%T) $said" >>/tmp/load.bad; fi; sleep ${every / 1000}; done; touch /tmp/load.done`;
  await docker("exec", "--detach", node, "sh", "-c", loop);
  return {
    async stop() {
      await shell(node, "touch /tmp/load.stop");
      await untilTrue(
        `the load in ${node} has ended`,
        async () => (await inNode(node, ["test", "-e", "/tmp/load.done"])).code === 0,
        30_000,
      );
    },
    result: async () => ({
      good: Number(await shell(node, "cat /tmp/load.good | wc -l")),
      bad: (await shell(node, "cat /tmp/load.bad 2>/dev/null || true")).split("\n").filter((line) => line !== ""),
    }),
  };
}

/** Asks the managers' API from outside, each time with a new connection. */
function loadOnApi(variables: Readonly<Record<string, string>>, every: number): Load {
  const folder = variables["DOCKER_CERT_PATH"] ?? "";
  const [ca, cert, key] = ["ca.pem", "cert.pem", "key.pem"].map((part) => readFileSync(join(folder, part), "utf8"));
  const url = `${variables["DOCKER_HOST"]?.replace("tcp:", "https:")}/_ping`;
  const stopping = new AbortController();
  let good = 0;
  const bad: string[] = [];
  const ping = (): Promise<string> =>
    new Promise((resolve) => {
      const request = get(
        url,
        { ca, cert, key, agent: false, timeout: 10_000, allowPartialTrustChain: true },
        (response) => {
          response
            .resume()
            .on("end", () => resolve(response.statusCode === 200 ? "" : `answered ${response.statusCode}`));
        },
      );
      request.on("timeout", () => request.destroy(new Error("no answer within 10 s")));
      request.on("error", (error) => resolve(error.message));
    });
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      const why = await ping();
      if (why === "") good++;
      else bad.push(`${new Date().toISOString()} ${why}`);
      await pause(every);
    }
  })();
  return {
    stop() {
      stopping.abort();
      return loop;
    },
    result: async () => ({ good, bad }),
  };
}

test("certificates are renewed by themselves, and no request fails meanwhile", async () => {
  // Short ones from now on, and the long ones away with their keys, so that everybody asks at once.
  for (const node of control)
    await shell(node, `echo ${life} >/etc/slipway/certificate-life && systemctl restart slipway-agent`);
  const before = await certificates();
  expect(before.size).toBe(3 * 5 + 1 + 1);
  for (const node of nodes) await shell(node, `rm $(ls ${pki}/*.crt | grep -v 'ca.crt')`);
  // What others signed would be taken from the store again, but for another key it is of no use.
  await shell(worker, `rm ${pki}/store.key`);
  await shell(gateway, "rm /var/lib/slipway-store/pki/store-server.*");
  await untilTrue(
    "everybody has a short one",
    async () => {
      const now = await certificates();
      return [...before].every(([place, sum]) => now.has(place) && now.get(place) !== sum);
    },
    30_000,
  );

  const variables = (
    JSON.parse(await succeeds(["env", name, "--json", "--folder", join(home, "env")])) as {
      variables: Record<string, string>;
    }
  ).variables;
  const store = (JSON.parse(await shell(worker, "cat /etc/slipway/bootstrap.json")) as { store: string }).store;
  const loads = [
    await loadIn(control[0], "etcdctl put load $(date +%s)", 300),
    await loadIn(
      worker,
      `curl -sSf -o /dev/null --max-time 10 --cacert ${pki}/store.ca.crt --cert ${pki}/store.crt --key ${pki}/store.key ${store}/v1/records/revision`,
      300,
    ),
    loadOnApi(variables, 100),
  ];
  const seen = new Map<string, Set<string>>();
  try {
    await untilTrue(
      "every certificate was renewed twice",
      async () => {
        // A look starts programs in every node, and a certificate stays for half a minute.
        await pause(3_000);
        for (const [place, sum] of await certificates()) seen.set(place, (seen.get(place) ?? new Set()).add(sum));
        const late = [...before.keys()].filter((place) => (seen.get(place)?.size ?? 0) < 3);
        if (late.length > 0) throw new Error(`not yet: ${late.join(", ")}`);
        return true;
      },
      2.5 * life,
    );
  } finally {
    for (const load of loads) await load.stop();
  }
  for (const load of loads) {
    const { good, bad } = await load.result();
    expect(bad).toEqual([]);
    expect(good).toBeGreaterThan(50);
  }

  // The first ones have expired: a member that comes back finds its peers by the new ones.
  await shell(control[1], "systemctl restart etcd");
  await untilTrue(
    "three members",
    async () => (await status(name)).etcd.members.filter((member) => member.state === "voter").length === 3,
    30_000,
  );
  expect(await shell(control[1], "etcdctl get --print-value-only load")).toMatch(/^\d+$/);
  expect((await status(name)).state).toBe("ready");
}, 240_000);
