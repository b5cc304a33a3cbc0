import type { Emit } from "../events/event.ts";
import type { Clock } from "../host/clock.ts";
import type { ProcessOwner } from "../host/owner.ts";
import type { Random } from "../host/random.ts";
import { encodeRecord, type Found, keyOf, readRecord } from "../records/access.ts";
import type { RecordValue } from "../records/table.ts";
import { type ClusterStore, StoreError, type Version } from "../store/store.ts";

/** A lease lasts so many milliseconds unless it is renewed. */
export const lease = 20_000;
const renewal = 5_000;
const observation = 1_000;

type LockValue = RecordValue<"lock">;
export type LockHolder = NonNullable<LockValue["holder"]>;

export type LockOptions = {
  readonly store: ClusterStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly owner: ProcessOwner;
  /** What the lock is for, in words for the one who finds it held: `launch demo`. */
  readonly doing: string;
  /** Asked only of processes on this very host. */
  readonly processAlive: (owner: Pick<ProcessOwner, "process" | "started">) => boolean;
  readonly emit: Emit;
  /** `false`: a lock that is held is an answer at once, also when its holder may be gone. */
  readonly wait?: boolean;
  readonly signal?: AbortSignal;
};

export interface Lock {
  /** The fence: raised by one with every acquisition. */
  readonly epoch: number;
  /** Reads the record again; throws `LockLost` when the lock is no longer ours, a `StoreError` when nobody can say. */
  check(): Promise<void>;
  /** Stops renewing and gives the lock back; a store that cannot be reached is a warning, the lease then runs out. */
  release(): Promise<void>;
}

/** Someone else works on the cluster (exit code 4). */
export class LockHeld extends Error {
  readonly holder: LockHolder;
  readonly epoch: number;
  constructor(holder: LockHolder, epoch: number) {
    const since = new Date(holder.since).toISOString();
    super(`${whoIs(holder)} has been working on this cluster since ${since}: ${holder.doing}`);
    this.name = "LockHeld";
    this.holder = holder;
    this.epoch = epoch;
  }
}

/** The lock was taken over while we held it: nothing more may be done under it. */
export class LockLost extends Error {
  readonly epoch: number;
  constructor(epoch: number, taker: LockHolder | null | undefined) {
    super(
      `the lock (epoch ${epoch}) was lost${taker === null || taker === undefined ? "" : ` to ${whoIs(taker)}: ${taker.doing}`}`,
    );
    this.name = "LockLost";
    this.epoch = epoch;
  }
}

/**
 * Takes the cluster's lock. A holder on this host whose process is gone is replaced at once, one that lives is answered
 * by `LockHeld` at once. A holder elsewhere is observed for at most one lease: when its record moves on it is `LockHeld`,
 * when the record stands still for a whole lease of our own time it is taken over. Clocks are never compared, and time is
 * counted by what we slept, so a clock that jumps changes nothing.
 */
export async function acquireLock(options: LockOptions): Promise<Lock> {
  const { store, clock, emit, owner, processAlive, wait = true, signal } = options;
  let first: Found<"lock"> | undefined;
  let watched = 0;
  for (;;) {
    signal?.throwIfAborted();
    const now = await readRecord(store, "lock");
    const holder = now?.value.holder ?? undefined;
    if (now === undefined || holder === undefined) {
      const lock = await take(options, now);
      if (lock !== undefined) return lock;
      continue;
    }
    const here = holder.host === owner.host;
    const gone = here && !processAlive(holder);
    const moved = first !== undefined && first.value.nonce !== now.value.nonce;
    if (gone || (watched >= lease && !moved)) {
      const lock = await take(options, now);
      if (lock !== undefined) return lock;
      continue;
    }
    if (here || moved || !wait) throw new LockHeld(holder, now.value.epoch);
    if (first === undefined) {
      first = now;
      emit("lock.waiting", { holder: whoIs(holder), doing: holder.doing, since: holder.since });
    }
    await clock.sleep(observation, signal);
    watched += observation;
  }
}

