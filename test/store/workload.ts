import type { ClusterStore } from "../../src/store/store.ts";

/** What was begun and what was acknowledged, in order; `value` of a delete is `undefined`. */
export type Said =
  | { readonly said: "try"; readonly key: string; readonly value?: string }
  | {
      readonly said: "done";
      readonly key: string;
      readonly value?: string;
      readonly version?: string;
    };

const text = new TextEncoder();

/** Creates, updates and deletes, one after the other and at once, saying each before and after. Values name their round. */
export async function workload(store: ClusterStore, round: number, say: (said: Said) => void): Promise<void> {
  const write = async (key: string, value: string): Promise<void> => {
    const there = await store.get(key);
    say({ said: "try", key, value });
    const put =
      there === undefined
        ? await store.putIfAbsent(key, text.encode(value))
        : await store.putIfUnchanged(key, text.encode(value), there.version);
    if (put.kind !== "written") throw new Error(`${key} was written by someone else`);
    say({ said: "done", key, value, version: put.version });
  };
  const remove = async (key: string): Promise<void> => {
    const there = await store.get(key);
    if (there === undefined) return;
    say({ said: "try", key });
    if ((await store.delete(key, there.version)) !== "deleted") throw new Error(`${key} was not deleted`);
    say({ said: "done", key });
  };
  await write("one", `one ${round} ${"x".repeat(5000)}`);
  await Promise.all([write("one", `one again ${round}`), write("two/three", `two ${round}`), remove("four")]);
  await write("four", `four ${round}`);
}

export type Model = Map<string, { readonly value: string; readonly version: string }>;

/** What stands in a store, whole. */
export async function contentOf(store: ClusterStore): Promise<Model> {
  const model: Model = new Map();
  for (const key of (await store.list("")).keys()) {
    const entry = await store.get(key);
    if (entry === undefined) throw new Error(`${key} is listed and not there`);
    model.set(key, { value: new TextDecoder().decode(entry.value), version: entry.version });
  }
  return model;
}

/**
 * What is wrong with a store after a crash, as lines: every key must hold what was last acknowledged for it, or what
 * was tried after that. `versions` gathers all that were ever seen, with what stood under them.
 */
export function faultsOf(
  before: Model,
  said: readonly Said[],
  after: Model,
  versions: Map<string, string>,
): readonly string[] {
  const faults: string[] = [];
  const may = new Map<string, { value: string | undefined; version: string | undefined }[]>();
  for (const [key, { value, version }] of before) may.set(key, [{ value, version }]);
  for (const one of said) {
    const possible = may.get(one.key) ?? [{ value: undefined, version: undefined }];
    if (one.said === "try") may.set(one.key, [...possible, { value: one.value, version: undefined }]);
    else may.set(one.key, [{ value: one.value, version: one.version }]);
  }
  for (const key of new Set([...may.keys(), ...after.keys()])) {
    const there = after.get(key);
    const possible = may.get(key) ?? [{ value: undefined, version: undefined }];
    const fits = possible.some(
      ({ value, version }) => value === there?.value && (version === undefined || version === there?.version),
    );
    if (!fits)
      faults.push(`${key} holds ${show(there?.value)}, not ${possible.map(({ value }) => show(value)).join(" or ")}`);
  }
  const seen = [
    ...said.flatMap((one) =>
      one.said === "done" && one.version !== undefined && one.value !== undefined
        ? [{ ...one, version: one.version, value: one.value }]
        : [],
    ),
    ...[...after].map(([key, one]) => ({ key, ...one })),
  ];
  for (const { key, value, version } of seen) {
    const known = versions.get(version);
    if (known !== undefined && known !== `${key}=${value}`)
      faults.push(`version ${version} stands for two values of ${key}`);
    versions.set(version, `${key}=${value}`);
  }
  return faults;
}

function show(value: string | undefined): string {
  return value === undefined ? "nothing" : `"${value.slice(0, 20)}" (${value.length} characters)`;
}
