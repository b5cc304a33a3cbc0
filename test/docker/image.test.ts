import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Event, emitter } from "../../src/events/event.ts";
import { systemProcesses } from "../../src/host/processes.ts";
import { detectRights } from "../../src/targets/docker/capabilities.ts";
import { openEngine } from "../../src/targets/docker/engine.ts";
import { type NodeImage, ensureNodeImage } from "../../src/targets/docker/image.ts";
import { clearAway, cleanUp, clusterFile, shell, succeeds } from "./harness.ts";

const container = `slipway-image-test-${randomBytes(4).toString("hex")}`;
const events: Event[] = [];
const emit = emitter(
  () => 0,
  (event) => events.push(event),
);
const engine = openEngine(process.env);
let image: NodeImage;

async function docker(...words: readonly string[]): Promise<string> {
  return (await systemProcesses.run(["docker", ...words])).stdout.trim();
}

const inside = (...command: readonly string[]): Promise<string> => docker("exec", container, ...command);

beforeAll(async () => {
  image = await ensureNodeImage({ engine, processes: systemProcesses, emit });
  const rights = await detectRights({ processes: systemProcesses, image: image.image });
  const flags =
    rights.kind === "privileged"
      ? ["--privileged"]
      : [
          ...rights.add.map((name) => `--cap-add=${name}`),
          "--security-opt=seccomp=unconfined",
          "--security-opt=apparmor=unconfined",
          "--security-opt=systempaths=unconfined",
          "--device-cgroup-rule=a *:* rwm",
        ];
  await docker(
    "run",
    "--detach",
    `--name=${container}`,
    "--hostname=n1",
    "--cgroupns=private",
    ...flags,
    "--tmpfs=/run",
    "--tmpfs=/tmp",
    "--volume=/var/lib/docker",
    "--volume=/var/lib/containerd",
    image.image,
  );
  // `--wait` needs systemd's socket, which is there some milliseconds after the container.
  const deadline = Date.now() + 30_000;
  for (;;) {
    const { stdout } = await systemProcesses.run(
      ["docker", "exec", container, "systemctl", "is-system-running", "--wait"],
      { accept: [0, 1, 3, 4] },
    );
    if (/running|degraded/.test(stdout)) return;
    if (Date.now() > deadline) throw new Error(`the node did not boot: ${stdout}\n${await docker("logs", container)}`);
  }
}, 600_000);

afterAll(async () => {
  await docker("rm", "--force", "--volumes", container);
});

test("it is there, and the second time nothing is built and nothing said", async () => {
  events.length = 0;
  expect(await ensureNodeImage({ engine, processes: systemProcesses, emit })).toEqual({
    ...image,
    built: false,
  });
  expect(events.filter((event) => event.name !== "image.warning")).toEqual([]);
});

test("it boots with no unit failed", async () => {
  expect(await inside("systemctl", "--failed", "--no-legend", "--plain")).toBe("");
  expect(await inside("systemctl", "is-system-running")).toBe("running");
});

test("nothing listens and nothing of a cluster runs until it is asked to", async () => {
  expect(await inside("ss", "--listening", "--tcp", "--udp", "--no-header", "--numeric")).toBe("");
  for (const unit of [
    "docker.service",
    "docker.socket",
    "containerd.service",
    "ssh.service",
    "systemd-logind.service",
  ]) {
    const { stdout } = await systemProcesses.run(["docker", "exec", container, "systemctl", "is-active", unit], {
      accept: [0, 3],
    });
    expect(`${unit} ${stdout.trim()}`).toBe(`${unit} inactive`);
  }
});

test("it has etcd 3.6 or later and its user", async () => {
  expect(await inside("etcd", "--version")).toMatch(/^etcd Version: 3\.(?:[6-9]|\d\d)\./);
  expect(await inside("etcdctl", "version")).toContain(image.etcd);
  expect(await inside("etcdutl", "version")).toContain(image.etcd);
  expect(await inside("id", "--user", "--name", "etcd")).toBe("etcd");
});

