import { describe, expect, test } from "vitest";
import { leave } from "../../src/agent/leaving.ts";
import type { Engine } from "../../src/components/docker/engine.ts";
import type { NodePorts } from "../../src/components/node.ts";
import { updateRecord } from "../../src/records/access.ts";
import { memoryNode } from "./memory-node.ts";

type Swarm = { state: "inactive" | "worker"; tasks: number };

/** A worker's engine in a swarm: it tells of its membership and its tasks, and leaves when it is told to. */
function engineOf(swarm: Swarm): Engine {
  return {
    async call(method, path) {
      if (path === "/info")
        return {
          Swarm: {
            LocalNodeState: swarm.state === "inactive" ? "inactive" : "active",
            NodeID: "n1",
            ControlAvailable: false,
          },
        };
      if (path.startsWith("/containers/json")) return Array.from({ length: swarm.tasks }, () => ({}));
      if (method === "POST" && path.startsWith("/swarm/leave")) {
        swarm.state = "inactive";
        return {};
      }
      throw new Error(`no ${method} ${path} here`);
    },
  };
}

describe("leaving for good", () => {
  test("a worker waits until its tasks have moved away, then leaves the swarm", async () => {
    const swarm: Swarm = { state: "worker", tasks: 2 };
    const node = memoryNode({ orchestrator: "swarm" });
    const ports: NodePorts = { ...node.ports, engine: engineOf(swarm) };
    expect(await leave(ports)).toEqual({ left: false, why: "2 tasks are moving away" });
    expect(swarm.state).toBe("worker");
    swarm.tasks = 0;
    expect(await leave(ports)).toEqual({ left: true, why: "" });
    expect(swarm.state).toBe("inactive");
    // A reboot in between changes nothing.
    expect(await leave(ports)).toEqual({ left: true, why: "" });
  });

  test("an engine that does not answer is a reason to wait", async () => {
    const { ports } = memoryNode({ orchestrator: "swarm" });
    expect(await leave(ports)).toEqual({ left: false, why: "not part of this fake" });
  });

  test("a worker without a swarm has left at once", async () => {
    expect(await leave(memoryNode().ports)).toEqual({ left: true, why: "" });
  });

  test("a control node has left only when another member's list says so, and then its etcd stops", async () => {
    const control = {
      instance: "i-c2",
      node: "demo-control-2",
      group: "control",
      role: "control" as const,
      address: "10.0.0.12",
    };
    const plain = memoryNode(control);
    let members = [
      { id: "a", name: "demo-control-1", peerUrls: ["https://10.0.0.11:2380"], learner: false },
      { id: "b", name: "demo-control-2", peerUrls: ["https://10.0.0.12:2380"], learner: false },
    ];
    let reachable = false;
    const node = memoryNode(control, {
      ...plain.ports.etcd,
      async members() {
        if (!reachable) throw new Error("nobody answers");
        return { clusterId: "c", members };
      },
    });
    for (const [instance, name, address, state] of [
      ["i-c1", "demo-control-1", "10.0.0.11", "present"],
      ["i-c2", "demo-control-2", "10.0.0.12", "leaving"],
    ] as const) {
      await updateRecord(node.ports.store, "roster", { instance }, () => ({
        instance,
        node: name,
        group: "control",
        role: "control",
        address,
        state,
        tokenHash: "",
        since: 0,
        nonce: "n",
      }));
    }
    // Nobody to ask is no proof.
    expect(await leave(node.ports)).toEqual({ left: false, why: "no etcd member answers" });
    reachable = true;
    expect(await leave(node.ports)).toEqual({ left: false, why: "its etcd member is still in the list" });
    members = members.slice(0, 1);
    expect(await leave(node.ports)).toEqual({ left: true, why: "" });
    expect(node.calls.filter((call) => call.startsWith("stop "))).toHaveLength(1);
  });
});
