import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  prefixRange,
  shareNext,
  type ObservedAuth,
  type ShareAct,
  type ShareView,
} from "../../src/components/etcd/share.ts";
import { seen, unknown } from "../../src/components/reconciler.ts";

type World = {
  readonly auth: ObservedAuth;
  readonly published: { readonly share?: string; readonly addresses: string[] } | undefined;
  readonly addresses: readonly string[];
};

const blank: World = {
  auth: { enabled: false, root: undefined, worker: undefined, roles: { root: false, worker: undefined } },
  published: undefined,
  addresses: ["10.0.0.1", "10.0.0.2"],
};

function viewOf(world: World, share: string | undefined): ShareView {
  return {
    share,
    addresses: seen(world.addresses),
    published: seen(world.published),
    auth: seen(world.auth),
    everywhere: seen(world.auth.enabled),
  };
}

/** What etcd and the store do; etcd refuses what it refuses in truth. */
function after(world: World, act: ShareAct): World {
  const { auth } = world;
  const withAuth = (change: Partial<ObservedAuth>): World => ({ ...world, auth: { ...auth, ...change } });
  const granted = auth.roles.worker ?? [];
  switch (act.kind) {
    case "addUser":
      return withAuth({ [act.name]: (act.name === "root" ? auth.root : auth.worker) ?? [] });
    case "addRole":
      return withAuth({
        roles: act.name === "root" ? { ...auth.roles, root: true } : { ...auth.roles, worker: granted },
      });
    case "grantRole":
      if (act.role === "root" ? !auth.roles.root : auth.roles.worker === undefined)
        throw new Error(`no role ${act.role}`);
      return withAuth({ [act.user]: [act.role] });
    case "grant":
      if (auth.roles.worker === undefined) throw new Error("no role worker");
      return withAuth({
        roles: {
          ...auth.roles,
          worker: [...granted.filter((has) => has.from !== act.range.from || has.to !== act.range.to), act.range],
        },
      });
    case "revoke":
      return withAuth({
        roles: {
          ...auth.roles,
          worker: granted.filter((has) => has.from !== act.range.from || has.to !== act.range.to),
        },
      });
    case "enable":
      if (!(auth.root ?? []).includes("root")) throw new Error("root user does not have root role");
      return withAuth({ enabled: true });
    case "removeWorker":
      return withAuth({ worker: undefined });
    case "publish":
      return {
        ...world,
        published: { ...(act.share === undefined ? {} : { share: act.share }), addresses: [...act.addresses] },
      };
  }
}

/** Whoever is told of a prefix is held to it, and to nothing else, before it hears of it. */
function holds({ auth, published }: World): void {
  if (auth.worker !== undefined) expect(auth.enabled).toBe(true);
  if (published?.share === undefined) return;
  expect(auth).toMatchObject({ enabled: true, worker: ["worker"], roles: { worker: [prefixRange(published.share)] } });
}

/** All worlds on the way from one to where nothing is left to do. */
function way(from: World, share: string | undefined): World[] {
  const worlds = [from];
  for (let world = from; ;) {
    const next = shareNext(viewOf(world, share));
    if (next.kind === "settled") return worlds;
    if (next.kind === "wait") throw new Error(next.why.text);
    world = after(world, next.act);
    holds(world);
    worlds.push(world);
    if (worlds.length > 30) throw new Error("it never ends");
  }
}
const end = (from: World, share: string | undefined): World => way(from, share).at(-1) ?? from;