test("it has no file of ours but the entry script, a Node.js that says which, and no identity", async () => {
  const list = await docker(
    "run",
    "--rm",
    "--network=none",
    "--entrypoint=find",
    image.image,
    "/usr/local",
    "/opt",
    "/srv",
    "/home",
    "/root",
    "(",
    "-type",
    "f",
    "-o",
    "-type",
    "l",
    ")",
    "!",
    "-name",
    ".bashrc",
    "!",
    "-name",
    ".profile",
  );
  expect(
    list
      .split("\n")
      .toSorted()
      .filter((path) => path !== "/usr/local/man" && !path.startsWith("/usr/local/share/")),
  ).toEqual([
    ...["etcd", "etcdctl", "etcdutl"].map((name) => `/usr/local/bin/${name}`),
    "/usr/local/lib/nodejs/node",
    "/usr/local/sbin/container-init",
  ]);
  expect(await inside("openssl", "dgst", "-sha256", "-r", "/usr/local/lib/nodejs/node")).toBe(
    `${image.nodejs.sha256} */usr/local/lib/nodejs/node`,
  );
  const { code } = await systemProcesses.run(["docker", "exec", container, "sh", "-c", "command -v node"], {
    accept: [0, 1, 127],
  });
  expect(code).not.toBe(0);
  const identity = ["/etc/machine-id", "/etc/ssh"].join(" ");
  expect(
    await docker(
      "run",
      "--rm",
      "--network=none",
      "--entrypoint=sh",
      image.image,
      "-c",
      `find ${identity} -name machine-id -size +0 -o -name 'ssh_host_*'`,
    ),
  ).toBe("");
  expect(await inside("cat", "/etc/machine-id")).toMatch(/^[0-9a-f]{32}$/);
});

test("an identity is an instance's own and outlives a restart", async () => {
  const other = `${container}-2`;
  const print = ["--entrypoint=sh", image.image, "-c", "systemd-machine-id-setup --print"];
  const mine = await inside("cat", "/etc/machine-id");
  expect(await docker("run", "--rm", `--name=${other}`, ...print)).not.toBe(mine);
});

test("Docker starts inside, on overlay2, and runs a container", async () => {
  await inside("systemctl", "start", "docker");
  expect(await inside("docker", "info", "--format", "{{.Driver}}")).toBe("overlay2");
  await inside("sh", "-c", "tar -C / -c bin/busybox | docker import - busybox >/dev/null");
  expect(await inside("docker", "run", "--rm", "--network=none", "busybox", "/bin/busybox", "echo", "hello")).toBe(
    "hello",
  );
}, 60_000);

test("it stops in good order, and starts again as the same machine", async () => {
  const before = await inside("cat", "/etc/machine-id");
  await docker("stop", "--time=30", container);
  // 130 is systemd's own exit for SIGRTMIN+3; 137 would be the kill after the time.
  expect(await docker("inspect", "--format", "{{.State.ExitCode}}", container)).not.toBe("137");
  await docker("start", container);
  await systemProcesses.run(
    [
      "docker",
      "exec",
      container,
      "sh",
      "-c",
      "until systemctl is-system-running --wait | grep -qE 'running|degraded'; do :; done",
    ],
    { timeout: 30_000 },
  );
  expect(await inside("systemctl", "is-system-running")).toBe("running");
  expect(await inside("cat", "/etc/machine-id")).toBe(before);
}, 90_000);

test("an image without Node.js, named by the user, has the operator's put into the cluster", async () => {
  const [name, bare] = ["imaged", `${image.image}-bare`];
  const file = clusterFile(`name: ${name}\norchestrator: none\ngroups: { control: { count: 1 } }\n`);
  await clearAway(name);
  await systemProcesses.run(["docker", "build", "--quiet", "--tag", bare, "-"], {
    input: `FROM ${image.image}\nRUN rm -r /usr/local/lib/nodejs\nLABEL slipway.nodejs=\n`,
    timeout: 60_000,
  });
  try {
    await succeeds(["launch", file.path, "--yes"], { environment: { SLIPWAY_NODE_IMAGE: bare } });
    const sums = await shell(
      `${name}-control-1`,
      "cd /opt/slipway && test -f node && test ! -L node && cat SHA256SUMS",
    );
    const own = createHash("sha256").update(readFileSync(process.execPath)).digest("hex");
    expect(sums).toContain(`${own}  node\n`);
  } finally {
    await cleanUp(name);
    await docker("rmi", bare);
    file.remove();
  }
}, 60_000);
