import { describe, expect, it } from "vitest";
import { deriveStatus, silentAfter } from "../../src/operations/derive.ts";
import type { Recorded, Seen } from "../../src/operations/look.ts";
import type { Status } from "../../src/operations/status.ts";
import type { ObservedNode } from "../../src/plan/plan.ts";
import type { RecordValue } from "../../src/records/table.ts";
import {
  controlRecord,
  demo,
  etcdId,
  nodeRecord,
  observedNode,
  rosterRecord,
  start,
  threeAndTwo,
  wantedWeb,
  webRecord,
} from "./fake-target.ts";

type Picture = {
  nodes?: readonly ObservedNode[];
  records?: readonly RecordValue<"node">[];
  roster?: readonly RecordValue<"roster">[];
  recorded?: Partial<Recorded>;
  now?: number;
};

function derive({ nodes = threeAndTwo(), records, roster, recorded, now = start }: Picture): Status {
  const seen: Seen = {
    observed: {
      cluster: demo,
      state: "present",
      nodes,
      published: [{ port: 8080, protocol: "tcp", address: "127.0.0.1:8080" }],
    },
    recorded: {
      kind: "read",
      value: {
        cluster: undefined,
        pointer: undefined,
        wanted: undefined,
        refused: [],
        formed: { etcd: true, swarm: true },
        services: [],
        roster: roster ?? nodes.map((node) => rosterRecord(node)),
        nodes:
          records ?? nodes.map((node) => (node.role === "control" ? controlRecord(node, nodes) : nodeRecord(node))),
        ...recorded,
      },
    },
    now,
  };
  return deriveStatus(seen, { name: "docker" });
}

const [c1, c2, c3] = [observedNode("control", 1), observedNode("control", 2), observedNode("control", 3)];
const [w1, w2] = [observedNode("worker", 1), observedNode("worker", 2)];
const all: readonly ObservedNode[] = [c1, c2, c3, w1, w2];
const ready = (node: ObservedNode): RecordValue<"node"> =>
  node.role === "control" ? controlRecord(node, all) : nodeRecord(node);
const except = (node: ObservedNode, record: RecordValue<"node"> | undefined): RecordValue<"node">[] => [
  ...all.filter((other) => other !== node).map(ready),
  ...(record === undefined ? [] : [record]),
];
const first = (status: Status, name: string): Status["nodes"][number] | undefined =>
  status.nodes.find((node) => node.name === name);

describe("the state of one node", () => {
  const cases: readonly [string, Picture, string, { state: string; phase: string; reason?: string }][] = [
    ["a running node is what it says", {}, w1.name, { state: "ready", phase: "ready" }],
    [
      "its reason is handed on",
      {
        records: except(w1, nodeRecord(w1, { state: "degraded", phase: "docker", reason: "dockerd is dead" })),
      },
      w1.name,
      { state: "degraded", phase: "docker", reason: "dockerd is dead" },
    ],
    ["no record yet: booting", { records: except(w1, undefined) }, w1.name, { state: "starting", phase: "boot" }],
    [
      "a record from before its stop: booting",
      { records: except(w1, nodeRecord(w1, { state: "stopped", phase: "stopped" })) },
      w1.name,
      { state: "starting", phase: "boot" },
    ],
    [
      "a stopped container is stopped whatever the record says",
      { nodes: [c1, c2, c3, w2, { ...w1, state: "stopped" }] },
      w1.name,
      { state: "stopped", phase: "stopped" },
    ],
    [
      "a container that never started",
      { nodes: [c1, c2, c3, w2, { ...w1, state: "created" }] },
      w1.name,
      { state: "stopped", phase: "created", reason: "its container was made but never started" },
    ],
    [
      "data without a container",
      { nodes: [c1, c2, c3, w2, { ...w1, state: "missing" }] },
      w1.name,
      {
        state: "absent",
        phase: "absent",
        reason: "its container is gone, its data is there; slipway launch makes it again",
      },
    ],
    [
      "in the roster, nowhere else",
      { nodes: [c1, c2, c3, w2], roster: all.map((node) => rosterRecord(node)) },
      w1.name,
      {
        state: "absent",
        phase: "absent",
        reason: "its container and its data are gone; slipway launch makes it anew",
      },
    ],
    [
      "silent for three minutes",
      { records: except(w1, nodeRecord(w1, { seen: start - 180_000 })) },
      w1.name,
      {
        state: "unknown",
        phase: "ready",
        reason: 'no sign of life for 3 minutes; it last said "ready"',
      },
    ],
  ];
  it.each(cases)("%s", (_, picture, name, wanted) => {
    const { state, phase, reason } = first(derive(picture), name) ?? {};
    expect({ state, phase, ...(reason === undefined ? {} : { reason }) }).toEqual(wanted);
  });

  it("is silent after two minutes and not before", () => {
    const at = (seen: number): string | undefined =>
      first(derive({ records: except(w1, nodeRecord(w1, { seen })) }), w1.name)?.state;
    expect(at(start - silentAfter)).toBe("ready");
    expect(at(start - silentAfter - 1)).toBe("unknown");
  });

  it("leaves out instances that leave or are gone, and a name that a new instance bears", () => {
    const roster = [
      ...all.map((node) => rosterRecord(node)),
      rosterRecord(w1, { instance: "i-old" }),
      rosterRecord(observedNode("worker", 3), { state: "leaving" }),
      rosterRecord(observedNode("worker", 4), { state: "gone" }),
    ];
    expect(derive({ roster }).nodes.map((node) => node.name)).toEqual(all.map((node) => node.name));
  });

  it("lists control nodes first, and numbers as numbers", () => {
    const many = [observedNode("a", 10), observedNode("a", 9), observedNode("control", 1)];
    expect(derive({ nodes: many }).nodes.map((node) => node.name)).toEqual(["demo-control-1", "demo-a-9", "demo-a-10"]);
  });

  it("says since when and which revision", () => {
    expect(first(derive({}), w1.name)).toMatchObject({
      since: "2023-11-14T22:13:20.000Z",
      revision: "r1",
      address: "10.0.1.1",
      group: "worker",
      role: "worker",
      instance: "i-worker-1",
    });
  });
});

