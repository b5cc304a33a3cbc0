import type { NodePorts } from "../node.ts";
import { etcdData, etcdEnvironment, etcdUnit, firstStart, pkiFolder } from "./paths.ts";
import type { DiskClaim, EtcdDisk, EtcdProcess, InitialMember } from "./join.ts";
import { peerUrl, type EtcdMember } from "./membership.ts";

export const ownEndpoint = "https://127.0.0.1:2379";
export const endpointOf = (address: string): string => `https://${address}:2379`;
/** Where a member answers its clients: at the address at which its peers reach it. */
export const memberEndpoint = (member: Pick<EtcdMember, "peerUrls">): string =>
  (member.peerUrls[0] ?? "").replace(/:2380$/, ":2379");

const claimFile = `${etcdData}/slipway.json`;
/** There while etcd was started in this boot. */
const startedMark = "/run/slipway/etcd-started";
const claimOwner = { mode: 0o600, user: "root", group: "root" } as const;

function readClaim(text: string): DiskClaim | undefined {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null) return undefined;
  const [kind, generation, instance, claim, memberId] = ["kind", "generation", "instance", "claim", "memberId"].map(
    (name): unknown => Reflect.get(value, name),
  );
  if (typeof generation !== "string" || typeof instance !== "string") return undefined;
  if (kind === "founder" && typeof claim === "string") return { kind, generation, instance, claim };
  if (kind === "learner" && typeof memberId === "string") return { kind, generation, instance, memberId };
  return undefined;
}

/**
 * The claim and whether etcd's own data is there. A claim that cannot be read is an error, never "none". Data is what etcd
 * itself takes for it: a write-ahead log, which it puts in its place whole. It makes other folders before, and a member
 * that was killed in between would, started as one that has data, found a cluster of its own.
 */
export async function lookAtDisk({ files }: NodePorts): Promise<EtcdDisk> {
  const [text, wal] = await Promise.all([files.read(claimFile), files.list(`${etcdData}/member/wal`)]);
  const claim = text === undefined ? undefined : readClaim(text);
  if (text !== undefined && claim === undefined) throw new Error(`${claimFile} is not readable as a claim`);
  return { claim, data: wal?.some((name) => name.endsWith(".wal")) === true };
}

/** What the etcd unit and its own endpoint say. */
export async function lookAtProcess({ etcd, systemd, files }: NodePorts): Promise<EtcdProcess> {
  // Nobody else starts it, so without our mark there is nothing to ask; the mark is gone after a reboot.
  if ((await files.read(startedMark)) === undefined) return { kind: "stopped" };
  try {
    const status = await etcd.status(ownEndpoint);
    const healthy = status.learner ? false : await etcd.reads(ownEndpoint, "linearizable");
    return {
      kind: "answers",
      clusterId: status.clusterId,
      memberId: status.memberId,
      learner: status.learner,
      healthy,
    };
  } catch (error) {
    // Connection refused, a timeout, or no leader yet: the unit's own state tells which of the two it is.
    const state = (await systemd.states([etcdUnit])).get(etcdUnit);
    if (state === undefined || state.active === "inactive") return { kind: "stopped" };
    if (state.active === "failed") return { kind: "failed" };
    const why = error instanceof Error ? error.message : String(error);
    const log = state.result !== "success" ? await systemd.log(etcdUnit, 5) : [];
    return { kind: "silent", log: [...log, why] };
  }
}

export async function writeClaim({ files }: NodePorts, claim: DiskClaim, replace: boolean): Promise<void> {
  await files.makeFolder(etcdData, { mode: 0o700, user: "etcd", group: "etcd" });
  if (replace) await files.write(claimFile, `${JSON.stringify(claim)}\n`, claimOwner);
  else await files.create(claimFile, `${JSON.stringify(claim)}\n`, claimOwner);
}

/** Starts etcd: as founder (`new`), as learner (`existing`), or on the data that is there. */
export async function startEtcd(
  node: NodePorts,
  start: { readonly state: "new" | "existing"; readonly members: readonly InitialMember[] } | undefined,
): Promise<void> {
  const { me, files, systemd } = node;
  const disk = await lookAtDisk(node);
  if (disk.claim === undefined) throw new Error("etcd is not started: the claim beside its data is gone");
  if (start === undefined && !disk.data) throw new Error("etcd is not started: its data is gone");
  const settings: Record<string, string> = {
    ETCD_NAME: me.node,
    ETCD_DATA_DIR: etcdData,
    ETCD_LISTEN_PEER_URLS: peerUrl(me.address),
    ETCD_INITIAL_ADVERTISE_PEER_URLS: peerUrl(me.address),
    ETCD_LISTEN_CLIENT_URLS: `${endpointOf(me.address)},${ownEndpoint}`,
    ETCD_ADVERTISE_CLIENT_URLS: endpointOf(me.address),
    ETCD_CERT_FILE: `${pkiFolder}/etcd-server.crt`,
    ETCD_KEY_FILE: `${pkiFolder}/etcd-server.key`,
    ETCD_TRUSTED_CA_FILE: `${pkiFolder}/etcd-server.ca.crt`,
    ETCD_CLIENT_CERT_AUTH: "true",
    ETCD_PEER_CERT_FILE: `${pkiFolder}/etcd-peer.crt`,
    ETCD_PEER_KEY_FILE: `${pkiFolder}/etcd-peer.key`,
    ETCD_PEER_TRUSTED_CA_FILE: `${pkiFolder}/etcd-peer.ca.crt`,
    ETCD_PEER_CLIENT_CERT_AUTH: "true",
    ETCD_TLS_MIN_VERSION: "TLS1.2",
    ETCD_INITIAL_CLUSTER_TOKEN: me.generation,
    ETCD_AUTO_COMPACTION_MODE: "periodic",
    ETCD_AUTO_COMPACTION_RETENTION: "10h",
    ETCD_LOG_LEVEL: "warn",
    ...(start === undefined
      ? // Of no effect on data that is there; without any, etcd must not take itself for a founder.
        { ETCD_INITIAL_CLUSTER_STATE: "existing" }
      : {
          ETCD_INITIAL_CLUSTER_STATE: start.state,
          ETCD_INITIAL_CLUSTER: start.members.map((member) => `${member.name}=${member.peerUrl}`).join(","),
        }),
  };
  const text = Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
  await files.makeFolder(etcdData, { mode: 0o700, user: "etcd", group: "etcd" });
  await files.write(etcdEnvironment, text, { mode: 0o600, user: "root", group: "root" });
  await files.makeFolder("/run/slipway", { mode: 0o755, user: "root", group: "root" });
  if (start === undefined) await files.remove(firstStart);
  else await files.write(firstStart, "", { mode: 0o600, user: "root", group: "root" });
  await systemd.resetFailed(etcdUnit);
  await systemd.start([etcdUnit]);
  await files.write(startedMark, "", { mode: 0o644, user: "root", group: "root" });
}

/** Stops etcd and moves its data and claim aside; nothing is deleted. */
export async function setAside({ files, systemd, clock }: NodePorts): Promise<void> {
  await systemd.stop([etcdUnit]);
  await files.remove(startedMark);
  await files.move(etcdData, `${etcdData}.${new Date(clock.now()).toISOString().replaceAll(/[:.]/g, "-")}`);
  await files.makeFolder(etcdData, { mode: 0o700, user: "etcd", group: "etcd" });
}