describe("sharing a prefix", () => {
  test("the user worker may read and write it when all is done, and authentication is on", () => {
    expect(end(blank, "/apps")).toEqual({
      ...blank,
      auth: {
        enabled: true,
        root: ["root"],
        worker: ["worker"],
        roles: { root: true, worker: [{ from: "/apps", to: "/appt" }] },
      },
      published: { share: "/apps", addresses: ["10.0.0.1", "10.0.0.2"] },
    });
  });

  test("killed after any step, and wanted otherwise by then, it ends as if it had never been killed", () => {
    const wishes = [undefined, "/apps", "/teams"];
    for (const first of wishes)
      for (const second of wishes)
        for (const killed of way(end(blank, first), second))
          for (const third of wishes) {
            const done = end(killed, third);
            expect(done.published?.share, `${first} ${second} ${third}`).toBe(third);
            expect(done.auth.roles.worker ?? [], `${first} ${second} ${third}`).toEqual(
              third === undefined
                ? done.published === undefined
                  ? (done.auth.roles.worker ?? [])
                  : []
                : [prefixRange(third)],
            );
            if (third !== undefined) expect(done).toEqual(end(blank, third));
            else if (done.published !== undefined) expect(done.auth.worker).toBeUndefined();
          }
  });

  test("control nodes that know of the change one after the other agree in the end", () => {
    const turn = fc.record({ agent: fc.nat(2), learns: fc.boolean() });
    fc.assert(
      fc.property(fc.array(turn, { maxLength: 60 }), fc.constantFrom(undefined, "/teams"), (turns, wanted) => {
        const wishes: (string | undefined)[] = ["/apps", "/apps", "/apps"];
        let world = end(blank, "/apps");
        for (const { agent, learns } of turns) {
          if (learns) wishes[agent] = wanted;
          const next = shareNext(viewOf(world, wishes[agent]));
          if (next.kind === "act") world = after(world, next.act);
        }
        const done = end(world, wanted);
        expect(done.published?.share).toBe(wanted);
        expect(done.auth.roles.worker).toEqual(wanted === undefined ? [] : [prefixRange(wanted)]);
      }),
    );
  });

  test("nobody is told while a member does not ask who its clients are, or does not say", () => {
    const ready = end(blank, "/apps");
    const untold = { ...viewOf({ ...ready, published: undefined }, "/apps") };
    expect(shareNext({ ...untold, everywhere: seen(false) })).toMatchObject({ kind: "wait" });
    expect(shareNext({ ...untold, everywhere: unknown("no answer") })).toMatchObject({
      kind: "wait",
      why: { text: expect.stringContaining("no answer") },
    });
    expect(shareNext(untold)).toMatchObject({ kind: "act", act: { kind: "publish", share: "/apps" } });
  });

  test("new addresses of the control nodes are told, with nothing else", () => {
    const grown = { ...end(blank, "/apps"), addresses: ["10.0.0.1", "10.0.0.2", "10.0.0.3"] };
    expect(way(grown, "/apps")).toHaveLength(2);
    expect(end(grown, "/apps").published?.addresses).toEqual(grown.addresses);
  });

  test("where nothing was ever shared, etcd is not even asked", () => {
    expect(shareNext({ ...viewOf(blank, undefined), auth: unknown("not asked") })).toEqual({ kind: "settled" });
  });

  test("what cannot be seen is waited for", () => {
    for (const part of ["published", "auth", "addresses"] as const)
      expect(
        shareNext({ ...viewOf({ ...end(blank, "/apps"), addresses: [] }, "/apps"), [part]: unknown("no answer") }),
        part,
      ).toMatchObject({
        kind: "wait",
        why: { text: expect.stringContaining("no answer") },
      });
  });
});

test("a prefix is all keys that begin with it", () => {
  const within = (key: string, prefix: string): boolean => {
    const { from, to } = prefixRange(prefix);
    const bytes = Buffer.from(key, "utf8").toString("latin1");
    return bytes >= from && (to === "\0" || bytes < to);
  };
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 4 }),
      fc.string({ unit: "grapheme", maxLength: 6 }),
      (prefix, key) => {
        expect(within(key, prefix)).toBe(key.startsWith(prefix));
        expect(within(prefix + key, prefix)).toBe(true);
      },
    ),
  );
  expect(prefixRange("/apps")).toEqual({ from: "/apps", to: "/appt" });
});
