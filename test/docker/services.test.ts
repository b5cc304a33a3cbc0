import { createSocket } from "node:dgram";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clearAway, cleanUp, clusterFile, docker, inNode, shell, slipway, status, untilTrue } from "./harness.ts";
import { buildWeb, registryFiles, registryProgram } from "./service-images.ts";

const name = "svc";
const image = "slipway-test/web";
const control = "svc-control-1";
const plain = "svc-plain-1";
const fast = "svc-fast-1";
const extra = "svc-extra-1";
const nodes = [control, plain, fast];
/** Nothing in between may read these as a line, a variable, a command, a quote or an escape. */
const hostile: Readonly<Record<string, string>> = {
  LINES: "one\ntwo\n\n three",
  QUOTES: `a"b'c\`d`,
  SHELL: "$(touch /tmp/slipway-was-here) ${HOME} $HOME ; | & < > \\n",
  PERCENT: "%i %% %n %h",
  EQUALS: "a=b=c",
  EMPTY: "",
  NUMBER: "012345678901",
  TEMPLATE: "{{.Node.Hostname}} {{",
};
const fileSecret = "from-a-file-7d1f\nwith two lines\n";
const environmentSecret = `from-the-environment-93ab "$(id)"`;
const password = "registry-password-55e0";
const environment = { SVC_KEY: environmentSecret, SVC_PASSWORD: password };
const file = clusterFile("");

type Parts = {
  readonly services: Readonly<Record<string, unknown>>;
  readonly units?: readonly unknown[];
  readonly motd?: string;
  readonly plainUnits?: readonly unknown[];
  readonly extraUnits?: readonly unknown[];
};

const note = (text: string) => ({
  name: "note.service",
  content: `[Service]\nExecStart=/bin/sleep infinity\nEnvironment=NOTE=${text}\n[Install]\nWantedBy=multi-user.target\n`,
});
const steady = {
  name: "steady.service",
  content: "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n",
};
const registry = {
  name: "registry.service",
  content:
    "[Service]\nExecStart=/opt/slipway/node /etc/registry.mjs\nRestart=always\n[Install]\nWantedBy=multi-user.target\n",
};

/** JSON is YAML. */
function write({
  services,
  units = [registry, steady, note("one")],
  motd = "first\n",
  plainUnits = [],
  extraUnits,
}: Parts): void {
  file.write(
    JSON.stringify(
      {
        name,
        groups: {
          control: { role: "control", count: 1 },
          plain: { count: 1, units: plainUnits },
          fast: {
            count: 1,
            labels: { disk: "ssd" },
            files: [
              { path: "/etc/registry.mjs", content: registryProgram },
              { path: "/etc/note.conf", mode: "0640", group: "daemon", content: motd },
            ],
            units,
          },
          ...(extraUnits === undefined ? {} : { extra: { count: 1, units: extraUnits } }),
        },
        registries: { "127.0.0.1:5000": { username: "tester", password: { environment: "SVC_PASSWORD" } } },
        services,
      },
      undefined,
      2,
    ),
  );
}

const web = (port: number, change: Readonly<Record<string, unknown>> = {}) => ({
  image,
  replicas: 2,
  ports: [`${port}:80`],
  environment: hostile,
  labels: { "com.example.team": "a 'team' $(id)" },
  health: { command: ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1/version"], interval: "1s", timeout: "5s" },
  update: { parallelism: 2, delay: "1s", order: "stop-first", on_failure: "continue", monitor: "1s" },
  ...change,
});
const echo = { image, command: ["socat", "-T2", "UDP-LISTEN:7,fork,reuseaddr", "EXEC:cat"], ports: ["8102:7/udp"] };
const pinned = {
  image,
  replicas: 2,
  update: { parallelism: 0, monitor: "1s" },
  constraints: { disk: "ssd" },
  mounts: ["kept:/kept", "/etc/note.conf:/note.conf:ro", { type: "tmpfs", target: "/scratch" }],
  secrets: { token: { file: "token.txt", target: "/run/app/token", mode: "0400" }, key: { environment: "SVC_KEY" } },
};
const everywhere = { image, mode: "global" };
const remote = { image: "127.0.0.1:5000/team/app:1", constraints: { disk: "ssd" } };
const later = { web: web(8103, { replicas: 1, environment: { ...hostile, ADDED: "yes" } }), pinned, remote };

const launch = (options: { readonly environment?: Readonly<Record<string, string>> } = {}) =>
  slipway(["launch", file.path, "--yes"], { environment, ...options });
async function launches(): Promise<string> {
  const { code, stdout, stderr } = await launch();
  expect(code, `${stdout}\n${stderr}`).toBe(0);
  return `${stdout}\n${stderr}`;
}
const plan = (...words: string[]) => slipway(["plan", file.path, ...words], { environment });

/** Containers of a service that run on a node now. */
async function containers(node: string, service: string): Promise<readonly string[]> {
  const text = await shell(
    node,
    `docker ps --quiet --no-trunc --filter label=com.docker.swarm.service.name=${service}`,
  );
  return text.split("\n").filter((line) => line !== "");
}
/** The output of a command in a service's first container on a node. */
async function inService(node: string, service: string, command: readonly string[]): Promise<string> {
  const [id] = await containers(node, service);
  if (id === undefined) throw new Error(`${service} does not run on ${node}`);
  const { code, stdout, stderr } = await inNode(node, ["docker", "exec", id, ...command]);
  expect(code, stderr).toBe(0);
  return stdout;
}
const version = async (port: number): Promise<string> => {
  const answer = await fetch(`http://127.0.0.1:${port}/version`, { signal: AbortSignal.timeout(3_000) });
  return (await answer.text()).trim();
};
/** Which containers there are and since when they run; the gateway is not a node. */
const lives = () => docker("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", ...nodes);
const gateway = () => docker("inspect", "--format", "{{.Id}}", "svc-gateway");

function datagram(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createSocket("udp4");
    const timer = setTimeout(() => {
      socket.close();
      reject(new Error("no datagram came back"));
    }, 2_000);
    socket.on("message", (message) => {
      clearTimeout(timer);
      socket.close();
      resolve(message.toString());
    });
    socket.send(text, port, "127.0.0.1");
  });
}

