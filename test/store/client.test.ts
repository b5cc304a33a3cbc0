import { spawn } from "node:child_process";
import { connect } from "node:net";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { afterEach, describe, expect, test } from "vitest";
import { systemRandom } from "../../src/host/random.ts";
import { virtualClock } from "../../src/host/virtual.ts";
import type { Caller, StoreRules } from "../../src/store/caller.ts";
import { httpStore } from "../../src/store/client.ts";
import { serveStore } from "../../src/store/listen.ts";
import { memoryStore } from "../../src/store/memory.ts";
import { type StoreAnswer, type StoreRequest, Unanswered } from "../../src/store/requester.ts";
import { temporaryFolder } from "./places.ts";

const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);
const open: StoreRules<Caller> = {
  authenticate: async (caller) => ({ kind: "known", principal: caller }),
  authorise: (_, __, key) => (key.startsWith("secret") ? { allowed: false, why: "secret" } : { allowed: true }),
  checkWrite: () => ({ kind: "good" }),
};

const endings: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

async function served(): Promise<{
  readonly socketPath: string;
  readonly inner: ReturnType<typeof memoryStore>;
  readonly close: () => Promise<void>;
}> {
  const { folder, remove } = await temporaryFolder();
  const socketPath = join(folder, "store.sock");
  const inner = memoryStore(systemRandom);
  const server = await serveStore({ store: inner, rules: open, unixSocket: socketPath });
  let ended = false;
  const close = async (): Promise<void> => {
    if (!ended) await server.close(0);
    ended = true;
  };
  endings.push(remove, close);
  return { socketPath, inner, close };
}

describe("what goes wrong has a kind", () => {
  test("forbidden, unreachable, closed", async () => {
    const { socketPath, close } = await served();
    const store = httpStore({ socketPath });
    await expect(store.get("secret/a")).rejects.toMatchObject({
      name: "StoreError",
      kind: "forbidden",
      message: expect.stringContaining("secret"),
    });
    await expect(store.list("secret/")).rejects.toMatchObject({ kind: "forbidden" });
    await expect(store.putIfAbsent("secret/a", bytes("x"))).rejects.toMatchObject({
      kind: "forbidden",
    });
    await close();
    await expect(store.get("a")).rejects.toMatchObject({ kind: "unreachable" });
    store.close();
    await expect(store.get("a")).rejects.toMatchObject({ kind: "closed" });
  });

  test("only the store's own 401 says that it knows nobody by what was shown", async () => {
    const knows = (body: string): ReturnType<typeof httpStore> =>
      httpStore({
        requester: { request: async () => ({ status: 401, body: bytes(body) }), close: () => {} },
      });
    await expect(knows('{"error":"unauthenticated","message":"not in the roster"}').get("a")).rejects.toMatchObject({
      name: "UnknownCaller",
      gone: false,
      kind: "forbidden",
    });
    await expect(knows('{"error":"gone","message":"it has left"}').get("a")).rejects.toMatchObject({
      name: "UnknownCaller",
      gone: true,
    });
    await expect(knows("<html>log in first</html>").get("a")).rejects.toMatchObject({
      name: "StoreError",
      kind: "forbidden",
    });
  });

  test("an answer that is not the store's is never 'absent'", async () => {
    const answer = (status: number, body: string): StoreAnswer => ({ status, body: bytes(body) });
    for (const [status, body] of [
      [404, "<html>not found</html>"],
      [404, '{"error":"no-such-path","message":""}'],
      [200, "no etag"],
      [302, ""],
    ] as const) {
      const store = httpStore({
        requester: { request: async () => answer(status, body), close: () => {} },
      });
      await expect(store.get("a"), `${status} ${body}`).rejects.toMatchObject({ kind: "invalid" });
    }
  });

  test("a call that is under way ends when the client is closed, and when its signal is aborted", async () => {
    const { folder, remove } = await temporaryFolder();
    endings.push(remove);
    const socketPath = join(folder, "silent.sock");
    const { createServer } = await import("node:net");
    const waiting: (() => void)[] = [];
    const silent = createServer((socket) => {
      endings.push(() => void socket.destroy());
      waiting.shift()?.();
    });
    await new Promise<void>((resolve) => silent.listen(socketPath, resolve));
    endings.push(() => void silent.close());
    const reached = (): Promise<void> => new Promise((resolve) => waiting.push(resolve));

    const first = httpStore({ socketPath });
    const came = reached();
    const closed = expect(first.get("a")).rejects.toMatchObject({ kind: "closed" });
    await came;
    first.close();
    await closed;

    const stop = new AbortController();
    const cameAgain = reached();
    const second = httpStore({ socketPath, signal: stop.signal });
    const aborted = expect(second.get("a")).rejects.toMatchObject({ kind: "closed" });
    await cameAgain;
    stop.abort();
    await aborted;

    const third = httpStore({ socketPath, timeout: 30 });
    endings.push(() => third.close());
    await expect(third.get("a")).rejects.toMatchObject({
      kind: "unreachable",
      message: expect.stringContaining("no answer within 30 ms"),
    });
  });
});