describe("the state of the cluster", () => {
  const with1 = (node: ObservedNode, state: RecordValue<"node">["state"]): RecordValue<"node">[] =>
    except(node, { ...ready(node), state, phase: "docker" });
  const stopped = (...names: readonly ObservedNode[]): ObservedNode[] =>
    all.map((node) => (names.includes(node) ? { ...node, state: "stopped" } : node));
  const cases: readonly [string, Picture, string][] = [
    ["all ready", {}, "ready"],
    ["nothing yet", { nodes: [] }, "starting"],
    ["nobody has spoken", { records: [] }, "starting"],
    ["one still starts", { records: with1(w1, "starting") }, "starting"],
    ["one worker failed", { records: with1(w1, "failed") }, "degraded"],
    ["one control node failed", { records: with1(c1, "failed") }, "degraded"],
    ["one worker stopped", { nodes: stopped(w1) }, "degraded"],
    ["one control node stopped", { nodes: stopped(c1) }, "degraded"],
    ["two control nodes stopped", { nodes: stopped(c1, c2) }, "failed"],
    ["all stopped", { nodes: stopped(...all) }, "stopped"],
    ["one worker silent", { records: except(w1, nodeRecord(w1, { seen: 0 })) }, "degraded"],
    ["all silent", { now: start + 600_000 }, "unknown"],
    [
      "two of three control nodes failed",
      {
        records: [
          ...all.filter((node) => node !== c1 && node !== c2).map(ready),
          { ...ready(c1), state: "failed" },
          { ...ready(c2), state: "failed" },
        ],
      },
      "failed",
    ],
    [
      "one node lost altogether",
      { nodes: [c1, c2, c3, w1], roster: all.map((node) => rosterRecord(node)) },
      "degraded",
    ],
  ];
  it.each(cases)("%s", (_, picture, wanted) => {
    expect(derive(picture).state).toBe(wanted);
  });

  it("is absent with empty lists when nothing is there", () => {
    const seen: Seen = {
      observed: { cluster: demo, state: "absent", nodes: [], published: [] },
      recorded: { kind: "unreadable", why: "-" },
      now: start,
    };
    expect(deriveStatus(seen, { name: "docker" })).toEqual({
      cluster: "demo",
      target: "docker",
      state: "absent",
      nodes: [],
      services: [],
      etcd: { leader: "", members: [] },
    });
  });

  it("is unknown when the store cannot be read, and still lists the nodes", () => {
    const nodes = stopped(w2);
    const seen: Seen = {
      observed: { cluster: demo, state: "present", nodes, published: [] },
      recorded: { kind: "unreadable", why: "connection refused" },
      now: start,
    };
    const status = deriveStatus(seen, { name: "docker" });
    expect(status.state).toBe("unknown");
    expect(status.nodes).toHaveLength(5);
    expect(first(status, c1.name)).toMatchObject({
      state: "unknown",
      reason: "the cluster's store cannot be read: connection refused",
    });
    expect(first(status, w2.name)?.state).toBe("stopped");
  });
});

