import { createHash, X509Certificate } from "node:crypto";
import { listRecords, readRecord } from "../../src/records/access.ts";
import { label } from "../../src/targets/docker/names.ts";
import { clusterOf, type MemoryWorld } from "./memory-target.ts";

/** What a world looks like without what is random: two worlds that should be the same are equal here. */
export async function picture(world: MemoryWorld, name = "demo"): Promise<unknown> {
  const { engine } = world;
  const mine = <T extends { readonly labels: Readonly<Record<string, string>> }>(all: ReadonlyMap<string, T>): T[] =>
    [...all.values()].filter(({ labels }) => labels[label.cluster] === name);
  const containers = mine(engine.containers);
  const instances = new Map(
    containers.flatMap((container) => {
      const instance = container.labels[label.instance];
      return instance === undefined ? [] : [[instance, container.name] as const];
    }),
  );
  const cluster = clusterOf(world, name);
  const store = engine.store(name);
  return {
    containers: containers
      .map(
        (container) =>
          `${container.name} ${container.state} ${container.labels[label.address] ?? ""} ${container.labels[label.part]} ${container.ports.map((port) => port.inside).join(",")}`,
      )
      .toSorted(),
    // A node's volumes are its own: they bear the instance of the container that mounts them.
    volumes: mine(engine.volumes)
      .map(
        (volume) =>
          `${volume.name} ${volume.labels[label.part]} ${volume.labels[label.instance] === undefined ? "" : (instances.get(volume.labels[label.instance] ?? "") ?? "of nobody")}`,
      )
      .toSorted(),
    unlabelled: [...engine.volumes.values()]
      .filter(({ labels }) => labels[label.cluster] === undefined)
      .map((volume) => volume.name),
    networks: mine(engine.networks).map((network) => `${network.name} ${network.subnet}`),
    refusals: [...cluster.refusals].filter(([node]) => engine.containers.has(node)),
    etcd: (cluster.members.etcd?.members ?? [])
      .map((member) => `${member.name} ${member.peerUrls.join(",")} ${member.learner ? "learner" : "voter"}`)
      .toSorted(),
    swarm: (cluster.members.swarm?.nodes ?? [])
      .map(
        (node) =>
          `${node.hostname} ${node.role} ${node.availability} ${JSON.stringify(
            Object.entries(node.labels)
              .filter(([key]) => key !== label.instance)
              .toSorted(),
          )}`,
      )
      .toSorted(),
    services: [...cluster.services.keys()].toSorted(),
    store: store === undefined ? "not there" : await storePicture(world, store, instances),
  };
}

async function storePicture(
  world: MemoryWorld,
  store: NonNullable<ReturnType<MemoryWorld["engine"]["store"]>>,
  instances: ReadonlyMap<string, string>,
): Promise<unknown> {
  const pointer = (await readRecord(store, "pointer"))?.value;
  const roster = (await listRecords(store, "roster")).map(({ value }) => value);
  const present = roster.filter((entry) => entry.state !== "gone");
  const nodes = (await listRecords(store, "node")).map(({ value }) => value);
  const revision =
    pointer === undefined ? undefined : await readRecord(store, "servicesRevision", { revision: pointer.revision });
  const groups = pointer === undefined ? [] : await listRecords(store, "groupRevision", { revision: pointer.revision });
  const cluster = (await readRecord(store, "cluster"))?.value;
  const services = new Map((await listRecords(store, "service")).map(({ value }) => [value.name, value]));
  return {
    cluster: cluster === undefined ? "not there" : { name: cluster.name, orchestrator: cluster.orchestrator },
    generations: (await store.list("generation/")).size,
    issuersSignedByRoot: await chained(store),
    revision: pointer?.revision,
    groups: groups.map(({ value }) => value.group).toSorted(),
    // Every instance that is not gone has its container, bears its name and has the token that it was given.
    roster: present
      .map(
        (entry) =>
          `${entry.node} ${entry.state} ${entry.address} ${instances.get(entry.instance) ?? "of nobody"} ${tokenFits(world, entry) ? "" : "WRONG TOKEN"}`,
      )
      .toSorted(),
    nodes: present
      .map((entry) => {
        const record = nodes.find(({ instance }) => instance === entry.instance);
        return `${entry.node} ${record?.state} ${record?.phase} ${record?.revision} ${record?.drift.length}`;
      })
      .toSorted(),
    services: (revision?.value.services ?? []).map((wanted) => {
      const record = services.get(wanted.name);
      return `${wanted.name} ${record?.state} ${record?.running}/${record?.desired} ${record?.revision} ${record?.drift.length}`;
    }),
    lock: (await readRecord(store, "lock"))?.value.holder ?? "free",
  };
}

function tokenFits(world: MemoryWorld, entry: { readonly node: string; readonly tokenHash: string }): boolean {
  const token = (world.engine.containers.get(entry.node)?.files.get("/etc/slipway/token") ?? "").trim();
  return createHash("sha256").update(token).digest("hex") === entry.tokenHash;
}

async function chained(store: NonNullable<ReturnType<MemoryWorld["engine"]["store"]>>): Promise<string> {
  const root = await readRecord(store, "root");
  const issuers = await listRecords(store, "issuer");
  if (root === undefined) return "no root";
  const certificate = new X509Certificate(root.value.certificate);
  return `${issuers.filter(({ value }) => new X509Certificate(value.certificate).verify(certificate.publicKey)).length} of ${issuers.length}`;
}
