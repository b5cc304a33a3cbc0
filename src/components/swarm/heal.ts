import type { NodePorts } from "../node.ts";
import type { LocalSwarm } from "./local.ts";

/** How long an engine may be stuck before it is restarted, and the pauses between two restarts. Milliseconds. */
const patience = { failed: 5_000, error: 5_000, pending: 40_000, silent: 60_000 } as const;
/** The same for one that has to leave its swarm, for which others wait: what it might still come to is thrown away. */
const hurry = 10_000;
const pauses = { shortest: 30_000, longest: 600_000 } as const;
const unit = "docker.service";

type Stuck = keyof typeof patience;

/**
 * Restarts an engine that gave up: one that was killed, or whose manager was, in the middle of joining says "error" or
 * "pending" for ever or does not answer at all, and one that could not start without a network is not tried again by
 * systemd. Started anew they go on at once; what they are members of does not change by it.
 */
export class EngineHealer {
  #stuck: { readonly kind: Stuck; readonly since: number } | undefined;
  #pause = 0;
  #restarted = Number.NEGATIVE_INFINITY;

  /**
   * Asked at every round with what the engine says of its swarm; `undefined`: it does not answer. `leaves`: it has to leave
   * the swarm, and cannot while it does not answer.
   */
  async tend(
    { clock, systemd, say }: Pick<NodePorts, "clock" | "systemd" | "say">,
    local: LocalSwarm | undefined,
    leaves = false,
  ): Promise<void> {
    const now = clock.now();
    const kind = local === undefined ? await this.#unit(systemd) : local.kind;
    if (kind !== "failed" && kind !== "error" && kind !== "pending" && kind !== "silent") {
      this.#stuck = undefined;
      // A member that works begins with short pauses again.
      if (kind === "worker" || kind === "manager") this.#pause = 0;
      return;
    }
    if (this.#stuck?.kind !== kind) this.#stuck = { kind, since: now };
    const long = leaves ? Math.min(hurry, patience[kind]) : patience[kind];
    if (now - this.#stuck.since < long || now - this.#restarted < this.#pause) return;
    this.#pause = Math.min(pauses.longest, Math.max(pauses.shortest, this.#pause * 2));
    this.#restarted = now;
    this.#stuck = undefined;
    say(`the engine is restarted: ${local?.kind === "error" ? local.text : `it is ${kind}`}`);
    await systemd.resetFailed(unit);
    await systemd.restart([unit]);
  }

  async #unit(systemd: NodePorts["systemd"]): Promise<string> {
    const active = (await systemd.states([unit])).get(unit)?.active ?? "";
    // One that only starts may take its time: it waits for its swarm before it answers.
    return active === "active" ? "silent" : active;
  }
}

/**
 * How long managers that all run may take to elect a leader: up to 20 s, of which an engine that starts is silent for as
 * many, because it waits for its swarm before it answers. Milliseconds.
 */
const election = 15_000;

/** Since when this engine's manager has been without a leader. */
export class Leaderless {
  #since: number | undefined;

  /** Asked with every look; `undefined`: the engine does not answer, which says nothing about the leader. */
  lasts(local: LocalSwarm | undefined, now: number): boolean {
    if (local === undefined) return false;
    const without =
      (local.kind === "manager" && local.state === undefined) || (local.kind === "pending" && local.manages);
    if (!without) this.#since = undefined;
    else this.#since ??= now;
    return this.#since !== undefined && now - this.#since >= election;
  }
}
