import type { DockerClient } from "@docker/node-sdk";
import type { ClusterName } from "../../cluster/cluster.ts";
import type { Admission } from "../target.ts";
import { archive } from "./archive.ts";
import { gatewayOptions, gatewayShape, nodeOptions, nodeShape, runtimeFolder } from "./container.ts";
import { must, orAbsent, orDone } from "./engine.ts";
import { dataVolume, dockerVolume, gatewayName, label, networkName, runtimeVolume, storePort, storeVolume } from "./names.ts";
import { bridgeAddress, gatewayAddress } from "./network.ts";
import type { Rights } from "./rights.ts";
import { runtimeArchive, type Runtime } from "./runtime.ts";
import type { DockerWork, GatewayContainer, NodeContainer } from "./work.ts";

const agentUnit = `[Unit]
Description=Slipway agent
After=dbus.service
StartLimitIntervalSec=0

[Service]
ExecStart=${runtimeFolder}/node ${runtimeFolder}/agent.js
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=1
KillMode=process
TimeoutStopSec=30

[Install]
WantedBy=multi-user.target
`;

/** Makes the cluster's network if it is not there; a second operator that does the same at once is no error. */
export async function ensureNetwork(engine: DockerClient, cluster: ClusterName, subnet: string): Promise<void> {
  await orDone(
    `make the network ${networkName(cluster)} (${subnet})`,
    engine.networkCreate({
      Name: networkName(cluster),
      CheckDuplicate: true,
      Driver: "bridge",
      IPAM: { Driver: "default", Config: [{ Subnet: subnet, Gateway: bridgeAddress(subnet) }] },
      Labels: { [label.cluster]: cluster, [label.part]: "network" },
    } as Parameters<DockerClient["networkCreate"]>[0]),
  );
}

async function ensureVolume(engine: DockerClient, name: string, labels: Readonly<Record<string, string>>): Promise<void> {
  await must(`make the volume ${name}`, engine.volumeCreate({ Name: name, Labels: { ...labels } }));
}

/** Makes the gateway, or makes it anew when its shape changed; the store's volume stays. */
export async function ensureGateway(engine: DockerClient, cluster: ClusterName, gateway: GatewayContainer, runtime: Runtime): Promise<void> {
  const name = gatewayName(cluster);
  const there = await orAbsent(`look at ${name}`, engine.containerInspect(name));
  if (there !== undefined && there.Config?.Labels?.[label.shape] === gatewayShape(gateway) && there.State?.Status !== "created") {
    if (there.State?.Running !== true) await orDone(`start ${name}`, engine.containerStart(name));
    return;
  }
  if (there !== undefined) {
    if (there.State?.Running === true) await orDone(`stop ${name}`, engine.containerStop(name, { timeout: 5 }));
    await orDone(`remove ${name}`, engine.containerDelete(name, { force: true }));
  }
  const owned = { [label.cluster]: cluster };
  await Promise.all([
    ensureVolume(engine, storeVolume(cluster), { ...owned, [label.part]: "store" }),
    ensureVolume(engine, runtimeVolume(cluster), { ...owned, [label.part]: "runtime" }),
  ]);
  await orDone(`make ${name}`, engine.containerCreate(gatewayOptions(cluster, gateway) as Parameters<DockerClient["containerCreate"]>[0], { name }));
  await must(`put the runtime into ${name}`, engine.putContainerArchive(name, runtimeFolder, runtimeArchive(runtime)));
  await orDone(`start ${name}`, engine.containerStart(name));
}

/** Makes a node's volumes and container, puts its identity in, starts it. */
async function ensureNode(engine: DockerClient, cluster: ClusterName, node: NodeContainer, rights: Rights, admission: Admission | undefined): Promise<void> {
  const there = await orAbsent(`look at ${node.name}`, engine.containerInspect(node.name));
  const labels = there?.Config?.Labels ?? {};
  const same = labels[label.shape] === nodeShape(node) && labels[label.instance] === node.instance;
  if (there !== undefined && same && there.State?.Status !== "created") {
    if (there.State?.Running !== true) await orDone(`start ${node.name}`, engine.containerStart(node.name));
    return;
  }
  if (there !== undefined && !same) {
    if (there.State?.Running === true) await orDone(`stop ${node.name}`, engine.containerStop(node.name, { timeout: 60 }));
    await orDone(`remove ${node.name}`, engine.containerDelete(node.name, { force: true }));
  }
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
  await orDone(`make ${node.name}`, engine.containerCreate(nodeOptions(cluster, node, rights) as Parameters<DockerClient["containerCreate"]>[0], { name: node.name }));
  if (admission === undefined) throw new Error(`node ${node.name} has no admission: it was not enrolled`);
  const bootstrap = {
    instance: node.instance,
    store: `https://${gatewayAddress(node.subnet)}:${storePort}`,
    pin: admission.pin,
  };
  const unit = "systemd/system/slipway-agent.service";
  await must(
    `put the identity into ${node.name}`,
    engine.putContainerArchive(
      node.name,
      "/etc",
      archive([
        { path: "slipway/bootstrap.json", content: `${JSON.stringify(bootstrap)}\n`, mode: 0o644 },
        { path: "slipway/token", content: `${admission.token}\n`, mode: 0o600 },
        { path: unit, content: agentUnit, mode: 0o644 },
        { path: "systemd/system/multi-user.target.wants/slipway-agent.service", target: "../slipway-agent.service" },
      ]),
    ),
  );
  await must(`start ${node.name}`, engine.containerStart(node.name));
}

async function removeContainer(engine: DockerClient, name: string): Promise<void> {
  // Its processes are of no more use and its data goes with its volumes, so there is nothing to wait for.
  await orDone(`remove ${name}`, engine.containerDelete(name, { force: true, volumes: true }));
}

/** Does one act on the engine; doing it twice changes nothing. */
export async function applyWork(
  engine: DockerClient,
  work: DockerWork,
  given: { readonly rights: () => Promise<Rights>; readonly runtime: () => Promise<Runtime>; readonly admission: Admission | undefined },
): Promise<void> {
  switch (work.kind) {
    case "gateway":
      return ensureGateway(engine, work.cluster, work.gateway, await given.runtime());
    case "node":
      return ensureNode(engine, work.cluster, work.node, await given.rights(), given.admission);
    case "start":
      return orDone(`start ${work.node}`, engine.containerStart(work.node));
    case "removeNode": {
      await removeContainer(engine, work.node);
      if (!work.volumes) return;
      await Promise.all(
        [dataVolume(work.node), dockerVolume(work.node)].map((volume) => orDone(`remove the volume ${volume}`, engine.volumeDelete(volume))),
      );
      return;
    }
    case "removeGateway":
      return removeContainer(engine, gatewayName(work.cluster));
    case "removeVolume":
      return orDone(`remove the volume ${work.volume}`, engine.volumeDelete(work.volume));
    case "removeNetwork":
      return orDone(`remove the network ${networkName(work.cluster)}`, engine.networkDelete(networkName(work.cluster)));
  }
}
