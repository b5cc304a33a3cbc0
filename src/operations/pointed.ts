import type { Cluster } from "../cluster/cluster.ts";
import type { Pointer } from "../machine/pointer.ts";
import { fingerprint } from "../pki/renewal.ts";
import { readRecord } from "../records/access.ts";
import { NotHere, type StoreAccess, type Target } from "../targets/target.ts";

/** What user data points at and a running store can say: its address, its root's sum, its programs' sums. */
export type Pointed = Pick<Pointer, "store" | "pin" | "runtime">;

export type Asked =
  | { readonly kind: "seen"; readonly value: Pointed }
  | { readonly kind: "unknown"; readonly why: string };

/** Asks the store of a file's cluster for what its user data points at, or says why it cannot be had. Looks only. */
export async function pointed(target: Target, cluster: Cluster): Promise<Asked> {
  const { store } = cluster.files;
  if (target.userData === undefined || store === undefined)
    return { kind: "unknown", why: "the file names no store: files: { store }" };
  let opened: StoreAccess | undefined;
  try {
    opened = await target.store(cluster.name);
    const root = opened === undefined ? undefined : await readRecord(opened.store, "root");
    const record = opened === undefined ? undefined : await readRecord(opened.store, "cluster");
    if (root === undefined || record?.value.name !== cluster.name)
      return { kind: "unknown", why: `${cluster.name} is not launched yet` };
    const runtime = await target.userData.sums();
    return { kind: "seen", value: { store, pin: fingerprint(root.value.certificate), runtime } };
  } catch (error) {
    if (!(error instanceof NotHere)) throw error;
    return { kind: "unknown", why: error.message };
  } finally {
    await opened?.close();
  }
}
