import { listRecords, readRecord, updateRecord, writeOnce } from "../../records/access.ts";
import { generationOf, looking, rosterOf, type NodePorts } from "../node.ts";
import { unknown, type Reconciler } from "../reconciler.ts";
import { changeNode, lookAtSwarm, makeSwarm, removeNode, swarmNodes } from "./api.ts";
import { formNext, type FormAct, type FormView, type SwarmMark } from "./form.ts";
import { apiUnit, managerPort, markFile } from "./paths.ts";
import { Leaderless } from "./heal.ts";
import { swarmTendNext, type SwarmTendAct, type SwarmTendView } from "./tend.ts";
import { turned, type SwarmTurn, type TurnWrite } from "./turn.ts";

function readMark(text: string): SwarmMark | undefined {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null) return undefined;
  const [generation, clusterId] = ["generation", "clusterId"].map((name): unknown => Reflect.get(value, name));
  return typeof generation === "string" && typeof clusterId === "string" ? { generation, clusterId } : undefined;
}

const control = (node: NodePorts): boolean => node.me.role === "control";

const turnOf = async ({ store, me }: NodePorts): Promise<SwarmTurn | undefined> =>
  (await readRecord(store, "swarmTurn", { generation: me.generation }))?.value;

/** Writes whose turn it is; `false`: the act came too late, nothing may follow from it. */
async function writeTurn({ store, me, random }: NodePorts, act: TurnWrite, instance: string): Promise<boolean> {
  const nonce = random.hex(8);
  const written = await updateRecord(store, "swarmTurn", { generation: me.generation }, (now) => {
    const turn = turned(now, act, instance);
    return turn === undefined ? undefined : { ...turn, nonce };
  });
  return written?.nonce === nonce;
}

/** Brings one instance into the swarm: one makes it, all others join it. It remembers how long there was no leader. */
export const swarmForm = (): Reconciler<FormView, FormAct, NodePorts> => {
  const leaderless = new Leaderless();
  return { phase: "swarm", look: (node) => lookForForm(node, leaderless), next: formNext, perform: performForm };
};

async function lookForForm(node: NodePorts, leaderless: Leaderless): Promise<FormView> {
  const { store, me, engine, files } = node;
  const generation = me.generation;
  const mine = control(node);
  const [local, mark, state, roster, claim, cluster, manager, worker, turn] = await Promise.all([
    looking(lookAtSwarm(engine)),
    looking(files.read(markFile).then((text) => (text === undefined ? undefined : readMark(text)))),
    looking(generationOf(node)),
    mine ? looking(rosterOf(store)) : unknown("workers do not read the roster"),
    mine
      ? looking(readRecord(store, "swarmClaim", { generation }).then((record) => record?.value))
      : unknown("workers do not read the claim"),
    looking(readRecord(store, "swarmCluster", { generation }).then((record) => record?.value)),
    mine
      ? looking(readRecord(store, "managerToken").then((record) => record?.value))
      : unknown("workers do not read the managers' token"),
    looking(readRecord(store, "workerToken").then((record) => record?.value)),
    mine ? looking(turnOf(node)) : unknown("workers do not read whose turn it is"),
  ]);
  return {
    me: { instance: me.instance, address: me.address, role: me.role, generation },
    generation: state,
    roster,
    claim,
    cluster,
    token: mine ? manager : worker,
    workerToken: worker,
    turn,
    local,
    leaderless: leaderless.lasts(local.kind === "seen" ? local.value : undefined, node.clock.now()),
    mark,
  };
}