/** Who holds it, for people. */
function whoIs({ user, host, process }: LockHolder): string {
  return `${user} on ${host} (process ${process})`;
}

async function take(options: LockOptions, found: Found<"lock"> | undefined): Promise<Lock | undefined> {
  const { clock, random, owner, doing, emit } = options;
  const epoch = (found?.value.epoch ?? 0) + 1;
  const since = clock.now();
  const { host, process, started, user } = owner;
  const holder = { host, process, started, user, doing, since, expires: since + lease };
  const version = await put(options.store, { holder, epoch, nonce: random.hex(16) }, found?.version);
  if (version === undefined) return undefined;
  const from = found?.value.holder;
  if (from === null || from === undefined) emit("lock.taken", { epoch });
  else emit("lock.takenOver", { from: `${whoIs(from)}: ${from.doing}`, epoch });
  return hold(options, holder, epoch, version);
}

function hold(options: LockOptions, holder: LockHolder, epoch: number, taken: Version): Lock {
  const { store, clock, random, emit } = options;
  const stop = new AbortController();
  let version = taken;
  let renewed = clock.now();
  let lost: Error | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  /** Renewals, checks and the release write the same record: one at a time, or we would lose the lock to ourselves. */
  function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const mine = turn.then(work, work);
    turn = mine;
    return mine;
  }

  /** Ours is the record of our epoch with a holder: nobody else ever writes that epoch. */
  async function reread(): Promise<void> {
    if (lost !== undefined) throw lost;
    const found = await readRecord(store, "lock");
    if (found?.value.epoch !== epoch || found.value.holder === null) {
      lost = new LockLost(epoch, found?.value.holder);
      throw lost;
    }
    version = found.version;
  }

  async function write(next: LockHolder | null): Promise<void> {
    await reread();
    const written = await put(store, { holder: next, epoch, nonce: random.hex(16) }, version);
    if (written === undefined) {
      await reread();
      throw new StoreError("unreachable", "the lock was written by nobody else, and yet not by us");
    }
    version = written;
  }

  async function renew(): Promise<void> {
    const now = clock.now();
    await write({ ...holder, expires: now + lease });
    renewed = now;
  }

  async function keep(): Promise<void> {
    for (;;) {
      await clock.sleep(renewal, stop.signal);
      if (stop.signal.aborted || lost !== undefined) return;
      try {
        await inTurn(renew);
      } catch (error) {
        // Out of reach for now: try again; `check` will see to it that nothing is done under a lease that may have run out.
        if (error instanceof StoreError && error.kind === "unreachable") continue;
        lost ??= error instanceof Error ? error : new Error(String(error));
      }
    }
  }

  const kept = keep();
  return {
    epoch,
    check: () =>
      inTurn(() => {
        const age = clock.now() - renewed;
        // An observer may be about to take over what was not renewed in time; renewing proves that none has, and starts its wait anew.
        return age < 0 || age > renewal * 2 ? renew() : reread();
      }),
    async release() {
      stop.abort();
      await kept;
      try {
        await inTurn(() => write(null));
      } catch (error) {
        if (error instanceof LockLost) return;
        emit("warning", {
          message: `the lock could not be given back: ${error instanceof Error ? error.message : String(error)}`,
        });
      }
    },
  };
}

/** Create or put-if-unchanged; gives the new version, or `undefined` when someone else wrote. A lost answer is looked up. */
async function put(store: ClusterStore, value: LockValue, version: Version | undefined): Promise<Version | undefined> {
  const key = keyOf("lock");
  const bytes = encodeRecord(value);
  try {
    const written =
      version === undefined ? await store.putIfAbsent(key, bytes) : await store.putIfUnchanged(key, bytes, version);
    return written.kind === "written" ? written.version : undefined;
  } catch (error) {
    if (!(error instanceof StoreError) || error.kind !== "unreachable") throw error;
    const there = await readRecord(store, "lock");
    if (there?.value.nonce === value.nonce) return there.version;
    throw error;
  }
}
