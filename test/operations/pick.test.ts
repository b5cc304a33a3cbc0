import { describe, expect, it } from "vitest";
import { OperationError } from "../../src/operations/context.ts";
import { pickCluster, pickNode, pickNodes, pickSelection } from "../../src/operations/pick.ts";
import { memoryStore } from "../../src/store/memory.ts";
import { seededRandom } from "../../src/host/virtual.ts";
import { demo, fakeTarget, threeAndTwo, world } from "./fake-target.ts";

function withClusters(...names: readonly string[]): ReturnType<typeof world>["context"] {
  const target = fakeTarget();
  const { context } = world(target);
  target.stores.clear();
  for (const name of names) target.stores.set(name as typeof demo, memoryStore(seededRandom(1)));
  return context;
}

describe("which cluster", () => {
  it("is the named one, else the file's, else the only one", async () => {
    expect(await pickCluster(withClusters("a", "b"), { name: "c", file: "a" })).toBe("c");
    expect(await pickCluster(withClusters("a", "b"), { file: "b" })).toBe("b");
    expect(await pickCluster(withClusters("a"), {})).toBe("a");
  });

  it("is asked for when there are several, with their names", async () => {
    await expect(pickCluster(withClusters("a", "b"), {})).rejects.toThrow("which cluster? There are a, b");
    await expect(pickCluster(withClusters(), {})).rejects.toThrow("there is no cluster on docker");
    await expect(pickCluster(withClusters(), { name: "../x" })).rejects.toThrow('"../x" is not the name of a cluster');
  });
});

describe("which cluster and nodes the words mean", () => {
  it.each([
    [["demo"], undefined, { cluster: "demo", nodes: [] }],
    [["demo", "worker"], undefined, { cluster: "demo", nodes: ["worker"] }],
    [["demo-worker-1"], undefined, { cluster: "demo", nodes: ["demo-worker-1"] }],
    [["demo-worker-1"], "other", { cluster: "demo", nodes: ["demo-worker-1"] }],
    [["demo-two-worker-1"], undefined, { cluster: "demo-two", nodes: ["demo-two-worker-1"] }],
    [["worker"], "demo", { cluster: "demo", nodes: ["worker"] }],
    [[], "demo", { cluster: "demo", nodes: [] }],
  ] as const)("%j with the file %s", async (words, file, wanted) => {
    const context = withClusters("demo", "demo-two");
    expect(await pickSelection(context, { words, ...(file === undefined ? {} : { file }) })).toEqual(wanted);
  });

  it("refuses nodes of several clusters", async () => {
    await expect(pickSelection(withClusters("a", "b"), { words: ["a-x-1", "b-x-1"] })).rejects.toThrow(
      "nodes of several clusters: a, b",
    );
  });

  it("takes --name before everything", async () => {
    expect(await pickSelection(withClusters("demo"), { name: "demo", words: ["demo", "worker"] })).toEqual({
      cluster: "demo",
      nodes: ["worker"],
    });
  });
});

describe("which nodes", () => {
  const names = (words: readonly string[]): string[] => pickNodes(demo, threeAndTwo(), words).map((node) => node.name);
  it.each([
    [[], 5],
    [["all"], 5],
    [["worker"], 2],
    [["demo-worker-2", "worker"], 2],
    [["worker-1"], 1],
    [["demo-control-1", "demo-worker-2"], 2],
  ] as const)("%j are %i", (words, count) => {
    expect(names(words)).toHaveLength(count);
  });

  it("says the nearest word for one that is none", () => {
    expect(() => names(["demo-worker-9"])).toThrow("did you mean demo-worker-1?");
    expect(() => names(["wroker"])).toThrow("did you mean worker?");
    expect(() => names(["somethingelse"])).toThrow(/it has control, worker, demo-control-1/);
  });

  it("wants one where one is needed", () => {
    expect(pickNode(demo, threeAndTwo(), "demo-worker-1").name).toBe("demo-worker-1");
    expect(() => pickNode(demo, threeAndTwo(), "worker")).toThrow(OperationError);
  });
});
