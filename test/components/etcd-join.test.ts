import { describe, expect, it } from "vitest";
import { joinNext, type JoinView } from "../../src/components/etcd/join.ts";
import { etcdJoin } from "../../src/components/etcd/member.ts";
import { peerUrl } from "../../src/components/etcd/membership.ts";
import { seen, unknown } from "../../src/components/reconciler.ts";
import { memoryNode } from "../agent/memory-node.ts";

const founder = (n: number): { instance: string; node: string; address: string } => ({
  instance: `i${n}`,
  node: `c-control-${n}`,
  address: `10.0.0.${n}`,
});
const three = [founder(1), founder(2), founder(3)];
const claim = { kind: "founder", generation: "g", instance: "i1", claim: "one" } as const;
const joined = three.map(({ instance }, at) => ({
  instance,
  clusterId: "c",
  memberId: `m${at + 1}`,
}));

/** A founder that is about to start for the first time. */
const ready: JoinView = {
  me: { ...founder(1), generation: "g" },
  founders: 3,
  generation: seen("open"),
  roster: seen(three.map((entry) => ({ ...entry, group: "control", role: "control", state: "present" }))),
  registrations: seen(three),
  proposal: seen(three),
  claim: seen("one"),
  joined: seen([]),
  disk: seen({ claim, data: false }),
  process: seen({ kind: "stopped" }),
  cluster: unknown("nobody answers"),
};
const withData: JoinView = { ...ready, disk: seen({ claim, data: true }), joined: seen(joined) };
const running = {
  kind: "answers",
  clusterId: "c",
  memberId: "m1",
  learner: false,
  healthy: true,
} as const;

function says(view: JoinView): string {
  const next = joinNext(view);
  return next.kind === "wait" ? next.why.text : next.kind === "act" ? next.act.kind : next.kind;
}

describe("a look", () => {
  it("does not take an etcd that makes its data during it for one that lost it", async () => {
    const owner = { mode: 0o600, user: "root", group: "root" };
    const made = async () => {
      node.texts.set("/var/lib/slipway/etcd/member/wal/0000000000000000-0000000000000000.wal", { content: "", owner });
      return { clusterId: "c", memberId: "m1", learner: false, leader: "m1", version: "3.6.0", applied: 1n };
    };
    const node = memoryNode({ role: "control" }, { ...memoryNode().ports.etcd, status: made, reads: async () => true });
    node.texts.set("/run/slipway/etcd-started", { content: "", owner });
    const view = await etcdJoin().look(node.ports);
    expect(view.process).toMatchObject({ value: { kind: "answers" } });
    expect(view.disk).toEqual(seen({ claim: undefined, data: true }));
  });
});

describe("a founder's first start", () => {
  it("happens when all is seen and agrees", () => {
    expect(joinNext(ready)).toEqual({
      kind: "act",
      act: {
        kind: "startFounder",
        members: three.map(({ node, address }) => ({ name: node, peerUrl: peerUrl(address) })),
      },
    });
  });
  const looks = ["generation", "roster", "registrations", "proposal", "claim", "joined", "disk", "process"] as const;
  it.each(looks)("waits while its %s cannot be seen", (field) => {
    expect(joinNext({ ...ready, [field]: unknown("timeout") }).kind).toBe("wait");
  });
  it("waits in a generation that was rolled back, or that the store does not know", () => {
    expect(says({ ...ready, generation: seen("closed") })).toContain("rolled back");
    expect(says({ ...ready, generation: seen(undefined) })).toContain("empty or foreign");
  });
  it("does not happen again after it joined, whatever the claims say", () => {
    expect(says({ ...ready, joined: seen(joined) })).toContain("slipway restore");
  });
  it("does not happen on the list's word alone: the claim on disk is lost", () => {
    const view = { ...ready, disk: seen({ claim: undefined, data: false }) };
    expect(says(view)).toContain("data is lost");
  });
});

describe("data that is there", () => {
  const dark = unknown("timeout");
  it("is started on without the store: a node comes back by itself", () => {
    const alone = {
      ...withData,
      generation: dark,
      roster: dark,
      registrations: dark,
      proposal: dark,
      claim: dark,
      joined: dark,
    };
    expect(says(alone)).toBe("startExisting");
    expect(says({ ...alone, process: seen(running) })).toBe("settled");
  });
  it("is not started on for a store that does not know its founding", () => {
    expect(says({ ...withData, proposal: seen(undefined) })).toContain("empty or foreign");
    expect(says({ ...withData, generation: seen(undefined) })).toContain("empty or foreign");
    expect(says({ ...withData, claim: seen("other") })).toContain("empty or foreign");
  });
  it("of another instance is moved aside only while a cluster with quorum answers", () => {
    const foreign = {
      ...withData,
      disk: seen({ claim: { ...claim, instance: "i0" }, data: true }),
    };
    expect(says(foreign)).toContain("slipway restore");
    const members = [2, 3].map((n) => ({
      id: `m${n}`,
      name: `c-control-${n}`,
      peerUrls: [peerUrl(`10.0.0.${n}`)],
      learner: false,
      healthy: seen(true),
    }));
    expect(says({ ...foreign, cluster: seen({ clusterId: "c", members }) })).toBe("discardData");
    expect(says({ ...foreign, cluster: seen({ clusterId: "another", members }) })).toContain(
      "another etcd cluster answers",
    );
  });
  it("in a cluster that others do not know is a doctor's matter", () => {
    expect(says({ ...withData, process: seen({ ...running, clusterId: "d" }) })).toContain("slipway doctor");
  });
  it("is recorded after the first healthy read", () => {
    const view = { ...withData, joined: seen([]), process: seen(running) };
    expect(joinNext(view)).toEqual({
      kind: "act",
      act: { kind: "recordJoined", clusterId: "c", memberId: "m1" },
    });
  });
});

describe("two of three have lost their data", () => {
  it("each refuses to found anew and says what to run", () => {
    const wiped = { ...ready, joined: seen(joined), disk: seen({ claim: undefined, data: false }) };
    const text = says(wiped);
    expect(text).toContain("no etcd cluster with quorum answers");
    expect(text).toContain("i1, i2, i3");
    expect(text).toContain("slipway doctor");
  });
  it("the third says that it has no quorum", () => {
    const left = { ...withData, process: seen({ ...running, healthy: false }) };
    expect(says(left)).toContain("without a quorum");
    expect(says(left)).toContain("slipway restore");
  });
});
