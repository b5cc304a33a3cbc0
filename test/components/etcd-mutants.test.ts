import { describe, expect, it } from "vitest";
import type { EtcdSize } from "./etcd-state.ts";
import { etcdWorld } from "./etcd-world.ts";
import { explore } from "./explore.ts";
import { mutated, type Edit } from "./mutate.ts";

const join = (find: string, replace: string): Edit => ({
  file: "src/components/etcd/join.ts",
  find,
  replace,
});
const tend = (find: string, replace: string): Edit => ({
  file: "src/components/etcd/tend.ts",
  find,
  replace,
});
const quorum = (find: string, replace: string): Edit => ({
  file: "src/components/quorum.ts",
  find,
  replace,
});
const membership = (find: string, replace: string): Edit => ({
  file: "src/components/etcd/membership.ts",
  find,
  replace,
});

const forming: EtcdSize = {
  founders: 3,
  slots: 3,
  faults: { crash: true, lose: true, replace: true, vanish: true },
};
const disks: EtcdSize = { founders: 3, slots: 3, faults: { replaceKeepingDisk: true } };
const shrinking: EtcdSize = {
  founders: 3,
  slots: 3,
  faults: { crash: true, leave: true, partition: true },
};
const moving: EtcdSize = { founders: 3, slots: 4, present: 3, faults: { vanish: true } };
const five: EtcdSize = { founders: 5, slots: 5, faults: { lose: true } };
const forgetful: EtcdSize = { founders: 1, slots: 1, faults: { crash: true, storeLost: true } };

/** What each would break, and the smallest world that shows it. */
const mutants: readonly (readonly [string, readonly Edit[], EtcdSize, number])[] = [
  [
    "a founder starts whenever it is on the list (what the older systems did)",
    [
      join(
        "if (recorded(view).some((record) => record.instance === view.me.instance)) return enter(view, disk, lost);",
        "",
      ),
      join('if (cluster !== undefined && member?.name !== "") return enter(view, disk, lost);', ""),
      join(
        'claim === undefined ? act({ kind: "claimOnDisk" }) : enter(view, disk, lost)',
        'act({ kind: "claimOnDisk" })',
      ),
      join("if (claim !== disk.claim.claim) return enter(view, disk, lost);", ""),
    ],
    forming,
    2,
  ],
  [
    "a founder that lost its disk claims again",
    [
      join(
        'claim === undefined ? act({ kind: "claimOnDisk" }) : enter(view, disk, lost)',
        'act({ kind: "claimOnDisk" })',
      ),
      join("if (claim !== disk.claim.claim) return enter(view, disk, lost);", ""),
    ],
    forming,
    1,
  ],
  [
    "the claim stands on disk alone, not in the store",
    [
      join('if (claim === undefined) return act({ kind: "claimInStore", claim: disk.claim.claim });', ""),
      join("if (claim !== disk.claim.claim) return", "if (claim !== undefined && claim !== disk.claim.claim) return"),
    ],
    forming,
    1,
  ],
  [
    "the cluster is founded one instance short",
    [join("ready.length < view.founders", "ready.length < view.founders - 1")],
    forming,
    0,
  ],
  [
    "the founders need not be in the roster",
    [join('.filter((founder) => standing(view.roster, founder.instance) === "present")', ".slice()")],
    forming,
    1,
  ],
  [
    "nobody answers, so a new cluster is founded",
    [
      join(
        "return wait(noQuorum(view, why));\n  const url = peerUrl(view.me.address);",
        'return act({ kind: "startFounder", members: [{ name: view.me.node, peerUrl: peerUrl(view.me.address) }] });\n  const url = peerUrl(view.me.address);',
      ),
    ],
    forming,
    1,
  ],
  [
    "each founder starts with the list that it sees itself",
    [
      join(
        "members: proposal.map(",
        'members: proposal.slice(0, view.joined.kind === "seen" && view.joined.value.length > 0 ? 2 : 3).map(',
      ),
    ],
    forming,
    0,
  ],
  [
    "a learner that was added is started whoever added it",
    [join('here.name === "" && here.id === added', 'here.name === ""')],
    forming,
    2,
  ],
  [
    "the old member stays while the new one comes in",
    [join("if (old !== undefined) return removeOld(view, cluster, view.roster.value, old);", "")],
    forming,
    1,
  ],
  [
    "the member of one that is gone stays while the new one comes in",
    [
      join(
        'if (owner?.state === "gone") return wait(',
        'if (owner?.state === "present" && owner.node === "") return wait(',
      ),
    ],
    moving,
    2,
  ],
  [
    "the guard is not asked when the old member goes",
    [join("if (!verdict.allowed) return wait(`its old", "if (verdict === undefined) return wait(`its old")],
    five,
    2,
  ],
  [
    "the guard is not asked when a member leaves",
    [tend("if (!verdict.allowed) return wait(`the member of", "if (verdict === undefined) return wait(`the member of")],
    shrinking,
    1,
  ],
  [
    "members that do not answer are removed",
    [
      tend(
        'owned.find(({ owner }) => owner?.state === "gone")',
        'owned.find(({ member, owner }) => owner?.state === "gone" || !isHealthy(member))',
      ),
    ],
    shrinking,
    0,
  ],
  [
    "unknown counts as healthy",
    [
      quorum(
        'member.healthy.kind === "seen" && member.healthy.value',
        'member.healthy.kind === "unknown" || member.healthy.value',
      ),
    ],
    shrinking,
    1,
  ],
  ["half is a majority", [quorum("Math.floor(voters / 2) + 1", "Math.ceil(voters / 2)")], shrinking, 2],
  [
    "the leader is removed as any other",
    [tend("if (next.member.id === view.leader.value) {", 'if (next.member.id === "") {')],
    shrinking,
    3,
  ],
  [
    "learners are never promoted",
    [tend("const ready = isHealthy(learner)", 'const ready = learner.id === "" && isHealthy(learner)')],
    forming,
    1,
  ],
  [
    "the member at an address belongs to the first that ever had it",
    [membership('here.find((entry) => entry.state !== "gone") ?? here[0]', "here[0]")],
    forming,
    1,
  ],
  [
    "data of another instance is as good as one's own",
    [join("claim === undefined || !isMine(view, claim)", "claim === undefined")],
    disks,
    1,
  ],
  [
    "foreign data is moved aside before a cluster stands without it",
    [
      join(
        "if (cluster === undefined) return wait(noQuorum(view, why));\n  if (process",
        'if (cluster === undefined) return act({ kind: "discardData", why });\n  if (process',
      ),
    ],
    disks,
    2,
  ],
  [
    "an empty store is as good as the one that was joined",
    [join("if (differs) return wait(", 'if (differs && view.me.instance === "") return wait(')],
    forgetful,
    1,
  ],
  ["joining is never recorded", [join("?.memberId !== process.memberId) {", '?.memberId === "") {')], forming, 1],
];

describe("each of these mistakes in etcd's decisions is caught", () => {
  it.each(mutants)("%s", async (_, edits, size, faults) => {
    const outcome = explore(etcdWorld(size, await mutated(edits)), faults);
    expect(outcome.broken).toBeDefined();
  });
});