describe("lost answers", () => {
  type Loss = "before" | "after" | "none";
  /** A client whose n-th request is lost on its way there (`before`) or whose answer is lost (`after`). */
  async function lossy(losses: readonly Loss[]) {
    const { socketPath, inner } = await served();
    const direct = httpStore({ socketPath });
    endings.push(() => direct.close());
    const clock = virtualClock();
    const { storeRequester } = await import("../../src/store/requester.ts");
    const real = storeRequester({ socketPath }, 5_000);
    endings.push(() => real.close());
    const left = [...losses];
    const asked: StoreRequest[] = [];
    const store = httpStore({
      clock: { now: () => clock.now(), sleep: async () => {} },
      requester: {
        request: async (request) => {
          asked.push(request);
          const loss = left.shift() ?? "none";
          if (loss === "before") throw new Unanswered("lost on the way", true);
          const answer = await real.request(request);
          if (loss === "after") throw new Unanswered("answer lost", true);
          return answer;
        },
        close: () => {},
      },
    });
    return { store, inner, direct, asked };
  }

  test.each([
    [["after"]],
    [["before"]],
    [["before", "after"]],
    [["after", "after"]],
    [["after", "none", "after"]],
  ] as const)("of a create (%j): written once, and said so", async (losses) => {
    const { store, inner } = await lossy(losses);
    const put = await store.putIfAbsent("a", bytes("mine"));
    expect(put).toEqual({ kind: "written", version: (await inner.get("a"))?.version });
  });

  test.each([[["after"]], [["before"]], [["after", "before"]]] as const)(
    "of an update (%j): written once, and said so",
    async (losses) => {
      const { store, inner } = await lossy(losses);
      const { version } = await inner.putIfAbsent("a", bytes("one"));
      const put = await store.putIfUnchanged("a", bytes("two"), version);
      expect(put).toEqual({ kind: "written", version: (await inner.get("a"))?.version });
      expect((await inner.get("a"))?.value).toEqual(bytes("two"));
    },
  );

  test("of a create that someone else had won: exists, with the other's version", async () => {
    const { store, inner } = await lossy(["after"]);
    const other = await inner.putIfAbsent("a", bytes("theirs"));
    expect(await store.putIfAbsent("a", bytes("mine"))).toEqual({
      kind: "exists",
      version: other.version,
    });
  });

  test("of an update that someone else had overtaken: changed", async () => {
    const { store, inner } = await lossy(["before"]);
    const { version } = await inner.putIfAbsent("a", bytes("one"));
    const other = await inner.putIfUnchanged("a", bytes("theirs"), version);
    expect(await store.putIfUnchanged("a", bytes("mine"), version)).toEqual({
      kind: "changed",
      version: other.version,
    });
  });

  test("of a delete: deleted", async () => {
    const { store, inner } = await lossy(["after"]);
    const { version } = await inner.putIfAbsent("a", bytes("one"));
    expect(await store.delete("a", version)).toBe("deleted");
    expect(await inner.get("a")).toBeUndefined();
  });

  test("a refusal at the first try is not read back, equal bytes or not", async () => {
    const { store, inner, asked } = await lossy([]);
    await inner.putIfAbsent("a", bytes("same"));
    expect((await store.putIfAbsent("a", bytes("same"))).kind).toBe("exists");
    expect(asked).toHaveLength(1);
  });

  test("three in a row: unreachable, after three tries", async () => {
    const { store, asked } = await lossy(["before", "before", "before"]);
    await expect(store.get("a")).rejects.toMatchObject({ kind: "unreachable" });
    expect(asked).toHaveLength(3);
  });

  test("a connection that the server closed while it was kept does not show", async () => {
    const { socketPath } = await served();
    const sockets: ReturnType<typeof connect>[] = [];
    const store = httpStore({
      connect: () => {
        const socket = connect(socketPath);
        sockets.push(socket);
        return socket;
      },
    });
    endings.push(() => store.close());
    await store.putIfAbsent("a", bytes("x"));
    sockets[0]?.destroy();
    expect((await store.get("a"))?.value).toEqual(bytes("x"));
    expect(sockets).toHaveLength(2);
  });
});

describe("over any stream", () => {
  // What `docker exec … socat` is to the operator: a process between its own stdin and stdout and the socket.
  const bridge = `const s=require("net").connect(process.argv[1]);process.stdin.pipe(s);s.pipe(process.stdout);s.on("error",()=>process.exit(1))`;

  test("the store is reached through a process's stdin and stdout: one for some calls, two for many at once", async () => {
    const { socketPath } = await served();
    let processes = 0;
    const store = httpStore({
      connect: () => {
        processes++;
        const child = spawn(process.execPath, ["-e", bridge, socketPath], {
          stdio: ["pipe", "pipe", "inherit"],
        });
        const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
        stream.once("close", () => child.kill());
        return stream;
      },
    });
    endings.push(() => store.close());
    const large = new Uint8Array(500_000).fill(7);
    await store.putIfAbsent("large", large);
    const putAll = (folder: string, count: number) =>
      Promise.all(
        Array.from({ length: count }, (_, number) => store.putIfAbsent(`${folder}/${number}`, bytes(String(number)))),
      );
    await putAll("some", 8);
    expect(processes).toBe(1);
    await putAll("many", 60);
    expect((await store.list("many/")).size).toBe(60);
    expect((await store.get("large"))?.value).toEqual(large);
    expect(processes).toBe(2);
  });

  test("a stream that fails at once is unreachable", async () => {
    const store = httpStore({ connect: () => connect("/nowhere/store.sock") });
    endings.push(() => store.close());
    await expect(store.get("a")).rejects.toMatchObject({ kind: "unreachable" });
  });
});
