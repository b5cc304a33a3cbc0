import { readRecord, updateRecord } from "../../records/access.ts";
import { etcdRoot, etcdWorker } from "../certificates.ts";
import { looking, rosterOf, type NodePorts } from "../node.ts";
import type { Reconciler } from "../reconciler.ts";
import { memberEndpoint, ownEndpoint } from "./process.ts";
import { shareNext, type ObservedAuth, type ShareAct, type ShareView } from "./share.ts";

async function observedAuth({ etcd }: NodePorts): Promise<ObservedAuth> {
  const { auth } = etcd;
  const [enabled, root, worker, rootRole, workerRole] = await Promise.all([
    auth.enabled(ownEndpoint),
    auth.user(ownEndpoint, etcdRoot),
    auth.user(ownEndpoint, etcdWorker),
    auth.role(ownEndpoint, etcdRoot),
    auth.role(ownEndpoint, etcdWorker),
  ]);
  return { enabled, root, worker, roles: { root: rootRole !== undefined, worker: workerRole } };
}

/** Each voter's own word: one that is behind would serve everybody what it still has. A learner serves its clients nothing. */
async function everywhere({ etcd }: NodePorts): Promise<boolean> {
  const { members } = await etcd.members(ownEndpoint);
  const answers = await Promise.all(
    members.filter((member) => !member.learner).map((member) => etcd.auth.enabled(memberEndpoint(member))),
  );
  return answers.every((enabled) => enabled);
}

/** Gives workers the prefix that the file shares, or takes it back; from any control instance whose member is a healthy voter. */
export const etcdShare: Reconciler<ShareView, ShareAct, NodePorts> = {
  phase: "etcd share",
  async look(node) {
    const { store } = node;
    const share = node.wanted()?.group.wanted.etcd?.share;
    const published = await looking(readRecord(store, "workerEtcd").then((record) => record?.value));
    const told = published.kind === "seen" ? published.value : undefined;
    const notAsked = { kind: "unknown", why: "not asked" } as const;
    const [addresses, auth] = await Promise.all([
      looking(
        rosterOf(store).then((roster) =>
          roster
            .filter((entry) => entry.role === "control" && entry.state === "present")
            .map((entry) => entry.address)
            .toSorted(),
        ),
      ),
      // In a cluster that never shared anything, etcd is not asked: each question is a line in its log.
      share === undefined && told === undefined ? notAsked : looking(observedAuth(node)),
    ]);
    const on = auth.kind === "seen" && auth.value.enabled;
    return {
      share,
      addresses,
      published,
      auth,
      everywhere: on && told?.share === undefined ? await looking(everywhere(node)) : notAsked,
    };
  },
  next: shareNext,
  async perform(act, { etcd: { auth }, store, random, say }) {
    switch (act.kind) {
      case "addUser":
        return auth.addUser(ownEndpoint, act.name);
      case "addRole":
        return auth.addRole(ownEndpoint, act.name);
      case "grantRole":
        return auth.grantRole(ownEndpoint, act.user, act.role);
      case "grant":
        return auth.grant(ownEndpoint, etcdWorker, act.range);
      case "revoke":
        return auth.revoke(ownEndpoint, etcdWorker, act.range);
      case "enable":
        say("etcd asks from now on who its clients are");
        return auth.enable(ownEndpoint);
      case "removeWorker":
        return auth.removeUser(ownEndpoint, etcdWorker);
      case "publish": {
        const { share, addresses } = act;
        say(share === undefined ? "etcd is shared with workers no more" : `etcd's ${share} is shared with workers`);
        await updateRecord(store, "workerEtcd", {}, () => ({
          ...(share === undefined ? {} : { share }),
          addresses: [...addresses],
          nonce: random.hex(8),
        }));
      }
    }
  },
};

/** Whether workers are let in now: only then are their certificates for etcd signed. */
export async function isShared({ store, wanted }: NodePorts): Promise<boolean> {
  const share = wanted()?.group.wanted.etcd?.share;
  return share !== undefined && (await readRecord(store, "workerEtcd"))?.value.share === share;
}