beforeAll(async () => {
  await clearAway(name);
  writeFileSync(join(file.folder, "token.txt"), fileSecret);
  await buildWeb(image, "one");
  write({ services: { web: web(8101), echo, pinned, everywhere } });
  await launches();
});
afterAll(async () => {
  await cleanUp(name);
  file.remove();
});

test("tcp and udp ports answer through the gateway", async () => {
  expect(await version(8101)).toBe("one");
  expect(await untilTrue("a datagram comes back", () => datagram(8102, "hello datagram"), 15_000)).toBe(
    "hello datagram",
  );
});

test("environment, labels and policies arrive as they were written, and no shell saw them", async () => {
  const [id = ""] = [
    ...(await containers(plain, "web")),
    ...(await containers(fast, "web")),
    ...(await containers(control, "web")),
  ];
  const node =
    (await containers(plain, "web")).length > 0 ? plain : (await containers(fast, "web")).length > 0 ? fast : control;
  const env: readonly string[] = JSON.parse(await shell(node, `docker inspect --format '{{json .Config.Env}}' ${id}`));
  for (const [key, value] of Object.entries(hostile)) expect(env).toContain(`${key}=${value}`);
  expect(JSON.parse(await shell(node, `docker inspect --format '{{json .Config.Labels}}' ${id}`))).toMatchObject({
    "com.example.team": "a 'team' $(id)",
  });
  const spec = JSON.parse(await shell(control, "docker service inspect --format '{{json .Spec}}' web"));
  expect(spec.Labels).toMatchObject({ "com.example.team": "a 'team' $(id)" });
  expect(spec.UpdateConfig).toMatchObject({
    Parallelism: 2,
    Delay: 1e9,
    Order: "stop-first",
    FailureAction: "continue",
    Monitor: 1e9,
  });
  expect(spec.TaskTemplate.ContainerSpec.Healthcheck).toMatchObject({ Interval: 1e9, Timeout: 5e9, Retries: 3 });
  for (const there of nodes) expect((await inNode(there, ["test", "-e", "/tmp/slipway-was-here"])).code).toBe(1);
});

test("constraints, global mode and replicas decide where tasks run; images went where they are needed", async () => {
  expect((await containers(fast, "pinned")).length).toBe(2);
  for (const node of nodes) expect((await containers(node, "everywhere")).length, node).toBe(1);
  const count = await Promise.all(nodes.map(async (node) => (await containers(node, "web")).length));
  expect(count.reduce((sum, n) => sum + n)).toBe(2);
  const ids = await Promise.all(
    nodes.map((node) => shell(node, `docker image ls --quiet --filter 'reference=${image}:slipway-*'`)),
  );
  expect(new Set(ids).size).toBe(1);
  expect(ids[0]).not.toBe("");
});

test("volumes keep, tmpfs is memory, binds are read-only where they say so", async () => {
  const mounts = await inService(fast, "pinned", ["cat", "/proc/mounts"]);
  expect(mounts).toMatch(/^tmpfs \/scratch tmpfs /m);
  expect(await inService(fast, "pinned", ["cat", "/note.conf"])).toBe("first\n");
  expect(mounts).toMatch(/ \/note\.conf [a-z0-9]+ ro,/);
  await inService(fast, "pinned", ["sh", "-c", "echo written > /kept/by-a-task"]);
  expect(await shell(fast, "docker run --rm -v kept:/v slipway-test/web cat /v/by-a-task")).toBe("written");
});

