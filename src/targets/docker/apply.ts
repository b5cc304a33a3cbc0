import type { Readable } from "node:stream";
import type { ClusterName } from "../../cluster/cluster.ts";
import type { Admission } from "../target.ts";
import { bytesOf, type MachineConfig } from "../../machine/machine.ts";
import { departedCode } from "../../machine/pointer.ts";
import { archive, type ArchiveEntry } from "./archive.ts";
import { gatewayOptions, gatewayShape, nodeOptions, nodeShape, runtimeFolder } from "./container.ts";
import { at, textAt, textsAt } from "../../host/answer.ts";
import { orAbsent, orDone, type Engine } from "./engine.ts";
import {
  dataVolume,
  dockerVolume,
  gatewayName,
  label,
  networkName,
  runtimeVolume,
  storePort,
  storeVolume,
} from "./names.ts";
import { bridgeAddress, gatewayAddress } from "./network.ts";
import type { Rights } from "./rights.ts";
import { runtimeArchive, type Runtime } from "./runtime.ts";
import type { DockerWork, GatewayContainer, NodeContainer } from "./work.ts";

const agentUnit = `[Unit]
Description=Slipway agent
After=dbus.service
StartLimitIntervalSec=0

[Service]
# A small young generation: the agent lives long and does little, memory counts more than speed.
ExecStart=${runtimeFolder}/node --max-semi-space-size=1 ${runtimeFolder}/agent.js
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=1
RestartPreventExitStatus=${departedCode}
SuccessExitStatus=${departedCode}
KillMode=process
TimeoutStopSec=30

[Install]
WantedBy=multi-user.target
`;

/** Makes the cluster's network if it is not there; a second operator that does the same at once is no error. */
export async function ensureNetwork(engine: Engine, cluster: ClusterName, subnet: string): Promise<void> {
  await orDone(
    engine.call(`make the network ${networkName(cluster)} (${subnet})`, "POST", "/networks/create", {
      body: {
        Name: networkName(cluster),
        CheckDuplicate: true,
        Driver: "bridge",
        IPAM: { Driver: "default", Config: [{ Subnet: subnet, Gateway: bridgeAddress(subnet) }] },
        Labels: { [label.cluster]: cluster, [label.part]: "network" },
      },
    }),
  );
}

async function ensureVolume(engine: Engine, name: string, labels: Readonly<Record<string, string>>): Promise<void> {
  await engine.call(`make the volume ${name}`, "POST", "/volumes/create", { body: { Name: name, Labels: labels } });
}

type Seen = {
  readonly id: string;
  readonly status: string;
  readonly running: boolean;
  readonly labels: Readonly<Record<string, string>>;
};

async function inspect(engine: Engine, name: string): Promise<Seen | undefined> {
  const there = await orAbsent(engine.call(`look at ${name}`, "GET", `/containers/${name}/json`));
  if (there === undefined) return undefined;
  return {
    id: textAt(there, "Id"),
    status: textAt(there, "State", "Status"),
    running: at(there, "State", "Running") === true,
    labels: textsAt(there, "Config", "Labels"),
  };
}

/** Gives the container's id. */
async function create(engine: Engine, name: string, options: unknown): Promise<string> {
  return textAt(
    await engine.call(`make ${name}`, "POST", "/containers/create", { query: { name }, body: options }),
    "Id",
  );
}
async function start(engine: Engine, name: string): Promise<void> {
  await orDone(engine.call(`start ${name}`, "POST", `/containers/${name}/start`));
}
/** In good order within the given seconds, then hard; then its container goes, its volumes stay. */
async function discard(engine: Engine, name: string, running: boolean, seconds: number): Promise<void> {
  if (running) await orDone(engine.call(`stop ${name}`, "POST", `/containers/${name}/stop`, { query: { t: seconds } }));
  await orDone(engine.call(`remove ${name}`, "DELETE", `/containers/${name}`, { query: { force: true } }));
}
async function put(engine: Engine, name: string, folder: string, entries: Readable): Promise<void> {
  await engine.call(`put files into ${name}`, "PUT", `/containers/${name}/archive`, {
    query: { path: folder },
    archive: entries,
  });
}
async function removeVolume(engine: Engine, name: string): Promise<void> {
  await orDone(engine.call(`remove the volume ${name}`, "DELETE", `/volumes/${name}`));
}

/** Makes the gateway, or makes it anew when its shape changed; the store's volume stays. */
export async function ensureGateway(
  engine: Engine,
  cluster: ClusterName,
  gateway: GatewayContainer,
  runtime: Runtime,
): Promise<void> {
  const name = gatewayName(cluster);
  const there = await inspect(engine, name);
  const same = there?.labels[label.shape] === gatewayShape(gateway);
  if (there !== undefined && same && there.status !== "created") {
    if (!there.running) await start(engine, name);
    return;
  }
  // One that is only created may be another operator's, who is about to start it: its files are put in again.
  if (there !== undefined && !same) await discard(engine, there.id, there.running, 5);
  const owned = { [label.cluster]: cluster };
  await Promise.all([
    ensureVolume(engine, storeVolume(cluster), { ...owned, [label.part]: "store" }),
    ensureVolume(engine, runtimeVolume(cluster), { ...owned, [label.part]: "runtime" }),
  ]);
  if (there === undefined || !same) await orDone(create(engine, name, gatewayOptions(cluster, gateway)));
  // Another operator's, where two were at it at once: under the lock it is brought up to date.
  const id = (await inspect(engine, name))?.id ?? name;
  await put(engine, id, runtimeFolder, runtimeArchive(runtime));
  await start(engine, id);
}

