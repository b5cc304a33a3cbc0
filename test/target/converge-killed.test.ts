import { describe, expect, test } from "vitest";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { dataVolume, dockerVolume } from "../../src/targets/docker/names.ts";
import type { NodeName } from "../../src/cluster/cluster.ts";
import { killEverywhere } from "./kill.ts";
import { launched, launching } from "./launched.ts";
import { demoCluster, type MemoryWorld } from "./memory-target.ts";

/** What `docker rm -f` does, and with `volumes` also `docker volume rm`. */
function lose(world: MemoryWorld, node: string, volumes: boolean): void {
  world.engine.containers.delete(node);
  if (volumes)
    for (const volume of [dataVolume(node as NodeName), dockerVolume(node as NodeName)])
      world.engine.volumes.delete(volume);
  world.engine.changed(`the loss of ${node}`);
}

const cases: readonly [string, () => Promise<MemoryWorld>, Cluster][] = [
  ["workers from 2 to 5", launched(demoCluster(1, 2)), demoCluster(1, 5)],
  ["workers from 5 to 2", launched(demoCluster(1, 5)), demoCluster(1, 2)],
  ["control from 1 to 3", launched(demoCluster(1, 1)), demoCluster(3, 1)],
  ["control from 3 to 1", launched(demoCluster(3, 1)), demoCluster(1, 1)],
  ["more replicas", launched(demoCluster(1, 1)), demoCluster(1, 1, { replicas: 5 })],
  ["another port, so another gateway", launched(demoCluster(1, 1)), demoCluster(1, 1, { port: 9090 })],
  [
    "a worker's container is lost",
    launched(demoCluster(1, 2), (world) => lose(world, "demo-worker-1", false)),
    demoCluster(1, 2),
  ],
  [
    "a worker's container and data are lost",
    launched(demoCluster(1, 2), (world) => lose(world, "demo-worker-1", true)),
    demoCluster(1, 2),
  ],
  [
    "a control node's container is lost",
    launched(demoCluster(3, 1), (world) => lose(world, "demo-control-2", false)),
    demoCluster(3, 1),
  ],
  [
    "a control node's container and data are lost",
    launched(demoCluster(3, 1), (world) => lose(world, "demo-control-2", true)),
    demoCluster(3, 1),
  ],
  [
    "the gateway is lost",
    launched(demoCluster(1, 1), (world) => lose(world, "demo-gateway", false)),
    demoCluster(1, 1),
  ],
];

describe("a launch that changes a cluster and is killed at any call is completed by the same command", () => {
  test.each(cases)(
    "%s",
    async (_, base, cluster) => {
      expect(await killEverywhere({ base, command: launching(cluster) })).toBeGreaterThan(4);
    },
    300_000,
  );

  const turns: readonly [string, Cluster, Cluster, Cluster][] = [
    ["control from 1 to 3, then to 5", demoCluster(1, 1), demoCluster(3, 1), demoCluster(5, 1)],
    ["workers from 4 to 2, then back to 4", demoCluster(1, 4), demoCluster(1, 2), demoCluster(1, 4)],
    ["control from 3 to 1, then back to 3", demoCluster(3, 1), demoCluster(1, 1), demoCluster(3, 1)],
    ["control from 1 to 3, then back to 1", demoCluster(1, 1), demoCluster(3, 1), demoCluster(1, 1)],
  ];
  test.each(turns)(
    "%s",
    async (_, from, to, then) => {
      expect(
        await killEverywhere({ base: launched(from), command: launching(to), again: launching(then) }),
      ).toBeGreaterThan(10);
    },
    300_000,
  );
});
