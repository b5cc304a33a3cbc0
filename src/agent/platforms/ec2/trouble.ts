import { updateRecord } from "../../../records/access.ts";
import type { NodeRecord } from "../../nodeRecord.ts";
import type { Waiting } from "../platform.ts";
import type { Here } from "./here.ts";
import type { Signal } from "./signal.ts";

/** What hinders a machine for so long will not mend itself: disks and addresses are free within minutes. Milliseconds. */
const failedAfter = 4 * 60_000;
/** S3 is paid by the request: what has not changed is said so often. Milliseconds. */
const again = 30_000;

type Ports = {
  readonly clock: { readonly now: () => number };
  readonly say: (message: string) => void;
};

/**
 * What a machine says of itself before it is a node: why it is none yet, in the record that is its own by IAM, so that whoever
 * launches or looks need not log in. Told to the stack as well, when it has lasted.
 */
export class Trouble {
  readonly #here: Here;
  readonly #ports: Ports;
  readonly #signal: Signal;
  #phase = "";
  #since = 0;
  #written: NodeRecord | undefined;
  /** Since when it has called itself failed. */
  #failed: number | undefined;

  constructor(here: Here, ports: Ports, signal: Signal) {
    this.#here = here;
    this.#ports = ports;
    this.#signal = signal;
  }

  /** Says what it waits for; what cannot be said stays on the console. `instance`: who it is, as far as it knows. */
  async tell(instance: string, phase: string, { reason, stuck }: Waiting): Promise<void> {
    const now = this.#ports.clock.now();
    if (phase !== this.#phase) [this.#phase, this.#since] = [phase, now];
    const state = stuck && now - this.#since >= failedAfter ? "failed" : "starting";
    this.#failed = state === "failed" ? (this.#failed ?? now) : undefined;
    try {
      const record = this.#record(instance, phase, reason, state, now);
      const was = this.#written;
      if (was?.reason !== reason || was.state !== state || now - was.seen >= again) {
        await updateRecord(this.#here.store, "node", { instance }, () => record);
        this.#written = record;
      }
      // The reason is to be read before the launch fails by it.
      const word = await this.#signal.tell({ ...record, since: this.#failed ?? now }, now);
      if (word !== undefined) this.#ports.say(`the stack is told: ${word}`);
    } catch (error) {
      this.#ports.say(`trouble: it cannot be told: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #record(instance: string, phase: string, reason: string, state: "failed" | "starting", now: number): NodeRecord {
    const { who, tags } = this.#here;
    return {
      instance,
      // A worker has no name yet.
      node: tags.member?.node ?? "",
      machine: who.instance,
      revision: "",
      apply: 0,
      state,
      phase,
      reason,
      log: [],
      since: this.#since,
      seen: now,
      boot: who.instance,
      nudges: 0,
      settled: {},
      units: [],
      drift: [],
      disk: [],
      certificates: {},
    };
  }
}
