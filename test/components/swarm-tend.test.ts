import { describe, expect, it } from "vitest";
import { seen, unknown } from "../../src/components/reconciler.ts";
import type { RosterEntry } from "../../src/components/roster.ts";
import { swarmTendNext, type SwarmNode, type SwarmTendView } from "../../src/components/swarm/tend.ts";

const labels = (n: number): Record<string, string> => ({
  "slipway.instance": `i${n}`,
  "slipway.group": "control",
});
const manager = (n: number, fields: Partial<SwarmNode> = {}): SwarmNode => ({
  id: `s${n}`,
  labels: labels(n),
  role: "manager",
  availability: "active",
  state: "ready",
  reachable: true,
  leader: n === 1,
  counted: true,
  address: `10.0.0.${n}`,
  ...fields,
});
const entry = (n: number, fields: Partial<RosterEntry> = {}): RosterEntry => ({
  instance: `i${n}`,
  node: `c-control-${n}`,
  group: "control",
  role: "control",
  address: `10.0.0.${n}`,
  state: "present",
  ...fields,
});
const down = { state: "down", reachable: false } as const;

function view(
  nodes: readonly SwarmNode[],
  roster: readonly RosterEntry[],
  fields: Partial<SwarmTendView> = {},
): SwarmTendView {
  return {
    me: { instance: "i1", nodeId: "s1" },
    nodes: seen(nodes),
    roster: seen(roster),
    turn: seen({ first: "i1", grown: true, full: ["i2", "i3"], joining: [], whole: false }),
    identities: seen(nodes.map((node) => ({ instance: `i${node.id.slice(1)}`, nodeId: node.id }))),
    labels: seen({}),
    ...fields,
  };
}
function does(given: SwarmTendView): unknown {
  const next = swarmTendNext(given);
  return next.kind === "act" ? next.act : next.kind;
}

const three = [manager(1), manager(2), manager(3)];
const all = [entry(1), entry(2), entry(3)];

