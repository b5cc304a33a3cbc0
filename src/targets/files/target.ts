import type { ClusterName, FilesSettings, NodeName } from "../../cluster/cluster.ts";
import type { Observed, ObservedNode } from "../../plan/plan.ts";
import { listRecords, readRecord } from "../../records/access.ts";
import type { ClusterStore } from "../../store/store.ts";
import { NotHere, type Leftover, type StoreAccess, type Target } from "../target.ts";
import type { Reached } from "../ssh.ts";
import { nodeAccess } from "./access.ts";
import { addressOf, answers, notServed, openStore, programSums, serveCommand } from "./store.ts";

/** What the store's server asks for itself, whether there is a cluster or not. */
const serverRequest = "requests/gateway";

/** What there is to do here: taking the records away. Everything else nodes and their owners do. */
export type FilesWork = { readonly kind: "forget-all" };

/** Nodes that anyone starts, by any means: what exists is what the store's roster says, because nobody else can be asked. */
export function filesTarget(settings: FilesSettings): Target<FilesWork> {
  async function withStore<Result>(
    work: (store: ClusterStore) => Promise<Result>,
    absent: () => Result,
  ): Promise<Result> {
    const opened = openStore(settings);
    try {
      const silent = await answers(opened);
      return silent === undefined ? await work(opened.store) : absent();
    } finally {
      opened.store.close();
    }
  }

  const nameIn = async (store: ClusterStore): Promise<ClusterName | undefined> =>
    // Written from a cluster's name.
    (await readRecord(store, "cluster"))?.value.name as ClusterName | undefined;

  async function access(): Promise<StoreAccess> {
    const opened = openStore(settings);
    try {
      const silent = await answers(opened);
      if (silent !== undefined) throw notServed(settings, silent.error);
      const address = settings.store === undefined ? "" : addressOf(settings).host;
      return { store: opened.store, address, close: async () => opened.store.close() };
    } catch (error) {
      opened.store.close();
      throw error;
    }
  }

  async function observed(cluster: ClusterName, store: ClusterStore): Promise<Observed> {
    const [there, roster, pointer] = await Promise.all([
      nameIn(store),
      listRecords(store, "roster"),
      readRecord(store, "pointer"),
    ]);
    if (there !== cluster) return { cluster, state: "absent", nodes: [], published: [] };
    const nodes = roster
      .map(({ value }) => value)
      .filter((entry) => entry.state !== "gone")
      .map((entry): ObservedNode => ({
        // Given by the store's server as a node's name.
        name: entry.node as NodeName,
        group: entry.group,
        role: entry.role,
        instance: entry.instance,
        address: entry.address,
        state: "running",
        shape: "",
      }));
    const services =
      pointer === undefined
        ? undefined
        : await readRecord(store, "servicesRevision", { revision: pointer.value.revision });
    const published = (services?.value.services ?? []).flatMap(({ ports }) =>
      ports.flatMap(({ published: port, protocol }) =>
        nodes.map(({ address }) => ({ port, protocol, address: `${address}:${port}` })),
      ),
    );
    return { cluster, state: "present", nodes, published };
  }

  const reach = (name: NodeName, cluster: ClusterName) => async (): Promise<Reached> => {
    const seen = await withStore(
      (store) => observed(cluster, store),
      () => undefined,
    );
    const node = seen?.nodes.find((candidate) => candidate.name === name);
    if (node === undefined) throw new NotHere(`the store's roster has no ${name}`, `slipway status ${cluster}`);
    // Its name is in nobody's DNS.
    return { user: settings.user, host: node.address, alias: name };
  };

  return {
    name: "files",
    body: "machine",
    deaf: true,

    userData: {
      async sums() {
        const opened = openStore(settings);
        try {
          return await programSums(opened);
        } finally {
          opened.store.close();
        }
      },
    },

    async examine() {
      const opened = openStore(settings);
      try {
        const silent = await answers(opened);
        return [
          silent === undefined
            ? { subject: "store", state: "good", message: `it answers at ${settings.data}` }
            : {
                subject: "store",
                state: "bad",
                message: notServed(settings, silent.error).message,
                fix: serveCommand(settings),
              },
        ];
      } finally {
        opened.store.close();
      }
    },

    list: () =>
      withStore(
        async (store) => [await nameIn(store)].filter((name) => name !== undefined),
        () => [],
      ),

    async wake() {
      // Whoever serves the store starts it.
    },

    store: () => access(),

    async observe(cluster) {
      const opened = await access();
      try {
        return await observed(cluster, opened.store);
      } finally {
        await opened.close();
      }
    },

    node: (name, cluster) => nodeAccess(reach(name, cluster), name),

    async prepare(cluster) {
      addressOf(settings);
      const opened = await access();
      const there = await nameIn(opened.store);
      if (there === undefined || there === cluster.name) return opened;
      await opened.close();
      throw new NotHere(
        `the store at ${settings.data} is that of ${there}`,
        `slipway store serve --data another folder, for ${cluster.name}`,
      );
    },

    async plan(cluster, seen) {
      if (cluster !== undefined || seen.state === "absent") return { changes: [], steps: [] };
      const none = { restarted: [], replaced: [] };
      return {
        changes: [
          ...seen.nodes.map(({ name }) => ({
            id: `node:${name}`,
            action: "delete" as const,
            kind: "node",
            name,
            reason: "it is in no roster any more; its machine is left to whoever started it",
            nodes: none,
          })),
          { id: "store:records", action: "delete", kind: "store", name: "records", reason: "cleanup", nodes: none },
        ],
        steps: [
          {
            carries: ["store:records"],
            title: "remove",
            subject: "records",
            wave: 0,
            kind: "work",
            work: { kind: "forget-all" },
          },
        ],
      };
    },

    // Its owner takes the machine away; of ours there is nothing beside the roster's entry.
    removal: () => [],

    async apply() {
      const opened = await access();
      try {
        const keys = [...(await opened.store.list("")).keys()];
        const rank = (key: string): number => (/^(?:roster|control|joins)\//.test(key) ? 0 : key === "cluster" ? 2 : 1);
        // The roster first: nodes write nothing any more. The cluster's record last: as long as it stands, it can be cleaned up again.
        for (const key of keys.toSorted((a, b) => rank(a) - rank(b))) {
          const entry = await opened.store.get(key);
          if (entry !== undefined) await opened.store.delete(key, entry.version);
        }
      } finally {
        await opened.close();
      }
    },

    async nudge() {
      // Agents at rest look every five seconds by themselves.
    },

    localImages: async () => new Map(),
    loadImage: async () => [],

    leftovers: () =>
      withStore(
        async (store) =>
          [...(await store.list("")).keys()]
            .filter((key) => key !== serverRequest)
            .map((key): Leftover => ({ kind: "record", name: key, blocker: "it is in the store" })),
        () => [],
      ),
  };
}
