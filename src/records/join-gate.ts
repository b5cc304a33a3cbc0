import type { Clock } from "../host/clock.ts";
import type { ClusterStore } from "../store/store.ts";
import { listRecords, readRecord, updateRecord } from "./access.ts";
import type { RecordValue } from "./table.ts";

type Token = RecordValue<"joinToken">;
type Joiner = { readonly token: string; readonly address: string };

/** Why a join token lets nobody in at this time, however often it was used; `undefined` when it does. */
export function endOf(token: Token | undefined, now: number): string | undefined {
  if (token === undefined) return "its join token is not known";
  if (token.revoked) return `the join token ${token.id} is revoked`;
  if (token.expires <= now) return `the join token ${token.id} has expired`;
  return undefined;
}

/** How often who is turned away is written down anew, milliseconds, so that nobody fills a disk by asking. */
const noted = 10_000;

/**
 * Says why the bearer of a join token may not ask under this instance, or `undefined` when it may. A token that is over lets
 * nobody ask; a good one lets as many instances ask as it has uses, also all at once, and each as often as it likes. The
 * reason is kept for the operator, one for each token.
 */
export function joinGate(
  store: ClusterStore,
  clock: Clock,
): (joiner: Joiner, instance: string) => Promise<string | undefined> {
  /** Who has asked with a token. One process holds the store's folder, so nobody else lets anyone ask. */
  const known = new Map<string, Promise<Set<string>>>();

  async function read(token: string): Promise<Set<string>> {
    const joins = await listRecords(store, "join");
    return new Set(joins.flatMap(({ value }) => (value.token === token ? [value.instance] : [])));
  }
  async function askedWith(token: string): Promise<Set<string>> {
    const asked = known.get(token) ?? read(token);
    known.set(token, asked);
    try {
      return await asked;
    } catch (error) {
      // The store did not answer; the next one who asks reads again.
      known.delete(token);
      throw error;
    }
  }

  async function note({ token, address }: Joiner, instance: string, why: string): Promise<void> {
    const since = clock.now();
    await updateRecord(store, "joinRefusal", { token }, (before) =>
      before !== undefined &&
      before.refused === why &&
      (since - before.since < noted || (before.instance === instance && before.address === address))
        ? undefined
        : { token, instance, address, refused: why, since },
    );
  }

  return async (joiner, instance) => {
    const token = (await readRecord(store, "joinToken", { id: joiner.token }))?.value;
    const over = endOf(token, clock.now());
    if (over !== undefined || token === undefined) {
      await note(joiner, instance, over ?? "");
      return over ?? "";
    }
    const asked = await askedWith(token.id);
    if (asked.has(instance)) return undefined;
    if (asked.size < token.uses) {
      // From here on it counts, so that the bound also holds for those who ask at the same time.
      asked.add(instance);
      return undefined;
    }
    const why = `the join token ${token.id} is used up: ${asked.size} of ${token.uses} have asked with it`;
    await note(joiner, instance, why);
    return why;
  };
}