describe("services", () => {
  const wanted = { revision: "r1", services: [wantedWeb()], labels: {}, logins: [] };

  it("come from the current revision, with the addresses that the gateway publishes", () => {
    const { services } = derive({
      recorded: { wanted, services: [webRecord(), webRecord({ name: "old" })] },
    });
    expect(services).toEqual([{ name: "web", desired: 2, running: 2, addresses: ["http://127.0.0.1:8080"] }]);
  });

  it("ask for what the revision says, not for what the agent has seen so far", () => {
    const { services, state } = derive({
      recorded: { wanted, services: [webRecord({ desired: 1, running: 1 })] },
    });
    expect(services[0]).toMatchObject({ desired: 2, running: 1 });
    expect(state).toBe("degraded");
  });

  it.each([
    ["not yet known", [], "starting"],
    ["starting", [webRecord({ running: 0, state: "starting" })], "starting"],
    ["failed", [webRecord({ running: 0, state: "failed" })], "degraded"],
    ["complete", [webRecord()], "ready"],
    ["reported under an older revision", [webRecord({ revision: "r0" })], "starting"],
  ] as const)("%s", (_, services, state) => {
    expect(derive({ recorded: { wanted, services } }).state).toBe(state);
  });
});

describe("etcd", () => {
  it("names members by their nodes and says who leads", () => {
    expect(derive({}).etcd).toEqual({
      leader: "demo-control-1",
      members: [c1, c2, c3].map((node) => ({ name: node.name, id: etcdId(node), state: "voter" })),
    });
  });

  it("believes the newest view that has a leader", () => {
    const view = (node: ObservedNode, seen: number, leader: string): RecordValue<"node"> => {
      const record = controlRecord(node, all, { seen });
      return record.etcd === undefined ? record : { ...record, etcd: { ...record.etcd, leader } };
    };
    const records = [view(c1, start - 2, etcdId(c1)), view(c2, start - 1, etcdId(c3)), view(c3, start, "")];
    expect(derive({ records }).etcd.leader).toBe("demo-control-3");
  });

  it("names a leader whose own node has not told of itself since", () => {
    const records = [controlRecord(c1, all, { seen: start - 1 }), nodeRecord(c2), controlRecord(c3, all)];
    const led = records.map((record) =>
      record.etcd === undefined ? record : { ...record, etcd: { ...record.etcd, leader: etcdId(c2) } },
    );
    expect(derive({ records: led }).etcd.leader).toBe("demo-control-2");
  });

  it("does not ask a stopped node, and calls its member unhealthy", () => {
    const nodes = all.map((node) => (node === c1 ? { ...node, state: "stopped" as const } : node));
    const records = all.map((node) =>
      node.role === "control" ? controlRecord(node, all, { seen: node === c1 ? start : start - 1 }) : nodeRecord(node),
    );
    expect(derive({ nodes, records }).etcd.members.map((member) => member.state)).toEqual([
      "unhealthy",
      "voter",
      "voter",
    ]);
  });

  it("tells learners, sick and unstarted members apart", () => {
    const record = controlRecord(c1, all);
    const members = [
      { id: etcdId(c1), name: "x", learner: false, healthy: true },
      { id: etcdId(c2), name: "y", learner: true, healthy: false },
      { id: "e9", name: "", learner: false, healthy: false },
      { id: "e8", name: "z", learner: false, healthy: false },
    ];
    const records = [
      { ...record, etcd: { memberId: etcdId(c1), clusterId: "c", leader: "", members } },
      nodeRecord(c2, { etcd: { memberId: etcdId(c2), clusterId: "c", leader: "", members: [] } }),
    ];
    const states = Object.fromEntries(
      derive({ nodes: [c1, c2], records: [...records] }).etcd.members.map((member) => [member.id, member.state]),
    );
    // The newest without a leader: the first in the list wins a tie.
    expect(states).toEqual({
      [etcdId(c1)]: "voter",
      [etcdId(c2)]: "learner",
      e9: "unstarted",
      e8: "unhealthy",
    });
  });

  it("is empty when no control node runs", () => {
    const nodes = all.map((node) => ({ ...node, state: "stopped" as const }));
    expect(derive({ nodes }).etcd).toEqual({ leader: "", members: [] });
  });
});
