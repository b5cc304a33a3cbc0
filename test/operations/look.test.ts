import { describe, expect, it } from "vitest";
import { dns } from "../../src/operations/dns.ts";
import { inspect } from "../../src/operations/inspect.ts";
import { ip } from "../../src/operations/ip.ts";
import { list } from "../../src/operations/list.ts";
import { status } from "../../src/operations/status.ts";
import { units } from "../../src/operations/units.ts";
import {
  demo,
  fakeTarget,
  fillReady,
  nodeRecord,
  observedNode,
  put,
  threeAndTwo,
  world,
  type World,
} from "./fake-target.ts";

async function ready(): Promise<World> {
  const made = world();
  await fillReady(made.store);
  made.target.published = [{ port: 8080, protocol: "tcp", address: "127.0.0.1:8080" }];
  return made;
}
const worker = observedNode("worker", 1);
const unit = (
  name: string,
  ours: boolean,
  active = "active",
): { name: string; active: string; sub: string; result: string; ours: boolean } => ({
  name,
  active,
  sub: "running",
  result: active === "failed" ? "exit-code" : "success",
  ours,
});

describe("status", () => {
  it("is read from the target and the store together", async () => {
    const made = await ready();
    const seen = await status(made.context, { cluster: demo });
    expect(seen).toMatchObject({
      cluster: "demo",
      target: "docker",
      state: "ready",
      etcd: { leader: "demo-control-1" },
    });
    expect(seen.nodes).toHaveLength(5);
    expect(seen.services).toEqual([{ name: "web", desired: 2, running: 2, addresses: ["http://127.0.0.1:8080"] }]);
  });

  it("names machines that were refused, until they have come in", async () => {
    const made = await ready();
    const since = 1_000;
    const answer = { instance: "i-a", address: "10.9.0.1", refused: "the control group is whole", since, nonce: "n" };
    const refusal = { token: "t1", instance: "i-b", address: "10.9.0.2", refused: "t1 is revoked", since };
    await put(made.store, "joinAnswer", { instance: "i-a" }, answer);
    await put(made.store, "joinRefusal", { token: "t1" }, refusal);
    const refused = async () =>
      (await status(made.context, { cluster: demo })).refused?.map(({ instance, reason }) => [instance, reason]);
    expect(await refused()).toEqual([
      ["i-a", "the control group is whole"],
      ["i-b", "t1 is revoked"],
    ]);
    const come = (instance: string, address: string, at: number) =>
      put(
        made.store,
        "roster",
        { instance },
        {
          instance,
          node: `demo-${instance}`,
          group: "worker",
          role: "worker",
          address,
          state: "present",
          tokenHash: "",
          since: at,
          nonce: "n",
        },
      );
    // At its address, under another identity; what was there before is another machine.
    await come("i-old", "10.9.0.1", since - 1);
    await come("i-new", "10.9.0.2", since + 1);
    expect(await refused()).toEqual([["i-a", "the control group is whole"]]);
    await come("i-a", "10.9.0.7", since - 1);
    expect(await refused()).toBeUndefined();
  });

  it("knows an absent cluster without asking its store", async () => {
    const made = await ready();
    made.target.storeDown = true;
    expect(await status(made.context, { cluster: "nope" as typeof demo })).toMatchObject({
      state: "absent",
      nodes: [],
      services: [],
    });
  });

  it("says unknown, and why, when the store is down", async () => {
    const made = await ready();
    made.target.storeDown = true;
    const seen = await status(made.context, { cluster: demo });
    expect(seen.state).toBe("unknown");
    expect(seen.nodes.map((node) => node.reason)).toContain(
      "the cluster's store cannot be read: the gateway does not answer",
    );
  });
});

describe("units", () => {
  it("shows ours first, marks the failed, and drift", async () => {
    const made = await ready();
    const record = nodeRecord(worker, {
      units: [unit("ssh.service", false), unit("docker.service", true), unit("cron.service", false, "failed")],
      drift: ["/etc/hosts"],
    });
    await put(made.store, "node", { instance: worker.instance }, record);
    const { nodes } = await units(made.context, { cluster: demo, nodes: ["demo-worker-1"] });
    expect(nodes).toHaveLength(1);
    expect(nodes[0]?.units.map((one) => [one.name, one.failed])).toEqual([
      ["docker.service", false],
      ["cron.service", true],
      ["ssh.service", false],
    ]);
    expect(nodes[0]).toMatchObject({ state: "ready", drift: ["/etc/hosts"] });
  });
});

describe("dns and ip", () => {
  it("name every node and service with its addresses", async () => {
    const made = await ready();
    const { names } = await dns(made.context, { cluster: demo });
    expect(names[0]).toEqual({ name: "demo-control-1", kind: "node", addresses: ["10.0.0.1"] });
    expect(names.at(-1)).toEqual({
      name: "web",
      kind: "service",
      addresses: ["http://127.0.0.1:8080"],
    });
    expect(await ip(made.context, { cluster: demo, nodes: ["worker"] })).toEqual({
      cluster: "demo",
      nodes: [
        { name: "demo-worker-1", address: "10.0.1.1" },
        { name: "demo-worker-2", address: "10.0.1.2" },
      ],
      published: [{ port: 8080, protocol: "tcp", address: "127.0.0.1:8080" }],
    });
  });
});

describe("inspect", () => {
  it("shows everything but secrets", async () => {
    const made = await ready();
    const bootstrap = {
      cluster: "demo",
      generation: "g1",
      orchestrator: "swarm" as const,
      instance: worker.instance,
      node: worker.name,
      group: "worker",
      role: "worker" as const,
      address: worker.address,
      founders: 3,
    };
    await put(made.store, "bootstrap", { instance: worker.instance }, bootstrap);
    await put(made.store, "issuer", { purpose: "docker" }, { certificate: "C", key: "ISSUER-KEY", anchor: "A" });
    await put(made.store, "root", {}, { certificate: "ROOT", encryptedKey: "ENCRYPTED-KEY", recipients: [] });
    const seen = await inspect(made.context, { cluster: demo, nodes: [] });
    expect(seen).toMatchObject({
      generation: "g1",
      orchestrator: "swarm",
      revision: "r1",
      rootCertificate: "ROOT",
    });
    expect(seen.nodes.find((node) => node.name === worker.name)).toMatchObject({
      bootstrap,
      roster: { state: "present" },
      observed: { state: "running" },
      record: { phase: "ready" },
    });
    for (const secret of ["ISSUER-KEY", "ENCRYPTED-KEY", "hash-of-token", "hunter2"])
      expect(JSON.stringify(seen)).not.toContain(secret);
  });

  it("shows what is left when the store is down", async () => {
    const made = await ready();
    made.target.storeDown = true;
    const seen = await inspect(made.context, { cluster: demo, nodes: ["demo-worker-1"] });
    expect(seen.nodes).toMatchObject([{ name: "demo-worker-1", observed: { state: "running" } }]);
    expect(seen.revision).toBeUndefined();
  });
});

describe("list", () => {
  it("names every cluster with its state", async () => {
    const made = world(fakeTarget(threeAndTwo().map((node) => ({ ...node, state: "stopped" as const }))));
    expect(await list(made.context)).toEqual([{ cluster: "demo", state: "stopped", nodes: 5 }]);
  });
});
