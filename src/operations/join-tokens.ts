import { createHash, timingSafeEqual } from "node:crypto";
import type { ClusterName } from "../cluster/cluster.ts";
import type { Random } from "../host/random.ts";
import { isoTime } from "../host/time.ts";
import { nearest } from "../problems/nearest.ts";
import { listRecords, readRecord, updateRecord, writeOnce } from "../records/access.ts";
import type { RecordValue } from "../records/table.ts";
import { isKey, type ClusterStore } from "../store/store.ts";
import { OperationError, type Context } from "./context.ts";
import { withStore } from "./look.ts";

/** How long a token lets machines in when nobody says otherwise: a day, milliseconds. */
export const usualLife = 24 * 3_600_000;

export type TokenWish = {
  readonly group: string;
  readonly role: "control" | "worker";
  /** How many machines it lets in. */
  readonly uses: number;
  /** Milliseconds from now. */
  readonly life: number;
};

/** Makes a join token; its secret is in the answer and nowhere else. */
export async function makeToken(
  store: ClusterStore,
  { random, now }: { readonly random: Random; readonly now: number },
  { group, role, uses, life }: TokenWish,
): Promise<{ readonly id: string; readonly token: string; readonly expires: number }> {
  const [id, secret] = [random.hex(4), random.hex(24)];
  const expires = now + life;
  const hash = createHash("sha256").update(secret).digest("hex");
  const record = { id, group, role, hash, expires, uses, revoked: false, nonce: random.hex(8) };
  const { written } = await writeOnce(store, "joinToken", { id }, record);
  if (!written) throw new OperationError(`there is a join token ${id} already`);
  return { id, token: `${id}.${secret}`, expires };
}

/** Whether a token that was handed out before still lets in all that are missing. */
export async function stillGood(
  store: ClusterStore,
  { token, group, missing, now }: { token: string; group: string; missing: number; now: number },
): Promise<boolean> {
  const [id = "", secret = ""] = token.trim().split(".");
  if (!/^[a-z0-9]+$/.test(id)) return false;
  const record = (await readRecord(store, "joinToken", { id }))?.value;
  if (record === undefined || record.group !== group || record.revoked || record.expires <= now) return false;
  const shown = createHash("sha256").update(secret).digest();
  const expected = Buffer.from(record.hash, "hex");
  if (expected.length !== shown.length || !timingSafeEqual(shown, expected)) return false;
  return record.uses - (await usesIn(store))(id) >= missing;
}

/** How many machines have asked with a token, whether they were let in or not: the store lets no more ask than it has uses. */
async function usesIn(store: ClusterStore): Promise<(id: string) => number> {
  const joins = (await listRecords(store, "join")).map(({ value }) => value.token);
  return (id) => joins.filter((token) => token === id).length;
}

/** The role of a group in the revision that runs; an `OperationError` names the groups that there are. */
async function roleOf(store: ClusterStore, group: string): Promise<"control" | "worker"> {
  const pointer = await readRecord(store, "pointer");
  if (pointer === undefined) throw new OperationError("the cluster has no revision yet", "slipway launch --on files");
  const groups = (await listRecords(store, "groupRevision", { revision: pointer.value.revision })).map(
    ({ value }) => value,
  );
  const found = groups.find((one) => one.group === group);
  if (found === undefined) {
    const names = groups.map((one) => one.group);
    const meant = nearest(group, names);
    throw new OperationError(
      `there is no group ${group}: there are ${names.join(", ")}${meant === undefined ? "" : `; did you mean ${meant}?`}`,
    );
  }
  return found.role;
}

export type TokenInput = {
  readonly cluster: ClusterName;
  readonly group: string;
  readonly uses: number;
  readonly life: number;
};
export type MadeToken = {
  readonly id: string;
  readonly token: string;
  readonly group: string;
  readonly uses: number;
  readonly expires: string;
};

/** `slipway store token create`. */
export async function createToken(context: Context, { cluster, group, uses, life }: TokenInput): Promise<MadeToken> {
  return withStore(context, cluster, async (store) => {
    const role = await roleOf(store, group);
    const made = await makeToken(
      store,
      { random: context.random, now: context.clock.now() },
      { group, role, uses, life },
    );
    return { ...made, group, uses, expires: isoTime(made.expires) };
  });
}

export type ShownToken = {
  readonly id: string;
  readonly group: string;
  readonly state: "open" | "used up" | "expired" | "revoked";
  readonly uses: number;
  readonly used: number;
  readonly expires: string;
};

function stateOf(token: RecordValue<"joinToken">, used: number, now: number): ShownToken["state"] {
  if (token.revoked) return "revoked";
  if (token.expires <= now) return "expired";
  return used >= token.uses ? "used up" : "open";
}

/** `slipway store token list`: what there is, without the secrets, which nobody has. */
export async function listTokens(
  context: Context,
  input: { readonly cluster: ClusterName },
): Promise<readonly ShownToken[]> {
  return withStore(context, input.cluster, async (store) => {
    const [tokens, uses] = await Promise.all([listRecords(store, "joinToken"), usesIn(store)]);
    const now = context.clock.now();
    return tokens
      .map(({ value }) => value)
      .toSorted((a, b) => a.expires - b.expires || (a.id < b.id ? -1 : 1))
      .map((token) => {
        const { id, group, expires } = token;
        const used = uses(id);
        return { id, group, state: stateOf(token, used, now), uses: token.uses, used, expires: isoTime(expires) };
      });
  });
}

/** `slipway store token revoke`: from now on it lets nobody in; who is in stays. */
export async function revokeToken(
  context: Context,
  { cluster, id }: { readonly cluster: ClusterName; readonly id: string },
): Promise<{ readonly id: string; readonly changed: boolean }> {
  return withStore(context, cluster, async (store) => {
    const known = isKey(id) && !id.includes("/") ? await readRecord(store, "joinToken", { id }) : undefined;
    if (known === undefined) throw new OperationError(`there is no join token ${id}`, "slipway store token list");
    let changed = false;
    await updateRecord(store, "joinToken", { id }, (now) => {
      changed = now !== undefined && !now.revoked;
      return now === undefined || now.revoked ? undefined : { ...now, revoked: true, nonce: context.random.hex(8) };
    });
    return { id, changed };
  });
}
