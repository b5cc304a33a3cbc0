import { letIn, type Admission } from "../../../components/admission.ts";
import { looking } from "../../../components/node.ts";
import { seen, unknown } from "../../../components/reconciler.ts";
import type { Roster } from "../../../components/roster.ts";
import { listRecords, readRecord, updateRecord } from "../../../records/access.ts";
import type { RecordValue } from "../../../records/table.ts";
import { tagNames } from "../../../records/tags.ts";
import type { Here } from "./here.ts";
import { missing, rosterNext, type Arrived, type RosterAct } from "./roster.ts";

/** How often a control node looks who is there: often while someone waits to be let in. Milliseconds. */
const lookEvery = { quiet: 15_000, expecting: 5_000 } as const;

/** Keeps the roster of workers as EC2 says, from every control node: all writes are conditional, and all acts can be repeated. */
export class RosterKeeper {
  readonly #here: Here;
  readonly #admission: Admission;
  #missing: ReadonlyMap<string, number> = new Map();
  #next = 0;
  #said = new Map<string, string>();

  constructor(here: Here, admission: Admission) {
    this.#here = here;
    this.#admission = admission;
  }

  async tend(): Promise<void> {
    const { store, clock, say } = this.#admission;
    const now = clock.now();
    if (now < this.#next) return;
    const cluster = await readRecord(store, "cluster");
    if (cluster === undefined) return;
    const { generation, name } = cluster.value;
    const [found, instances, lifecycle] = await Promise.all([
      looking(listRecords(store, "roster")),
      looking(this.#here.ec2.instances(tagNames.cluster, name)),
      looking(this.#here.ec2.lifecycle(tagNames.cluster, name)),
    ]);
    const roster = found.kind === "seen" ? seen(found.value.map(({ value }) => value)) : found;
    const arrived =
      roster.kind === "seen"
        ? await looking(this.#arrived(generation, roster.value))
        : unknown("the roster is not seen");
    for (const [what, look] of Object.entries({ roster, instances, lifecycle, arrived }))
      if (look.kind === "unknown") say(`roster: ${what} cannot be seen: ${look.why}`);
    if (roster.kind === "seen" && instances.kind === "seen")
      this.#missing = missing(this.#missing, roster.value, instances.value, now);
    const { acts, refused } = rosterNext({
      cluster: name,
      roster,
      arrived,
      instances,
      lifecycle,
      missingSince: this.#missing,
      now,
    });
    for (const { instance, why } of refused) {
      if (this.#said.get(instance) !== why) say(`roster: ${instance} is not let in: ${why}`);
      this.#said.set(instance, why);
    }
    for (const act of acts) if (act.kind !== "admit") await this.#part(act);
    const coming = acts.flatMap((act) => (act.kind === "admit" ? [act.arrived] : []));
    if (coming.length > 0) await this.#admit(coming, cluster.value);
    this.#next = now + (acts.length > 0 || refused.length > 0 ? lookEvery.expecting : lookEvery.quiet);
  }

  /** Who says that it is there, and is in no roster yet. Those that are in are not read again: there may be thousands. */
  async #arrived(generation: string, roster: Roster): Promise<readonly Arrived[]> {
    const { store } = this.#admission;
    const known = new Set(roster.map(({ instance }) => instance));
    const keys = (await store.list(`registrations/${generation}/`)).keys();
    const found = await Promise.all(
      [...keys]
        .map(instanceOf)
        .filter((instance) => !known.has(instance))
        .map(async (instance): Promise<Arrived | undefined> => {
          const record = await readRecord(store, "registration", { generation, instance });
          // The key says who wrote it; what stands inside is a stranger's word.
          return record === undefined ? undefined : { ...record.value, instance };
        }),
    );
    return found.filter((one) => one !== undefined);
  }

  /** The roster is read anew: those that have just gone leave their names to them. */
  async #admit(coming: readonly Arrived[], cluster: RecordValue<"cluster">): Promise<void> {
    const { store, say } = this.#admission;
    const roster = (await listRecords(store, "roster")).map(({ value }) => value);
    for (const { instance, address, group, role } of coming) {
      const newcomer = { instance, address, group, role, tokenHash: "" };
      const entry = await letIn(this.#admission, newcomer, cluster, roster);
      roster.push(entry);
      say(`roster: ${instance} at ${address} is ${entry.node}`);
    }
  }

  async #part(act: Exclude<RosterAct, { readonly kind: "admit" }>): Promise<void> {
    const { store, random, say } = this.#admission;
    const state = act.kind === "leave" ? "leaving" : "gone";
    await updateRecord(store, "roster", { instance: act.instance }, (now) => {
      if (now === undefined || now.state === "gone" || now.state === state) return undefined;
      say(`roster: ${now.node} (${act.instance}) is ${state}`);
      return { ...now, state, nonce: random.hex(8) };
    });
  }
}

function instanceOf(key: string): string {
  return key.slice(key.lastIndexOf("/") + 1);
}
