import { beforeAll, expect, it } from "vitest";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { readCluster } from "../../src/cluster/read.ts";
import { pointed } from "../../src/operations/pointed.ts";
import { makeRoot } from "../../src/pki/authority.ts";
import { fingerprint } from "../../src/pki/renewal.ts";
import { StoreError } from "../../src/store/store.ts";
import { NotHere, type Target } from "../../src/targets/target.ts";
import { fillReady, put, world } from "./fake-target.ts";

const sums = { agent: "a".repeat(64), node: { x86_64: "b".repeat(64), aarch64: "c".repeat(64) } };
let certificate: string;
beforeAll(async () => {
  ({ certificate } = await makeRoot({ name: "demo", now: Date.now() }));
});

function file(name = "demo", files = '{ store: "https://10.0.0.5:7443" }'): Cluster {
  const text = `name: ${name}\ntarget: files\nos: debian\ngroups: { control: { count: 1 } }\nfiles: ${files}\n`;
  const read = readCluster(text, "cluster.yml");
  if (read.kind === "bad") throw new Error(JSON.stringify(read.problems));
  return read.value;
}

/** A target whose store is that of the cluster demo; counts how often it is left open. */
async function target(): Promise<Target & { readonly open: () => number }> {
  const made = world();
  await fillReady(made.store);
  await put(made.store, "root", {}, { certificate, encryptedKey: "", recipients: [] });
  let open = 0;
  return {
    ...made.target,
    userData: { sums: async () => sums },
    store: async () => {
      open += 1;
      return { store: made.store, address: "10.0.0.5", close: async () => void (open -= 1) };
    },
    open: () => open,
  };
}

it("says the address, the root's sum and the programs' sums that the store hands out", async () => {
  const its = await target();
  expect(await pointed(its, file())).toEqual({
    kind: "seen",
    value: { store: "https://10.0.0.5:7443", pin: fingerprint(certificate), runtime: sums },
  });
  expect(its.open()).toBe(0);
});

it("says nothing of another cluster's store", async () => {
  const its = await target();
  expect(await pointed(its, file("other"))).toEqual({ kind: "unknown", why: "other is not launched yet" });
  expect(its.open()).toBe(0);
});

it("says why there is no answer, and asks nobody where the file names no store", async () => {
  const its = await target();
  const silent = { ...its, store: () => Promise.reject(new NotHere("no store answers", "slipway store serve")) };
  expect(await pointed(silent, file())).toEqual({ kind: "unknown", why: "no store answers" });
  const never = { ...its, store: () => Promise.reject(new Error("nobody was to ask")) };
  expect(await pointed(never, file("demo", "{ user: me }"))).toMatchObject({ kind: "unknown" });
});

it("does not take a store that refuses for one that is not there", async () => {
  const its = await target();
  const refusing = { ...its, store: () => Promise.reject(new StoreError("forbidden", "not yours")) };
  await expect(pointed(refusing, file())).rejects.toThrow("not yours");
});
