import { networkInterfaces } from "node:os";
import type { NodePorts } from "../components/node.ts";
import { etcdJoin, etcdTend } from "../components/etcd/member.ts";
import { etcdShare, isShared } from "../components/etcd/share-control.ts";
import { WorkerEtcd } from "../components/etcd/share-worker.ts";
import type { TendView } from "../components/etcd/tend.ts";
import { leads } from "../components/swarm/api.ts";
import type { FormView } from "../components/swarm/form.ts";
import { EngineHealer } from "../components/swarm/heal.ts";
import { serveApi, swarmForm, swarmTend } from "../components/swarm/member.ts";
import { tendServices } from "../components/swarm/services.ts";
import { mustLeave } from "../components/swarm/turn.ts";
import { emptyMachine, type MachineConfig } from "../machine/machine.ts";
import { readRecord } from "../records/access.ts";
import type { RecordValue } from "../records/table.ts";
import { StoreError } from "../store/store.ts";
import { CertificateKeeper, type Certifying } from "./certificates.ts";
import { ConfigKeeper, type ConfigOutcome } from "./config.ts";
import { examine, fullDisks, steady, type Health } from "./health.ts";
import { leave } from "./leaving.ts";
import { etcdSeen, meshOf, swarmSeen } from "./membership.ts";
import { beginDeparture, hasDeparted } from "./departure.ts";
import { NodeReport, type NodeRecord } from "./nodeRecord.ts";
import { Patience } from "./pace.ts";
import { Phases } from "./phases.ts";
import { reconcile, type Rest } from "./reconcile.ts";

type Wanted = { readonly group: RecordValue<"groupRevision">; readonly pointer: RecordValue<"pointer"> };
type Blocked = {
  readonly phase: string;
  readonly why: string;
  readonly log: readonly string[];
  readonly failed: boolean;
};

export type AgentOptions = Certifying & {
  readonly node: Omit<NodePorts, "wanted">;
  readonly life: string;
  readonly machine: string | undefined;
  readonly boot: string;
  /** Tells clients that hold certificates to read them again. */
  readonly certificatesChanged: () => Promise<void>;
};

/** `departed`: this instance is out for good, and there will be nothing for its agent to do again. */
export type Round = { readonly settled: boolean; readonly moved: boolean; readonly departed: boolean };

const examineEvery = { settled: 20_000, moving: 2_000 } as const;
const betweenLooks = 100;
const shareEvery = 60_000;
const rest: Rest = { kind: "settled" };

