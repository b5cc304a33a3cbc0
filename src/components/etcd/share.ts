import type { RecordValue } from "../../records/table.ts";
import { etcdRoot, etcdWorker } from "../certificates.ts";
import { act, settled, wait, type Next, type Seen } from "../reconciler.ts";
import type { KeyRange } from "./client.ts";

/** etcd's authentication, as far as sharing needs it. `undefined`: there is no such user or role. */
export type ObservedAuth = {
  readonly enabled: boolean;
  /** The roles of the user root. */
  readonly root: readonly string[] | undefined;
  /** The roles of the user worker. */
  readonly worker: readonly string[] | undefined;
  readonly roles: {
    readonly root: boolean;
    /** What the role worker may read and write. */
    readonly worker: readonly KeyRange[] | undefined;
  };
};

export type ShareView = {
  /** The prefix that the file shares. */
  readonly share: string | undefined;
  /** Of the control instances that are present, sorted. */
  readonly addresses: Seen<readonly string[]>;
  /** What workers are told. */
  readonly published: Seen<Pick<RecordValue<"workerEtcd">, "share" | "addresses"> | undefined>;
  readonly auth: Seen<ObservedAuth>;
  /** Whether every member that has started asks who its clients are. */
  readonly everywhere: Seen<boolean>;
};

export type ShareAct =
  | { readonly kind: "addUser" | "addRole"; readonly name: string }
  | { readonly kind: "grantRole"; readonly user: string; readonly role: string }
  | { readonly kind: "grant" | "revoke"; readonly range: KeyRange }
  | { readonly kind: "enable" }
  | { readonly kind: "removeWorker" }
  | { readonly kind: "publish"; readonly share: string | undefined; readonly addresses: readonly string[] };

/** All keys that begin with a prefix: to the next text after all of them, as etcd's own `--prefix` has it. */
export function prefixRange(prefix: string): KeyRange {
  const end = Buffer.from(prefix, "utf8");
  const from = end.toString("latin1");
  for (let last = end.length - 1; last >= 0; last--) {
    const byte = end[last] ?? 0xff;
    if (byte === 0xff) continue;
    end[last] = byte + 1;
    return { from, to: end.subarray(0, last + 1).toString("latin1") };
  }
  // All keys from there on.
  return { from, to: "\0" };
}

/**
 * The next step in giving workers their prefix, or in taking it back; pure. Any healthy control member may ask, all acts
 * are idempotent. A worker's certificate opens all of etcd until authentication is on: so first etcd asks every client who
 * it is, on every member; only then are workers told, and their certificates signed. Once on, it stays on.
 */
export function shareNext(view: ShareView): Next<ShareAct> {
  const { published, addresses, auth } = view;
  if (published.kind === "unknown") return wait(`cannot read what workers are told of etcd: ${published.why}`);
  const told = published.value;
  // Before a prefix is taken back or replaced, nobody is let in for the old one any more.
  if (told?.share !== undefined && told.share !== view.share)
    return act({ kind: "publish", share: undefined, addresses: [] });
  if (view.share === undefined && told === undefined) return settled;
  if (auth.kind === "unknown") return wait(`cannot read etcd's users: ${auth.why}`);
  if (view.share === undefined) return takeBack(auth.value);
  const next = admit(auth.value, prefixRange(view.share));
  if (next !== undefined) return act(next);
  if (told?.share === undefined) {
    if (view.everywhere.kind === "unknown")
      return wait(`an etcd member does not say whether it knows its users: ${view.everywhere.why}`);
    if (!view.everywhere.value) return wait("an etcd member does not ask yet who its clients are");
  }
  if (addresses.kind === "unknown") return wait(`cannot read the roster: ${addresses.why}`);
  const same = told?.share === view.share && told.addresses.join() === addresses.value.join();
  return same ? settled : act({ kind: "publish", share: view.share, addresses: addresses.value });
}

/** Workers lose what they had; a certificate that one kept is nobody's to etcd then. */
function takeBack(auth: ObservedAuth): Next<ShareAct> {
  const range = auth.roles.worker?.[0];
  if (range !== undefined) return act({ kind: "revoke", range });
  return auth.worker === undefined ? settled : act({ kind: "removeWorker" });
}

/** Root first: without a user root who has the role root, etcd does not turn authentication on, and nobody could turn it off. */
function admit(auth: ObservedAuth, range: KeyRange): ShareAct | undefined {
  if (auth.root === undefined) return { kind: "addUser", name: etcdRoot };
  if (!auth.roles.root) return { kind: "addRole", name: etcdRoot };
  if (!auth.root.includes(etcdRoot)) return { kind: "grantRole", user: etcdRoot, role: etcdRoot };
  if (auth.roles.worker === undefined) return { kind: "addRole", name: etcdWorker };
  const surplus = auth.roles.worker.find((has) => has.from !== range.from || has.to !== range.to);
  if (surplus !== undefined) return { kind: "revoke", range: surplus };
  if (auth.roles.worker.length === 0) return { kind: "grant", range };
  if (!auth.enabled) return { kind: "enable" };
  // The user last: until authentication is on, it would name somebody who is not held to anything.
  if (auth.worker === undefined) return { kind: "addUser", name: etcdWorker };
  if (!auth.worker.includes(etcdWorker)) return { kind: "grantRole", user: etcdWorker, role: etcdWorker };
  return undefined;
}