async function performForm(act: FormAct, node: NodePorts): Promise<void> {
  const { store, me, random, engine } = node;
  const own = { generation: me.generation };
  const nonce = random.hex(8);
  switch (act.kind) {
    case "claim":
      // An emptied store looks like a new one to a node that is in no swarm yet; the etcd that it founded tells them apart.
      if ((await readRecord(store, "etcdProposal", own)) === undefined)
        throw new Error("etcd has not been founded yet");
      await writeOnce(store, "swarmClaim", own, { instance: me.instance, epoch: act.epoch, nonce });
      return;
    case "takeOver":
      await updateRecord(store, "swarmClaim", own, (now) =>
        now?.instance === act.from && now.epoch === act.epoch - 1 && now.clusterId === undefined
          ? { instance: me.instance, epoch: act.epoch, nonce }
          : undefined,
      );
      return;
    case "init":
      return makeSwarm(engine, listening(node));
    case "begin":
    case "takeTurn":
    case "endTurn":
    case "giveTurn":
    case "decideWhole":
    case "endWhole":
    case "clearTurns":
      await writeTurn(node, act, me.instance);
      return;
    case "makeWhole":
      node.say("the swarm is made whole from this manager's data: no second manager was full yet");
      await engine.call("POST", "/swarm/init", { ...listening(node), ForceNewCluster: true });
      return;
    case "publish": {
      // First into the claim, whose holder alone may: a takeover that was decided before then comes too late.
      const claim = await updateRecord(store, "swarmClaim", own, (now) =>
        now?.instance === me.instance && now.epoch === act.epoch && now.clusterId === undefined
          ? { ...now, clusterId: act.clusterId, nonce }
          : undefined,
      );
      if (claim?.clusterId !== act.clusterId) return;
      await updateRecord(store, "swarmCluster", own, (now) =>
        now?.clusterId === act.clusterId
          ? undefined
          : { clusterId: act.clusterId, instance: me.instance, epoch: act.epoch, nonce },
      );
      return;
    }
    case "recordJoined":
      return node.files.write(
        markFile,
        `${JSON.stringify({ generation: me.generation, clusterId: act.clusterId })}\n`,
        { mode: 0o600, user: "root", group: "root" },
      );
    case "publishTokens":
      await updateRecord(store, "managerToken", {}, () => ({
        token: act.manager.token,
        addresses: [...act.manager.addresses],
        nonce,
      }));
      await updateRecord(store, "workerToken", {}, () => ({
        token: act.worker.token,
        addresses: [...act.worker.addresses],
        nonce,
      }));
      return;
    case "join":
      await engine.call("POST", "/swarm/join", {
        ...listening(node),
        RemoteAddrs: [...act.remotes],
        JoinToken: act.token,
      });
      return;
    case "leave":
      node.say(`leaving the swarm: ${act.why}`);
      await engine.call("POST", "/swarm/leave?force=true");
      return;
  }
}

const listening = (node: NodePorts): Readonly<Record<string, string>> => ({
  ListenAddr: `0.0.0.0:${managerPort}`,
  AdvertiseAddr: control(node) ? `${node.me.address}:${managerPort}` : node.me.address,
  DataPathAddr: node.me.address,
});

/** Which swarm node each instance says it is, from the nodes' own records. */
async function identities({ store }: NodePorts): Promise<readonly { instance: string; nodeId: string }[]> {
  const records = await listRecords(store, "node");
  return records.flatMap(({ value }) =>
    value.swarm === undefined || value.swarm.nodeId === ""
      ? []
      : [{ instance: value.instance, nodeId: value.swarm.nodeId }],
  );
}

/** User labels by group, as far as this control node may read them: the labels come with the services' revision. */
async function labelsByGroup({
  store,
}: NodePorts): Promise<Readonly<Record<string, Readonly<Record<string, string>>>>> {
  const pointer = await readRecord(store, "pointer");
  if (pointer === undefined) return {};
  const revision = await readRecord(store, "servicesRevision", { revision: pointer.value.revision });
  return revision?.value.labels ?? {};
}

/** Keeps the swarm's nodes equal to the roster; the leader's agent does it. */
export const swarmTend: Reconciler<SwarmTendView, SwarmTendAct, NodePorts> = {
  phase: "swarm nodes",
  async look(node) {
    const [nodes, roster, found, labels, turn] = await Promise.all([
      looking(swarmNodes(node.engine)),
      looking(rosterOf(node.store)),
      looking(identities(node)),
      looking(labelsByGroup(node)),
      looking(turnOf(node)),
    ]);
    const own =
      found.kind === "seen" ? found.value.find((identity) => identity.instance === node.me.instance) : undefined;
    return {
      me: { instance: node.me.instance, nodeId: own?.nodeId ?? "" },
      nodes,
      roster,
      turn,
      identities: found,
      labels,
    };
  },
  next: swarmTendNext,
  async perform(act, node) {
    const { engine, say } = node;
    switch (act.kind) {
      case "setLabels":
        for (const { nodeId, labels } of act.nodes) await changeNode(engine, nodeId, { Labels: labels });
        return;
      case "promote":
        if (act.turn !== undefined && !(await writeTurn(node, act.turn, act.instance))) return;
        return changeNode(engine, act.nodeId, { Role: "manager" });
      case "clearTurns":
        await writeTurn(node, act, node.me.instance);
        return;
      case "demote":
        say(`swarm node ${act.nodeId} is demoted`);
        return changeNode(engine, act.nodeId, { Role: "worker" });
      case "drain":
        for (const nodeId of act.nodeIds) await changeNode(engine, nodeId, { Availability: "drain" });
        return;
      case "remove":
        for (const nodeId of act.nodeIds) {
          say(`swarm node ${nodeId} is removed`);
          await removeNode(engine, nodeId);
        }
        return;
    }
  },
};

/** Lets operators reach this manager's engine, once its certificate is there; takes the new one when the certificate changed. */
export async function serveApi({ systemd }: NodePorts, changed: boolean): Promise<void> {
  const state = (await systemd.states([apiUnit])).get(apiUnit);
  if (state?.active !== "active") await systemd.start([apiUnit]);
  else if (changed) await systemd.renew([apiUnit]);
}