/** One node's reconcilers in their order, round after round, and the record that says how far they are. */
export class Agent {
  readonly #node: NodePorts;
  readonly #options: AgentOptions;
  readonly #certificates: CertificateKeeper;
  readonly #config: ConfigKeeper;
  readonly #phases: Phases;
  readonly report = new NodeReport();
  readonly #join = etcdJoin();
  readonly #form = swarmForm();
  readonly #healer = new EngineHealer();
  readonly #workerEtcd = new WorkerEtcd();
  /** What this control node has last seen through, and when. */
  #shared: { readonly share: string | undefined; readonly at: number } | undefined;
  /** Whether the operators' API may still show an older certificate: until this agent has seen to it. */
  #apiRenewed = true;
  #wanted: Wanted | undefined;
  #health: { readonly at: number; readonly value: Health } | undefined;
  #mesh: boolean | undefined;
  /** What the last round saw of etcd's members; undefined while this node is not in. */
  #members: TendView | undefined;
  /** What this round saw of the swarm. */
  #formed: FormView | undefined;
  /** With services that were asked for: what this node reports of them is what people wait for. */
  readonly #patience = new Patience();
  #last = "";
  #machine: MachineConfig | undefined;
  /** What the last round that came so far found: for the record of one that does not. */
  #applied: ConfigOutcome | undefined;
  #ends: Readonly<Record<string, number>> = {};
  nudges = 0;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#node = { ...options.node, wanted: () => this.#wanted };
    this.#certificates = new CertificateKeeper(this.#node, options);
    this.#config = new ConfigKeeper(this.#node, options.life);
    this.#phases = new Phases(options.node.clock);
  }

  /** Looks again at what costs processes to find out. */
  nudge(): void {
    this.nudges++;
    this.#health = undefined;
  }

  async round(): Promise<Round> {
    try {
      return await this.#attempt();
    } catch (error) {
      if (await hasDeparted(this.#node.files, this.#node.me.instance, error))
        return { settled: true, moved: false, departed: true };
      if (error instanceof StoreError) throw error;
      // The node's own trouble: nobody who waits for it reads its journal.
      const why = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
      this.#health = { at: this.#node.clock.now(), value: await examine(this.#node, this.#machine ?? emptyMachine) };
      const full = fullDisks(this.#health.value);
      const moved = this.#last !== why;
      if (moved) this.#node.say(`round: ${error instanceof Error ? (error.stack ?? why) : why}`);
      this.#last = why;
      const blocked =
        full === undefined
          ? { phase: this.#phases.current, why }
          : { phase: "disk", why: `${full}; ${this.#phases.current}: ${why}` };
      await this.#write(this.#applied, { ...blocked, log: [], failed: true }, this.#ends);
      return { settled: false, moved, departed: false };
    }
  }

  async #attempt(): Promise<Round> {
    const node = this.#node;
    const { me, store } = node;
    this.#formed = undefined;
    const own = await readRecord(store, "roster", { instance: me.instance }).catch((error: unknown) => {
      // Before the first certificate the roster cannot be read; that is no news about it.
      node.say(`roster: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    });
    if (own?.value.state === "leaving" || own?.value.state === "gone") return this.#leave();

    // Nobody's certificate for etcd is asked for, or signed, before etcd holds workers to their prefix.
    const share = await isShared(node);
    let blocked: Blocked | undefined;
    const block = (phase: string, why: string, log: readonly string[] = [], failed = false): void => {
      blocked ??= { phase, why, log, failed };
    };

    this.#phases.begin("certificates");
    const kept = await this.#certificates.keep(share);
    this.#ends = kept.ends;
    if (kept.changed.length > 0) await this.#options.certificatesChanged();
    this.#apiRenewed ||= kept.changed.includes("docker-server");
    if (!kept.settled && kept.ends["store"] === undefined) {
      // Without a certificate nothing else of the store can be read, not even where to write the reason.
      return { settled: false, moved: false, departed: false };
    }
    this.#phases.end("certificates");
    const expecting = me.role === "control" && (await this.#certificates.answer(share)).expecting;

    this.#phases.begin("config");
    const config = await this.#settleConfig(block);
    if (config === undefined) {
      await this.#write(undefined, blocked, kept.ends);
      return { settled: false, moved: true, departed: false };
    }
    this.#phases.end("config");
    this.#machine = config.machine;
    this.#applied = config;

    this.#phases.begin("network");
    const addresses = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((entry) => entry.address));
    if (addresses.includes(me.address)) this.#phases.end("network");
    else block("network", `the address ${me.address} is on none of this node's interfaces`);

    const { etcd, swarm } = await this.#memberships();
    if (etcd.kind === "waits") block("etcd", etcd.why.text, etcd.why.log);
    if (swarm.kind === "waits") block("swarm", swarm.why.text, swarm.why.log);

    let services = { why: "", settled: true };
    if (swarm.kind === "settled" && me.orchestrator === "swarm" && me.role === "control")
      services = await this.#services();
    if (services.why !== "") block("services", services.why);

    const health = await this.#examine(config, blocked === undefined);
    const failedUnit = health.failed.find((unit) => unit.ours);
    if (failedUnit !== undefined) {
      const log = await node.systemd.log(failedUnit.name, 8);
      block("units", `${failedUnit.name} failed`, log, true);
    }
    const full = fullDisks(health);
    if (full !== undefined) block("disk", full, [], true);
    if (config.refused !== undefined) block("config", config.refused.why, config.refused.log, true);

    if (blocked === undefined) await this.#config.confirm();
    else if (
      config.onTrial &&
      (await this.#config.takeBack(`${blocked.phase}: ${blocked.why}`, blocked.log, failedUnit !== undefined))
    )
      this.#health = undefined;

    const line = blocked === undefined ? "ready" : `${blocked.phase}: ${blocked.why}`;
    const moved = line !== this.#last || config.changed || kept.changed.length > 0;
    if (line !== this.#last) node.say(line);
    this.#last = line;
    await this.#write(config, blocked, kept.ends);
    return {
      settled: blocked === undefined && kept.settled && !expecting && services.settled && this.#membersAreWell(),
      moved,
      departed: false,
    };
  }

  /** While a member is down, learns or is about to, this node looks more often: what it reports is what people see. */
  #membersAreWell(): boolean {
    const members = this.#members?.members;
    return (
      members?.kind !== "seen" ||
      members.value.every((member) => !member.learner && member.healthy.kind === "seen" && member.healthy.value)
    );
  }

  /** An answer to someone who asked, while a round takes long: what this node knows by itself, with the rest as it was. */
  async answer(): Promise<void> {
    const machine = this.#machine;
    const last = this.report.last;
    if (machine === undefined || last === undefined || last.nudges === this.nudges) return;
    const health = await examine(this.#node, machine);
    await this.report.write(this.#node, {
      ...last,
      nudges: this.nudges,
      seen: this.#node.clock.now(),
      units: health.units,
      drift: [...health.drift],
      disk: steady(health.disk),
    });
  }

  async #settleConfig(
    block: (phase: string, why: string, log?: readonly string[], failed?: boolean) => void,
  ): Promise<ConfigOutcome | undefined> {
    const { store, me } = this.#node;
    const pointer = await readRecord(store, "pointer");
    if (pointer === undefined) {
      block("config", "no revision is published yet");
      return undefined;
    }
    if (this.#wanted?.pointer.revision !== pointer.value.revision) {
      const group = await readRecord(store, "groupRevision", { revision: pointer.value.revision, group: me.group });
      if (group === undefined) {
        block("config", `revision ${pointer.value.revision} has no group ${me.group}`);
        return undefined;
      }
      this.#wanted = { group: group.value, pointer: pointer.value };
    } else this.#wanted = { group: this.#wanted.group, pointer: pointer.value };
    return this.#config.settle(this.#wanted.group, pointer.value);
  }

  /** Side by side: joining a swarm takes the engine seconds, in which etcd would stand still. */
  async #memberships(): Promise<{ readonly etcd: Rest; readonly swarm: Rest }> {
    let swarm: Rest | undefined;
    const swarming = this.#swarm().then((rested) => {
      swarm = rested;
    });
    let etcd = await this.#etcd();
    while (etcd.kind === "waits" && swarm === undefined) {
      await this.#node.clock.sleep(betweenLooks);
      etcd = await this.#etcd();
    }
    await swarming;
    return { etcd, swarm: swarm ?? rest };
  }

  async #etcd(): Promise<Rest> {
    if (this.#node.me.role !== "control") {
      const { waits, moved } = await this.#workerEtcd.settle(this.#node);
      if (moved) this.#health = undefined;
      return waits === undefined ? rest : { kind: "waits", why: { text: waits } };
    }
    this.#phases.begin("etcd");
    this.#members = undefined;
    const joined = await reconcile(this.#join, this.#node);
    if (joined.kind === "waits") return joined;
    this.#phases.end("etcd");
    // What tending waits for is the cluster's business; this member is well.
    const tended = await reconcile(
      { ...etcdTend, look: async (node: NodePorts) => (this.#members = await etcdTend.look(node)) },
      this.#node,
    );
    if (tended.kind === "waits") this.#node.say(`etcd members: ${tended.why.text}`);
    await this.#share();
    return rest;
  }

  /** Looks at once when the file's word has changed, else now and then: each look costs etcd some lines of its log. */
  async #share(): Promise<void> {
    const share = this.#wanted?.group.wanted.etcd?.share;
    const now = this.#node.clock.now();
    if (this.#shared !== undefined && this.#shared.share === share && now - this.#shared.at < shareEvery) return;
    const shared = await reconcile(etcdShare, this.#node);
    if (shared.kind === "settled") this.#shared = { share, at: now };
    else this.#node.say(`etcd share: ${shared.why.text}`);
  }

  async #swarm(): Promise<Rest> {
    const node = this.#node;
    if (node.me.orchestrator !== "swarm") return rest;
    this.#phases.begin("swarm");
    const look = async (): Promise<FormView> => (this.#formed = await this.#form.look(node));
    const formed = await reconcile({ ...this.#form, look }, node);
    if (formed.kind === "waits") {
      const view = this.#formed;
      const local = view?.local.kind === "seen" ? view.local.value : undefined;
      await this.#healer.tend(node, local, view !== undefined && mustLeave(view));
      return formed;
    }
    this.#phases.end("swarm");
    if (node.me.role === "control") {
      await serveApi(node, this.#apiRenewed);
      this.#apiRenewed = false;
      if (await leads(this.#node.engine)) {
        const tended = await reconcile(swarmTend, node);
        if (tended.kind === "waits") node.say(`swarm nodes: ${tended.why.text}`);
      }
    }
    return rest;
  }

  async #services(): Promise<{ readonly why: string; readonly settled: boolean }> {
    try {
      const waiting = await tendServices(this.#node, await leads(this.#node.engine));
      const { revision, apply } = this.#wanted?.pointer ?? { revision: "", apply: 0 };
      return { why: "", settled: this.#patience.rests(`${revision} ${apply}`, waiting, this.#node.clock.now()) };
    } catch (error) {
      return { why: error instanceof Error ? error.message : String(error), settled: false };
    }
  }

  async #examine(config: ConfigOutcome, settled: boolean): Promise<Health> {
    const now = this.#node.clock.now();
    const age = settled ? examineEvery.settled : examineEvery.moving;
    if (this.#health === undefined || config.changed || now - this.#health.at > age) {
      this.#health = { at: now, value: await examine(this.#node, config.machine) };
    }
    return this.#health.value;
  }

  async #leave(): Promise<Round> {
    await beginDeparture(this.#node.files, this.#node.me.instance);
    const outcome = await leave(this.#node);
    await this.#write(
      undefined,
      outcome.left ? undefined : { phase: "leaving", why: outcome.why, log: [], failed: false },
      {},
      outcome.left,
    );
    return { settled: outcome.left, moved: true, departed: false };
  }

  async #write(
    config: ConfigOutcome | undefined,
    blocked: Blocked | undefined,
    ends: Readonly<Record<string, number>>,
    left = false,
  ): Promise<void> {
    const node = this.#node;
    const { me, clock } = node;
    const phase = left ? "left" : (blocked?.phase ?? "ready");
    const state: NodeRecord["state"] = left
      ? "stopped"
      : blocked === undefined
        ? "ready"
        : blocked.failed
          ? "failed"
          : "starting";
    const health = this.#health?.value;
    const record: NodeRecord = {
      instance: me.instance,
      node: me.node,
      ...(this.#options.machine === undefined ? {} : { machine: this.#options.machine }),
      revision: config?.revision ?? "",
      apply: config?.apply ?? 0,
      state,
      phase,
      ...(blocked === undefined ? {} : { reason: blocked.why }),
      log: [...(blocked?.log ?? [])],
      since: await this.report.since(node, this.#options.boot, state, phase),
      seen: clock.now(),
      boot: this.#options.boot,
      nudges: this.nudges,
      settled: { ...this.#phases.settled },
      units: health?.units ?? [],
      drift: [...(health?.drift ?? [])],
      disk: steady(health?.disk ?? []),
      certificates: { ...ends },
      ...etcdSeen(this.#members),
      ...(await swarmSeen(node, this.#formed?.local, async () => (this.#mesh ??= await meshOf(node)))),
    };
    // Whoever has left was that swarm node: the managers know it by this word alone where they have not labelled it yet.
    const was = this.report.last?.swarm;
    const gone = phase === "left" || phase === "leaving";
    await this.report.write(
      node,
      gone && was !== undefined && !record.swarm?.nodeId ? { ...record, swarm: was } : record,
    );
  }
}
