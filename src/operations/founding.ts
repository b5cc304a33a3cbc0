import type { Cluster } from "../cluster/cluster.ts";
import { controlGroup } from "../cluster/cluster.ts";
import { gatewayCertificate, gatewayInstance } from "../components/certificates.ts";
import { answerRequest, type Issuing } from "../components/keeper.ts";
import { makeAnchor, makeIssuer, makeRoot } from "../pki/authority.ts";
import { purposes, type Purpose } from "../pki/purpose.ts";
import { encryptKey, makeRecoveryKey, type RecoveryKey } from "../pki/recovery.ts";
import { fingerprint } from "../pki/renewal.ts";
import { keyOf, readRecord, writeOnce } from "../records/access.ts";
import type { RecordValue } from "../records/table.ts";
import type { ClusterStore } from "../store/store.ts";
import { OperationError, type Context } from "./context.ts";
import type { Locked } from "./under-lock.ts";

export type Founding = {
  readonly record: RecordValue<"cluster">;
  /** SHA-256 of the root certificate. */
  readonly pin: string;
};

async function removeKey(store: ClusterStore, key: string): Promise<void> {
  const there = await store.get(key);
  if (there !== undefined) await store.delete(key, there.version);
}

/** The state of the generation that the cluster's record names; opened where a run ended right before it did. */
async function openGeneration(
  { random }: Context,
  store: ClusterStore,
  generation: string,
): Promise<"open" | "closed"> {
  const there = await readRecord(store, "generation", { generation });
  return (
    there ?? (await writeOnce(store, "generation", { generation }, { generation, state: "open", nonce: random.hex(8) }))
  ).value.state;
}

/** How many control instances found etcd is decided with the cluster; another number before they have would be waited for in vain. */
async function refuseOtherFounders(store: ClusterStore, record: RecordValue<"cluster">, count: number): Promise<void> {
  if (
    count === record.founders ||
    (await readRecord(store, "etcdProposal", { generation: record.generation })) !== undefined
  )
    return;
  throw new OperationError(
    `the creation of ${record.name} was interrupted before its ${record.founders} control nodes founded etcd: launch it with ${record.founders} first, or remove what there is`,
    `slipway cleanup ${record.name}`,
  );
}

/** Root, recovery key and issuing authorities of a cluster; nothing of it is anywhere yet. */
export type Trust = {
  readonly recovery: RecoveryKey;
  readonly root: Omit<RecordValue<"root">, "nonce">;
  readonly issuers: readonly { readonly purpose: Purpose; readonly issuer: RecordValue<"issuer"> }[];
};

/** Makes the keys of a new cluster: a third of a second, which the start of its gateway takes anyway. */
export async function makeTrust(name: string, now: number): Promise<Trust> {
  const root = await makeRoot({ name, now });
  const recovery = await makeRecoveryKey();
  const [encryptedKey, ...issuers] = await Promise.all([
    encryptKey(root.key, [recovery.recipient]),
    ...purposes.map(async (purpose) => {
      const issuer = await makeIssuer({ purpose, root, now });
      return { purpose, issuer: { ...issuer, anchor: await makeAnchor(issuer) } };
    }),
  ]);
  return {
    recovery,
    root: { certificate: root.certificate, encryptedKey, recipients: [recovery.recipient] },
    issuers,
  };
}

/**
 * Makes what a cluster has once: root, issuing authorities, and last the cluster's record, which says that
 * the rest is whole. Interrupted before that, it begins anew: nobody has used any of it yet. The caller holds the lock, and
 * may have begun to make the keys.
 */
export async function found(
  { context, store, lock }: Locked,
  cluster: Cluster,
  begunTrust?: Promise<Trust>,
): Promise<Founding> {
  const there = await readRecord(store, "cluster");
  if (there !== undefined) {
    const { record, root } = { record: there.value, root: await readRecord(store, "root") };
    if (root === undefined)
      throw new OperationError(
        `the store of ${cluster.name} has lost its root certificate`,
        `slipway cleanup ${cluster.name}`,
      );
    if (record.orchestrator !== cluster.orchestrator) {
      throw new OperationError(
        `${cluster.name} was made with orchestrator ${record.orchestrator}; it cannot become ${cluster.orchestrator}`,
        `slipway cleanup ${cluster.name}`,
      );
    }
    if ((await openGeneration(context, store, record.generation)) === "closed")
      throw new OperationError(`this creation of ${cluster.name} was rolled back`, `slipway cleanup ${cluster.name}`);
    await refuseOtherFounders(store, record, controlGroup(cluster).count);
    return { record, pin: fingerprint(root.value.certificate) };
  }
  const { clock, random, emit } = context;
  const begun = [keyOf("root"), ...purposes.map((purpose) => keyOf("issuer", { purpose }))];
  await Promise.all(begun.map((key) => removeKey(store, key)));
  const now = clock.now();
  const { root, recovery, issuers } = await (begunTrust ?? makeTrust(cluster.name, now));
  const written = await Promise.all([
    writeOnce(store, "root", {}, root),
    ...issuers.map(({ purpose, issuer }) => writeOnce(store, "issuer", { purpose }, issuer)),
  ]);
  // Whoever slept here must not finish what somebody else has begun anew.
  await lock.check();
  if (!written.every((record) => record.written))
    throw new OperationError(`somebody else is making ${cluster.name}`, `slipway status ${cluster.name}`);
  const record: RecordValue<"cluster"> = {
    name: cluster.name,
    orchestrator: cluster.orchestrator,
    generation: random.hex(8),
    founders: controlGroup(cluster).count,
    created: now,
    nonce: random.hex(8),
  };
  // Shown before the record that makes it final: a run that ends in between shows another one, and the last one counts.
  emit("root.recoveryKey", { key: recovery.identity });
  if (!(await writeOnce(store, "cluster", {}, record)).written)
    throw new OperationError(`somebody else is making ${cluster.name}`, `slipway status ${cluster.name}`);
  await openGeneration(context, store, record.generation);
  return { record, pin: fingerprint(root.certificate) };
}

/** The store's server needs a certificate before the first node can come; later ones are signed by control nodes. */
export async function admitGateway(context: Context, store: ClusterStore, address: string): Promise<void> {
  const { clock, signal } = context;
  const deadline = clock.now() + 30_000;
  while ((await readRecord(store, "request", { instance: gatewayInstance })) === undefined) {
    signal.throwIfAborted();
    if (clock.now() > deadline)
      throw new OperationError("the gateway did not ask for its certificate within 30 s", "slipway doctor");
    await clock.sleep(50, signal);
  }
  const root = await readRecord(store, "root");
  if (root === undefined) throw new OperationError("the store has no root certificate");
  const issuing: Issuing = {
    root: root.value.certificate,
    async issuer(purpose) {
      const issuer = await readRecord(store, "issuer", { purpose });
      if (issuer === undefined) throw new OperationError(`the store has no ${purpose} authority`);
      return issuer.value;
    },
  };
  await answerRequest(store, gatewayInstance, [gatewayCertificate(address)], issuing, clock.now());
}