test("secrets are files with their modes in the container, and nowhere else", async () => {
  expect(await inService(fast, "pinned", ["cat", "/run/app/token"])).toBe(fileSecret);
  expect((await inService(fast, "pinned", ["stat", "-c", "%a", "/run/app/token"])).trim()).toBe("400");
  expect(await inService(fast, "pinned", ["cat", "/run/secrets/key"])).toBe(environmentSecret);
  expect((await inService(fast, "pinned", ["stat", "-c", "%a", "/run/secrets/key"])).trim()).toBe("444");
  const said = [
    (await plan("--json")).stdout,
    (await slipway(["events", name, "--json"])).stdout,
    (await slipway(["inspect", name, "--json"])).stdout,
    (await slipway(["status", name, "--json"])).stdout,
    await shell(control, "docker service inspect pinned"),
    await shell(control, "docker secret ls -q | xargs docker secret inspect"),
    await shell(fast, "cat /var/lib/slipway/config.json"),
    await shell(fast, "journalctl --no-pager --unit slipway-agent"),
    await shell(control, "journalctl --no-pager --unit slipway-agent"),
    await docker("inspect", ...nodes, "svc-gateway"),
    await docker("logs", "svc-gateway"),
  ].join("\n");
  expect(said).toContain("pinned.token.");
  for (const secret of ["from-a-file-7d1f", "from-the-environment-93ab", password]) {
    expect(said).not.toContain(secret);
    expect(said).not.toContain(Buffer.from(secret).toString("base64").slice(0, 16));
  }
});

test("files and units of a group are there with their modes, enabled and started", async () => {
  expect(await shell(fast, "stat -c '%a %U %G' /etc/note.conf")).toBe("640 root daemon");
  expect(await shell(fast, "systemctl is-active note.service steady.service registry.service")).toBe(
    "active\nactive\nactive",
  );
  expect(await shell(fast, "systemctl is-enabled note.service")).toBe("enabled");
  expect((await inNode(plain, ["test", "-e", "/etc/note.conf"])).code).toBe(1);
});

test("launched once more, it changes nothing", async () => {
  const before = [await lives(), await gateway(), await containers(fast, "pinned")];
  const seen = await plan("--exit-code");
  expect(seen.code, seen.stdout).toBe(0);
  await launches();
  expect([await lives(), await gateway(), await containers(fast, "pinned")]).toEqual(before);
});

test("services, files, units, ports and an image of the same tag follow the file; no node is touched", async () => {
  const before = {
    lives: await lives(),
    gateway: await gateway(),
    pinned: await containers(fast, "pinned"),
    steady: await shell(fast, "systemctl show -P InvocationID steady.service registry.service"),
  };
  const files = await registryFiles("demo/hello");
  try {
    mkdirSync(files.folder, { recursive: true });
    await docker("cp", `${files.folder}/.`, `${fast}:/var/lib/registry`);
  } finally {
    files.remove();
  }
  await buildWeb(image, "two");
  write({ services: later, units: [registry, steady, note("two")], motd: "second\n" });
  const { code, stdout } = await plan("--exit-code", "--json");
  expect(code).toBe(3);
  const changes: readonly { readonly name: string; readonly action: string; readonly reason: string }[] =
    JSON.parse(stdout).changes;
  const about = (what: string) => changes.find((change) => change.name === what);
  expect(about("web")).toMatchObject({ action: "update", reason: expect.stringContaining("replicas") });
  expect(about("everywhere")).toMatchObject({ action: "delete" });
  expect(about("remote")).toMatchObject({ action: "create" });
  expect(about("fast")?.reason).toContain("note.service");
  await launches();

  // For a second after a change the gateway may still lead to a container that has just ended.
  await untilTrue("the new one answers", async () => (await version(8103)) === "two", 20_000);
  await expect(version(8101)).rejects.toThrow();
  expect(await lives()).toBe(before.lives);
  expect(await gateway()).not.toBe(before.gateway);
  for (const node of nodes) expect(await containers(node, "everywhere")).toEqual([]);
  expect((await Promise.all(nodes.map((node) => containers(node, "web")))).flat().length).toBe(1);
  expect((await containers(fast, "pinned")).some((id) => before.pinned.includes(id))).toBe(false);
  expect(await shell(fast, "cat /etc/note.conf")).toBe("second");
  expect(await shell(fast, "systemctl show -P Environment note.service")).toBe("NOTE=two");
  expect(await shell(fast, "systemctl show -P InvocationID steady.service registry.service")).toBe(before.steady);
  expect((await inNode(control, ["docker", "service", "inspect", "echo"])).code).toBe(1);

  // The login reached the registry, which answers nobody without one.
  expect(await shell(fast, "cat /var/log/registry.log")).toContain(
    `Basic ${Buffer.from(`tester:${password}`).toString("base64")}`,
  );
  expect((await containers(fast, "remote")).length).toBe(1);
});

