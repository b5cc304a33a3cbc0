import { describe, expect, it } from "vitest";
import { doctor, type Finding } from "../../src/operations/doctor.ts";
import type { RecordValue } from "../../src/records/table.ts";
import {
  controlRecord,
  demo,
  etcdId,
  fakeTarget,
  fillReady,
  loseMajority,
  nodeRecord,
  observedNode,
  put,
  start,
  threeAndTwo,
  webRecord,
  world,
  type World,
} from "./fake-target.ts";

const day = 86_400_000;
const worker = observedNode("worker", 1);
const workerParts = { instance: worker.instance };

async function ready(nodes = threeAndTwo()): Promise<World> {
  const made = world(fakeTarget(nodes));
  await fillReady(made.store, nodes);
  return made;
}
const findings = async (made: World): Promise<readonly Finding[]> =>
  (await doctor(made.context, { cluster: demo })).findings;

describe("doctor", () => {
  it("has one good word for a healthy cluster", async () => {
    const result = await doctor((await ready()).context, { cluster: demo });
    expect(result).toEqual({
      state: "good",
      findings: [
        { subject: "engine", state: "good", message: "reachable" },
        {
          subject: "demo",
          state: "good",
          message: "5 nodes, 3 etcd members, 1 services: all well",
        },
      ],
    });
  });

  it("does not ask a target that cannot be reached", async () => {
    const made = await ready();
    made.target.examine = async () => [{ subject: "engine", state: "bad", message: "refused", fix: "start Docker" }];
    made.target.observe = async () => Promise.reject(new Error("must not be asked"));
    expect(await doctor(made.context, { cluster: demo })).toMatchObject({
      state: "bad",
      findings: [{ subject: "engine" }],
    });
  });

  it("says that the store is down, and still what the target shows", async () => {
    const made = await ready();
    made.target.storeDown = true;
    made.target.nodes = made.target.nodes.map((node) =>
      node.name === worker.name ? { ...node, state: "stopped" } : node,
    );
    const subjects = (await findings(made)).map((finding) => `${finding.subject} ${finding.state}`);
    expect(subjects).toContain("store bad");
    expect(subjects).toContain("demo-worker-1 warning");
  });

  const cases: readonly [string, Partial<RecordValue<"node">>, Partial<Finding>][] = [
    [
      "a silent node",
      { seen: start - 300_000 },
      { state: "bad", message: 'no sign of life for 5 minutes; it last said "ready"' },
    ],
    [
      "a failed node",
      { state: "failed", phase: "docker", reason: "no space" },
      {
        state: "bad",
        message: "it is failed, phase docker: no space",
        fix: "slipway logs demo-worker-1",
      },
    ],
    [
      "drift",
      { drift: ["/etc/docker/daemon.json"] },
      { state: "warning", message: "changed behind Slipway's back: /etc/docker/daemon.json" },
    ],
    ["a full disk", { disk: [{ mount: "/", size: 100, free: 10 }] }, { state: "warning", message: "/ is 90 % full" }],
    [
      "a certificate that was not renewed",
      { certificates: { store: start + 20 * day } },
      {
        state: "warning",
        message: "its certificate for store ends at 2023-12-04T22:13:20.000Z and was not renewed",
      },
    ],
    [
      "a certificate that has ended",
      { certificates: { store: start - day } },
      {
        state: "bad",
        message: "its certificate for store has ended at 2023-11-13T22:13:20.000Z and was not renewed",
      },
    ],
  ];
  it.each(cases)("sees %s", async (_, fields, wanted) => {
    const made = await ready();
    await put(made.store, "node", workerParts, nodeRecord(worker, fields));
    expect(await findings(made)).toContainEqual(expect.objectContaining({ subject: "demo-worker-1", ...wanted }));
  });

  it("shows a failed unit with its last lines", async () => {
    const made = await ready();
    await put(
      made.store,
      "node",
      workerParts,
      nodeRecord(worker, {
        units: [{ name: "app.service", active: "failed", sub: "failed", result: "exit-code", ours: true }],
      }),
    );
    made.target.exec = (_, command) => ({
      code: 0,
      stdout: command.includes("--unit=app.service") ? "cannot open config\n" : "",
      stderr: "",
    });
    expect(await findings(made)).toContainEqual({
      subject: "demo-worker-1",
      state: "bad",
      message: "unit app.service has failed (exit-code)",
      fix: "slipway logs demo-worker-1 --unit app.service",
      log: ["cannot open config"],
    });
  });

  it("explains a lost quorum: who is lost and what brings it back", async () => {
    const made = await ready();
    made.target.nodes = made.target.nodes.map((node) =>
      /control-[23]/.test(node.name) ? { ...node, state: "stopped" } : node,
    );
    const etcd = (await findings(made)).find((finding) => finding.subject === "etcd");
    expect(etcd).toEqual({
      subject: "etcd",
      state: "bad",
      message: "no quorum: 1 of 3 voting members are healthy, 2 are needed; lost: demo-control-2, demo-control-3",
      fix: "slipway start demo-control-2 demo-control-3",
    });
    expect((await findings(made)).find((finding) => finding.subject === "swarm")).toMatchObject({
      state: "bad",
      fix: "slipway start demo-control-2 demo-control-3",
    });
  });

  it("names the nodes whose data is lost where no member can tell of the others", async () => {
    const made = await ready();
    await loseMajority(made.store, made.target.nodes);
    expect((await findings(made)).find((finding) => finding.subject === "etcd")).toEqual({
      subject: "etcd",
      state: "bad",
      message:
        "no quorum: the data of demo-control-2, demo-control-3 is lost, and what is left is no majority; nothing is founded anew",
      fix: "bring that data back, or slipway restore from a snapshot",
    });
    expect((await findings(made)).find((finding) => finding.subject === "swarm")).toMatchObject({
      state: "bad",
      message: "its managers are unknown: no control node tells of the swarm",
    });
  });

  it("promises nothing when the lost members' containers are gone", async () => {
    const made = await ready();
    made.target.nodes = made.target.nodes.map((node) =>
      /control-[23]/.test(node.name) ? { ...node, state: "missing" } : node,
    );
    expect((await findings(made)).find((finding) => finding.subject === "etcd")?.fix).toMatch(
      /slipway launch .*only a restore/,
    );
  });

  it("sees a learner that does not catch up, and an even number of managers", async () => {
    const nodes = [observedNode("control", 1), observedNode("control", 2)];
    const made = await ready(nodes);
    for (const node of nodes) {
      const record = controlRecord(node, nodes, { since: start - 600_000 });
      const members = (record.etcd?.members ?? []).map((member) => ({
        ...member,
        learner: member.id === etcdId(observedNode("control", 2)),
      }));
      await put(
        made.store,
        "node",
        { instance: node.instance },
        record.etcd === undefined ? record : { ...record, etcd: { ...record.etcd, members } },
      );
    }
    const messages = (await findings(made)).map((finding) => finding.message);
    expect(messages).toContain("demo-control-2 has been catching up as a learner since 2023-11-14T22:03:20.000Z");
    expect(messages).toContain("2 managers: an even number bears no more losses than one fewer");
  });

  it("explains host mode where the kernel has no IPVS, as no fault", async () => {
    const made = await ready();
    await put(
      made.store,
      "node",
      workerParts,
      nodeRecord(worker, { swarm: { nodeId: "n", manager: false, leader: false, mesh: false } }),
    );
    expect((await findings(made)).find((finding) => finding.subject === "swarm")).toMatchObject({
      state: "good",
      message: expect.stringContaining("demo-worker-1 has no IPVS"),
    });
  });

  it("says who holds the lock, and who left it behind", async () => {
    const made = await ready();
    const holder = {
      host: "laptop",
      process: 9,
      started: "1",
      user: "bob",
      doing: "launch demo",
      since: start - 60_000,
      expires: start + 10_000,
    };
    await put(made.store, "lock", {}, { holder, epoch: 1, nonce: "n" });
    expect(await findings(made)).toContainEqual({
      subject: "lock",
      state: "good",
      message: "bob on laptop (process 9) holds it since 2023-11-14T22:12:20.000Z: launch demo",
    });
    await put(made.store, "lock", {}, { holder: { ...holder, expires: start - 1 }, epoch: 1, nonce: "m" });
    expect(await findings(made)).toContainEqual(
      expect.objectContaining({
        subject: "lock",
        state: "warning",
        fix: "the next operation takes it over",
      }),
    );
  });

  it("sees services that are short, and what is left of a creation that was rolled back", async () => {
    const made = await ready();
    const short = webRecord({ running: 1, state: "failed", reason: "no such image", drift: ["replicas"] });
    await put(made.store, "service", { name: "web" }, short);
    await put(made.store, "generation", { generation: "g1" }, { generation: "g1", state: "closed", nonce: "n" });
    const result = await findings(made);
    expect(result).toContainEqual({
      subject: "service web",
      state: "bad",
      message: "1 of 2 tasks run: no such image",
      fix: "slipway logs demo --service web",
    });
    // A service that cannot run differs from the file because of it: one finding, not two.
    expect(result.filter((finding) => finding.subject === "service web")).toHaveLength(1);
    expect(result).toContainEqual(
      expect.objectContaining({ subject: "demo", state: "bad", fix: "slipway cleanup demo" }),
    );
    expect(result[0]?.state).toBe("bad");
  });
});