describe("the swarm's nodes follow the roster", () => {
  it("rests when they agree", () => {
    expect(does(view(three, all))).toBe("settled");
  });
  it.each(["nodes", "roster", "identities"] as const)("waits while the %s cannot be seen", (field) => {
    expect(
      does(
        view(three, [entry(1), entry(2), entry(3, { state: "gone" })], {
          [field]: unknown("timeout"),
        }),
      ),
    ).toBe("wait");
  });
  it("never removes one that is only silent", () => {
    expect(does(view([manager(1), manager(2), manager(3, down)], all))).toBe("settled");
  });
  it("demotes, then removes, one that is gone and down", () => {
    const roster = [entry(1), entry(2), entry(3, { state: "gone" })];
    expect(does(view([manager(1), manager(2), manager(3, down)], roster))).toEqual({
      kind: "demote",
      nodeId: "s3",
    });
    expect(does(view([manager(1), manager(2), manager(3, { ...down, role: "worker" })], roster))).toEqual({
      kind: "remove",
      nodeIds: ["s3"],
    });
    // The roster's word is enough: the swarm itself calls a dead node ready for some seconds more.
    expect(does(view(three, roster))).toEqual({ kind: "demote", nodeId: "s3" });
  });
  it("demotes nobody at the cost of the quorum", () => {
    const roster = [entry(1), entry(2), entry(3, { state: "leaving" })];
    const nodes = [manager(1), manager(2, down), manager(3, { availability: "drain" })];
    expect(does(view(nodes, roster))).toBe("wait");
    expect(does(view([manager(1), manager(2), manager(3, { availability: "drain" })], roster))).toEqual({
      kind: "demote",
      nodeId: "s3",
    });
  });
  it("drains before it demotes who leaves", () => {
    expect(does(view(three, [entry(1), entry(2), entry(3, { state: "leaving" })]))).toEqual({
      kind: "drain",
      nodeIds: ["s3"],
    });
  });
  it("removes the node that its own living instance left behind", () => {
    const nodes = [manager(1), manager(2), manager(3, down), manager(4, { labels: {} })];
    const identities = seen(
      [1, 2].map((n) => ({ instance: `i${n}`, nodeId: `s${n}` })).concat({ instance: "i3", nodeId: "s4" }),
    );
    expect(does(view(nodes, all, { identities }))).toEqual({ kind: "demote", nodeId: "s3" });
  });
  it("leaves a node alone that it cannot place", () => {
    expect(does(view([...three, manager(9, { ...down, labels: {} })], all))).toBe("settled");
  });
  it("labels by what the node's own record says, keeps others' labels and drops its own that left the file", () => {
    const nodes = [
      manager(1, { labels: { mine: "1", disk: "ssd", "slipway.labels": "disk" } }),
      manager(2),
      manager(3),
    ];
    expect(does(view(nodes, all, { labels: seen({ control: { rack: "a" } }) }))).toEqual({
      kind: "setLabels",
      nodes: [
        { nodeId: "s1", labels: { mine: "1", rack: "a", ...labels(1), "slipway.labels": "rack" } },
        { nodeId: "s2", labels: { rack: "a", ...labels(2), "slipway.labels": "rack" } },
        { nodeId: "s3", labels: { rack: "a", ...labels(3), "slipway.labels": "rack" } },
      ],
    });
  });
  it("lets no new manager in before those that are gone are out", () => {
    const roster = [entry(1), entry(2), entry(3, { state: "gone" }), entry(4)];
    const newcomer = manager(4, { role: "worker", reachable: false });
    const twoOfThree = [manager(1), manager(2, down), manager(3, down), newcomer];
    expect(does(view(twoOfThree, roster))).toBe("wait");
    expect(does(view([manager(1), manager(2), newcomer], roster))).toEqual({
      kind: "promote",
      nodeId: "s4",
      instance: "i4",
      turn: { kind: "takeTurn", room: 1 },
    });
  });
  describe("one that was to become a manager and was lost half-way", () => {
    const half = manager(9, { labels: {}, counted: false, reachable: false, state: "unknown", address: "10.0.0.3" });
    const identities = seen(three.map((node) => ({ instance: `i${node.id.slice(1)}`, nodeId: node.id })));
    const now = (node: SwarmNode, joining?: string, roster: readonly RosterEntry[] = all): unknown => {
      const entering = joining === undefined ? [] : [joining];
      const turn = seen({ first: "i1", grown: true, full: ["i2", "i3"], joining: entering, whole: false });
      return does(view([...three, node], roster, { identities, turn }));
    };
    it("is removed, or first demoted where the managers count it", () => {
      expect(now(half)).toEqual({ kind: "remove", nodeIds: ["s9"] });
      expect(now({ ...half, counted: true })).toEqual({ kind: "demote", nodeId: "s9" });
      expect(now({ ...half, address: "" })).toEqual({ kind: "remove", nodeIds: ["s9"] });
    });
    it("is left alone while somebody enters, who may be that one", () => {
      expect(now(half, "i3")).toBe("settled");
      expect(now(half, "i3", [entry(1), entry(2), entry(3, { state: "gone" })])).not.toBe("settled");
    });
    it("is none of ours at another address, or when it works", () => {
      expect(now({ ...half, address: "10.9.9.9" })).toBe("settled");
      expect(now({ ...half, state: "ready" })).toBe("settled");
      expect(now({ ...half, role: "worker" })).toBe("settled");
      expect(now({ ...half, role: "worker", state: "down" })).toBe("settled");
    });
    it("is removed as a worker too, which it is once it was demoted, when it is down and never said where it was", () => {
      const never = { ...half, role: "worker", state: "down", address: "" } as const;
      expect(now(never)).toEqual({ kind: "remove", nodeIds: ["s9"] });
    });
  });
  it("lets managers in one at a time", () => {
    const nodes = [manager(1), manager(2), manager(3, { role: "worker", reachable: false })];
    const turn = (joining: string) => ({
      turn: seen({ first: "i1", grown: true, full: ["i2"], joining: [joining], whole: false }),
    });
    expect(does(view(nodes, [...all, entry(4)], turn("i4")))).toBe("wait");
    expect(does(view(nodes, all, turn("i3")))).toEqual({ kind: "promote", nodeId: "s3", instance: "i3" });
  });
  it("takes their turns from those that are gone, once the managers are rid of them", () => {
    const turn = seen({ first: "i1", grown: true, full: ["i2"], joining: ["i9"], whole: false });
    const gone = [...all, entry(9, { state: "gone" })];
    expect(does(view(three, gone, { turn }))).toEqual({ kind: "clearTurns", gone: ["i9"] });
    expect(does(view([...three, manager(9, down)], gone, { turn }))).toEqual({ kind: "demote", nodeId: "s9" });
  });
  it("promotes and demotes when the role differs", () => {
    expect(does(view([manager(1), manager(2), manager(3, { role: "worker", reachable: false })], all))).toEqual({
      kind: "promote",
      nodeId: "s3",
      instance: "i3",
      turn: { kind: "takeTurn", room: 2 },
    });
    expect(does(view(three, [entry(1), entry(2), entry(3, { role: "worker" })]))).toEqual({
      kind: "demote",
      nodeId: "s3",
    });
  });
});