test("what is changed behind its back is seen by plan and put back by launch", async () => {
  await shell(control, "docker service scale --detach web=3");
  await shell(fast, "systemctl stop steady.service && echo edited > /etc/note.conf");
  const { code, stdout } = await plan("--exit-code", "--json");
  expect(code).toBe(3);
  const changes: readonly { readonly name: string; readonly reason: string }[] = JSON.parse(stdout).changes;
  expect(changes.find((change) => change.name === "web")?.reason).toMatch(/Replicas: 1 became 3/);
  expect(changes.find((change) => change.name === fast)?.reason).toMatch(
    /\/etc\/note\.conf: was edited.*steady\.service: is stopped|steady\.service: is stopped.*\/etc\/note\.conf: was edited/,
  );
  await launches();
  expect(await shell(control, "docker service inspect --format '{{.Spec.Mode.Replicated.Replicas}}' web")).toBe("1");
  expect(await shell(fast, "cat /etc/note.conf && systemctl is-active steady.service")).toBe("second\nactive");
  expect((await plan("--exit-code")).code).toBe(0);
});

test("a unit that is no longer in the file is stopped and gone", async () => {
  write({ services: later, units: [registry, steady], motd: "second\n" });
  await launches();
  expect((await inNode(fast, ["systemctl", "cat", "note.service"])).code).not.toBe(0);
  expect(await shell(fast, "pgrep -fc '[s]leep infinity'")).toBe("1");
});

test("an image that does not exist and a container that is not healthy are named, and a mended file converges", async () => {
  const sick = { image, health: { command: ["false"], interval: "1s", timeout: "1s", retries: 1 } };
  const broken = web(8103, { replicas: 1, command: ["false"], update: { on_failure: "rollback", monitor: "2s" } });
  write({
    services: { ...later, web: broken, ghost: { image: "slipway-test/no-such-image:9", replicas: 1 }, sick },
    units: [registry, steady],
    motd: "second\n",
  });
  const { code, stderr, stdout } = await launch();
  expect(code, stdout).toBe(1);
  expect(stderr).toMatch(/service (ghost|sick|web) does not run: /);
  expect(stderr).toMatch(/cluster\.yml:\d+:\d+/);
  // Swarm took the update back, once; the page of before answers.
  expect(await untilTrue("the page is back", () => version(8103), 20_000)).toBe("two");
  const doctor = await slipway(["doctor", name]);
  expect(doctor.stdout).toMatch(/web.*rollback completed/s);
  expect(doctor.stdout).toMatch(/ghost.*No such image: slipway-test\/no-such-image:9/s);
  expect(doctor.stdout).toMatch(/sick.*unhealthy/s);
  write({ services: later, units: [registry, steady], motd: "second\n" });
  await launches();
  expect(await version(8103)).toBe("two");
});

test("a unit that fails is named with its last lines: taken back where there was a good config, kept where there was none", async () => {
  const before = JSON.parse(await shell(plain, "cat /var/lib/slipway/config.json"));
  const bad = {
    name: "bad.service",
    content:
      "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo the reason is here; exit 3'\n[Install]\nWantedBy=multi-user.target\n",
  };
  const groups = (units: readonly unknown[]) => ({
    services: later,
    units: [registry, steady],
    motd: "second\n",
    plainUnits: units,
    extraUnits: units,
  });
  write(groups([bad]));
  const { code, stderr, stdout } = await launch();
  expect(code, stdout).toBe(1);
  for (const node of [plain, extra])
    expect(stderr).toMatch(new RegExp(`${node} is failed.*bad\\.service.*cluster\\.yml:\\d+:\\d+`));
  expect(`${stderr}${stdout}`).toContain("the reason is here");
  expect((await inNode(plain, ["systemctl", "cat", "bad.service"])).code).not.toBe(0);
  expect(JSON.parse(await shell(plain, "cat /var/lib/slipway/config.json")).revision).toBe(before.revision);
  const { nodes: seen } = await status(name);
  expect(seen.find((node) => node.name === plain)).toMatchObject({
    state: "failed",
    phase: "config",
    reason: expect.stringContaining("was taken back"),
  });
  expect(seen.find((node) => node.name === extra)).toMatchObject({
    state: "failed",
    phase: "units",
    reason: expect.stringContaining("bad.service"),
  });

  write(groups([note("mended")]));
  await launches();
  for (const node of [plain, extra]) expect(await shell(node, "systemctl is-active note.service")).toBe("active");
});
