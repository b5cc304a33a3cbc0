import type { NodePorts } from "../components/node.ts";
import type { MachineConfig } from "../machine/machine.ts";
import { machineSchema } from "../records/schemas.ts";
import type { RecordValue } from "../records/table.ts";
import * as z from "zod/mini";
import { applyMachine, found } from "./apply.ts";

const stateFile = "/var/lib/slipway/config.json";
const owner = { mode: 0o600, user: "root", group: "root" } as const;

/** What was applied on this node; on its data disk, so that a new container over the same data starts from nothing applied. */
const stateSchema = z.object({
  /** The container's own life: a machine config lives in its file system. */
  life: z.string(),
  revision: z.string(),
  apply: z.number(),
  machine: machineSchema,
  /** The last config with which this node was ready. */
  good: z.optional(z.object({ revision: z.string(), machine: machineSchema })),
  /** A revision that made this node unready and was taken back. */
  refused: z.optional(
    z.object({ revision: z.string(), apply: z.number(), why: z.string(), log: z.optional(z.array(z.string())) }),
  ),
  since: z.number(),
});
type State = z.infer<typeof stateSchema>;

/** How long a new config has to make its node ready before it is taken back, milliseconds. */
export const trial = 90_000;

export type ConfigOutcome = {
  readonly revision: string;
  readonly apply: number;
  readonly machine: MachineConfig;
  /** Why the wanted config is not the one that is applied. */
  readonly refused: { readonly why: string; readonly log: readonly string[] } | undefined;
  readonly changed: boolean;
  /** A config that has not been seen ready yet. */
  readonly onTrial: boolean;
};

/** The model's lists are read-only and the records' are not; the data is the same. */
function asMachine(machine: State["machine"]): MachineConfig {
  return {
    ...machine,
    users: machine.users.map(({ uid, shell, primaryGroup, ...user }) => ({
      ...user,
      ...(uid === undefined ? {} : { uid }),
      ...(shell === undefined ? {} : { shell }),
      ...(primaryGroup === undefined ? {} : { primaryGroup }),
    })),
    groups: machine.groups.map(({ gid, ...group }) => (gid === undefined ? group : { ...group, gid })),
    units: machine.units.map(({ content, ...unit }) => (content === undefined ? unit : { ...unit, content })),
  };
}

/** Whether there was no room for what was to be written. */
export function isFull(error: unknown): boolean {
  return error instanceof Error && ["ENOSPC", "EDQUOT"].includes(String(Reflect.get(error, "code")));
}

/** Applies the group's machine config, remembers what was applied, takes back what made the node unready. */
export class ConfigKeeper {
  readonly #node: NodePorts;
  readonly #life: string;
  #state: State | undefined;
  #loaded = false;

  constructor(node: NodePorts, life: string) {
    this.#node = node;
    this.#life = life;
  }

  async #load(): Promise<State | undefined> {
    if (!this.#loaded) {
      const text = await this.#node.files.read(stateFile);
      const parsed = text === undefined ? undefined : stateSchema.safeParse(JSON.parse(text));
      // Another container over the same data: nothing of it is applied in this one.
      this.#state = parsed?.success === true && parsed.data.life === this.#life ? parsed.data : undefined;
      this.#loaded = true;
    }
    return this.#state;
  }

  async #save(state: State): Promise<void> {
    await this.#node.files.write(stateFile, `${JSON.stringify(state)}\n`, owner);
    this.#state = state;
  }

  /** Brings the node to the wanted config; asked at every round. */
  async settle(group: RecordValue<"groupRevision">, pointer: RecordValue<"pointer">): Promise<ConfigOutcome> {
    const state = await this.#load();
    const refused = state?.refused;
    const isRefused = refused !== undefined && refused.revision === group.revision && refused.apply === pointer.apply;
    if (state !== undefined && isRefused) return this.#outcome(state, false);
    if (state !== undefined && state.revision === group.revision && state.apply === pointer.apply) {
      if (refused === undefined) return this.#outcome(state, false);
      // The file went back to what is there: what was refused is of the past.
      const { refused: _, ...kept } = state;
      await this.#save(kept);
      return this.#outcome(kept, false);
    }
    // A higher `apply` asks to put back what someone else changed, so that nothing counts as applied.
    const again = state !== undefined && state.apply !== pointer.apply;
    const wanted = asMachine(group.machine);
    // A target may have put the config into the instance before its start, so the first look is at what is there.
    const before = state === undefined ? wanted : asMachine(state.machine);
    const next: State = {
      life: this.#life,
      revision: group.revision,
      apply: pointer.apply,
      machine: group.machine,
      ...(state?.good === undefined ? {} : { good: state.good }),
      since: this.#node.clock.now(),
    };
    try {
      await applyMachine(
        this.#node,
        again || state === undefined ? await found(this.#node, before, wanted) : before,
        wanted,
      );
    } catch (error) {
      // A full disk is no fault of the config: it is tried again.
      if (isFull(error) || next.good === undefined || next.good.revision === next.revision) throw error;
      this.#state = next;
      await this.takeBack(`it cannot be applied: ${error instanceof Error ? error.message : String(error)}`, [], true);
      return this.#outcome(this.#state, true);
    }
    await this.#save(next);
    this.#node.say(`revision ${group.revision} is applied`);
    return this.#outcome(next, true);
  }

  /** The node is ready with the present config: it is the one to come back to. */
  async confirm(): Promise<void> {
    const state = this.#state;
    if (state === undefined || state.good?.revision === state.revision || state.refused !== undefined) return;
    await this.#save({ ...state, good: { revision: state.revision, machine: state.machine } });
  }

  /** The node is not ready with a config on trial: back to the last good one when the time is up or a unit has failed. */
  async takeBack(why: string, log: readonly string[], atOnce: boolean): Promise<boolean> {
    const state = this.#state;
    if (state?.good === undefined || state.good.revision === state.revision || state.refused !== undefined)
      return false;
    if (!atOnce && this.#node.clock.now() - state.since < trial) return false;
    await applyMachine(this.#node, asMachine(state.machine), asMachine(state.good.machine));
    await this.#save({
      life: state.life,
      revision: state.good.revision,
      apply: state.apply,
      machine: state.good.machine,
      good: state.good,
      refused: { revision: state.revision, apply: state.apply, why, log: [...log] },
      since: this.#node.clock.now(),
    });
    this.#node.say(`revision ${state.revision} is taken back: ${why}`);
    return true;
  }

  #outcome(state: State, changed: boolean): ConfigOutcome {
    return {
      revision: state.revision,
      apply: state.apply,
      machine: asMachine(state.machine),
      refused:
        state.refused === undefined
          ? undefined
          : {
              why: `revision ${state.refused.revision} was taken back: ${state.refused.why}`,
              log: state.refused.log ?? [],
            },
      changed,
      onTrial: state.good !== undefined && state.good.revision !== state.revision,
    };
  }
}