/**
 * The part of a machine config that can lie in a new container before its first start: what is root's and below /etc.
 * The agent finds it there and does the rest.
 */
function firstBoot(machine: MachineConfig): readonly ArchiveEntry[] {
  const folder = "systemd/system";
  return [
    ...machine.files
      .filter((file) => file.path.startsWith("/etc/") && file.user === "root" && file.group === "root")
      .flatMap(({ path, contents, mode }) =>
        contents.kind === "remote"
          ? []
          : [{ path: path.slice("/etc/".length), content: bytesOf(contents), mode: Number.parseInt(mode, 8) }],
      ),
    ...machine.units.flatMap((unit) => [
      ...(unit.content === undefined ? [] : [{ path: `${folder}/${unit.name}`, content: unit.content, mode: 0o644 }]),
      ...unit.dropIns.map((dropIn) => ({
        path: `${folder}/${unit.name}.d/${dropIn.name}`,
        content: dropIn.content,
        mode: 0o644,
      })),
      ...(unit.state === "on"
        ? [
            {
              path: `${folder}/multi-user.target.wants/${unit.name}`,
              target: unit.content === undefined ? `/lib/systemd/system/${unit.name}` : `../${unit.name}`,
            },
          ]
        : []),
      ...(unit.state === "masked" && unit.content === undefined
        ? [{ path: `${folder}/${unit.name}`, target: "/dev/null" }]
        : []),
    ]),
  ];
}

/** Makes a node's volumes and container, puts its identity in, starts it. */
async function ensureNode(
  engine: Engine,
  cluster: ClusterName,
  node: NodeContainer,
  rights: Rights,
  admission: Admission | undefined,
): Promise<void> {
  const there = await inspect(engine, node.name);
  const same = there?.labels[label.shape] === nodeShape(node) && there.labels[label.instance] === node.instance;
  if (there !== undefined && same && there.status !== "created") {
    if (!there.running) await start(engine, node.name);
    return;
  }
  // One that was never started goes too: whoever slept over making it must not put its identity into ours.
  if (there !== undefined) await discard(engine, there.id, there.running, 60);
  const volumeLabels = {
    [label.cluster]: cluster,
    [label.node]: node.name,
    [label.group]: node.group,
    [label.role]: node.role,
    [label.instance]: node.instance,
    [label.address]: node.address,
  };
  await Promise.all([
    ensureVolume(engine, dataVolume(node.name), { ...volumeLabels, [label.part]: "data" }),
    ensureVolume(engine, dockerVolume(node.name), { ...volumeLabels, [label.part]: "docker" }),
  ]);
  // By id from here on: whoever slept meanwhile must not give its identity to somebody else's container.
  const id = await create(engine, node.name, nodeOptions(cluster, node, rights));
  if (admission === undefined) throw new Error(`node ${node.name} has no admission: it was not enrolled`);
  const bootstrap = {
    instance: node.instance,
    store: `https://${gatewayAddress(node.subnet)}:${storePort}`,
    pin: admission.pin,
  };
  const identity = archive([
    { path: "slipway/bootstrap.json", content: `${JSON.stringify(bootstrap)}\n`, mode: 0o644 },
    { path: "slipway/token", content: `${admission.token}\n`, mode: 0o600 },
    { path: "systemd/system/slipway-agent.service", content: agentUnit, mode: 0o644 },
    { path: "systemd/system/multi-user.target.wants/slipway-agent.service", target: "../slipway-agent.service" },
    ...firstBoot(admission.machine),
  ]);
  await put(engine, id, "/etc", identity);
  await start(engine, id);
}

async function removeContainer(engine: Engine, name: string): Promise<void> {
  // Its processes are of no more use and its data goes with its volumes, so there is nothing to wait for.
  await orDone(engine.call(`remove ${name}`, "DELETE", `/containers/${name}`, { query: { force: true, v: true } }));
}

/** Does one act on the engine; doing it twice changes nothing. */
export async function applyWork(
  engine: Engine,
  work: DockerWork,
  given: {
    readonly rights: () => Promise<Rights>;
    readonly runtime: () => Promise<Runtime>;
    readonly admission: Admission | undefined;
  },
): Promise<void> {
  switch (work.kind) {
    case "gateway":
      return ensureGateway(engine, work.cluster, work.gateway, await given.runtime());
    case "node":
      return ensureNode(engine, work.cluster, work.node, await given.rights(), given.admission);
    case "start":
      return start(engine, work.node);
    case "end": {
      const there = await inspect(engine, work.node);
      if (there === undefined || there.labels[label.instance] !== work.instance) return;
      return discard(engine, there.id, there.running, work.seconds);
    }
    case "removeNode": {
      const there = await inspect(engine, work.node);
      // Another instance under this name came after the decision to remove.
      if (there !== undefined && there.labels[label.instance] !== work.instance) return;
      if (there !== undefined) await removeContainer(engine, there.id);
      if (!work.volumes) return;
      await Promise.all([dataVolume(work.node), dockerVolume(work.node)].map((volume) => removeVolume(engine, volume)));
      return;
    }
    case "removeGateway":
      return removeContainer(engine, gatewayName(work.cluster));
    case "removeVolume":
      return removeVolume(engine, work.volume);
    case "removeNetwork":
      return orDone(
        engine.call(
          `remove the network ${networkName(work.cluster)}`,
          "DELETE",
          `/networks/${networkName(work.cluster)}`,
        ),
      );
  }
}
