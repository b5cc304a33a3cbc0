import { connect } from "node:tls";
import { once } from "node:events";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { clientContext, serverContext, type Material } from "../../src/pki/material.ts";
import { authorityOf } from "../../src/pki/contact.ts";
import {
  HttpError,
  mutualTls,
  reloadableContext,
  TlsError,
  type MutualTls,
} from "../../src/pki/mtls.ts";
import { describeCertificate, due, fingerprint } from "../../src/pki/renewal.ts";
import { material, testCluster, type TestCluster } from "./authorities.ts";
import { listen, type TestServer } from "./servers.ts";
import { purposes, type Purpose } from "../../src/pki/purpose.ts";

let cluster: TestCluster;
let other: TestCluster;
const ends: (() => void | Promise<void>)[] = [];

beforeAll(async () => {
  [cluster, other] = await Promise.all([
    testCluster("demo", Date.now()),
    testCluster("demo", Date.now()),
  ]);
});
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

function client(
  read: Material | (() => Material),
  more: Omit<Parameters<typeof mutualTls>[0], "read"> = {},
): MutualTls {
  const made = mutualTls({ read: typeof read === "function" ? read : () => read, ...more });
  ends.push(() => made.close());
  return made;
}
async function serve(
  own: Material,
  answer: Parameters<typeof listen>[1] = (_, response) => void response.end("hello"),
): Promise<TestServer> {
  const made = await listen(own, answer);
  ends.push(() => made.close());
  return made;
}
async function failure(work: Promise<unknown>): Promise<HttpError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof HttpError)) throw new Error(`expected an HttpError, got ${String(error)}`);
  return error;
}

describe("one authority is one trust domain", () => {
  test.each(purposes.flatMap((server) => purposes.map((peer) => [server, peer] as const)))(
    "a %s server and a %s client",
    async (server, peer) => {
      const at = Date.now();
      const { url } = await serve(await material(cluster, server, "server", at));
      // The client trusts the server's authority: what is tested is whether the server trusts the client.
      const own = await material(cluster, peer, "client", at);
      const answer = client({ ...own, authority: cluster.issuers[server].certificate }).request({
        url,
      });
      if (server === peer) expect((await answer).body.toString()).toBe("hello");
      else expect((await failure(answer)).kind).toMatch(/untrusted|broken/);
      // And the other way round.
      const back = client({
        ...(await material(cluster, server, "client", at)),
        authority: cluster.issuers[peer].certificate,
      }).request({ url });
      if (server === peer) expect((await back).status).toBe(200);
      else expect(await failure(back)).toBeInstanceOf(TlsError);
    },
  );

  test("a cluster of the same name is a stranger, and so is a client without a certificate", async () => {
    const at = Date.now();
    const { url } = await serve(await material(cluster, "store", "server", at));
    const trusted = cluster.issuers.store.certificate;
    expect(
      (
        await failure(
          client({ ...(await material(other, "store", "client", at)), authority: trusted }).request(
            { url },
          ),
        )
      ).kind,
    ).toMatch(/untrusted|broken/);
    expect((await failure(client({ authority: trusted }).request({ url }))).kind).toMatch(
      /untrusted|broken/,
    );
    expect(
      await failure(client(await material(other, "store", "client", at)).request({ url })),
    ).toBeInstanceOf(TlsError);
  });

  test("usages: a client's certificate is no server's, a server's is no client's", async () => {
    const at = Date.now();
    const clientOnly = await material(cluster, "store", "server", at, { usages: ["client"] });
    const serverOnly = await material(cluster, "store", "client", at, { usages: ["server"] });
    const good = await material(cluster, "store", "client", at);
    const pretender = await serve(clientOnly);
    expect(await failure(client(good).request({ url: pretender.url }))).toBeInstanceOf(TlsError);
    const { url } = await serve(await material(cluster, "store", "server", at));
    expect((await failure(client(serverOnly).request({ url }))).kind).toMatch(/untrusted|broken/);
  });

  test("a server's context refuses an authority that did not sign itself, and a key that is not the certificate's", async () => {
    const own = await material(cluster, "store", "server", Date.now());
    const foreign = await material(cluster, "store", "server", Date.now());
    expect(() => serverContext({ ...own, authority: cluster.issuers.store.certificate })).toThrow(
      /makeAnchor/,
    );
    expect(() => serverContext({ authority: own.authority })).toThrow(/needs a certificate/);
    expect(() => clientContext({ authority: "" })).toThrow(/no authority to trust/);
    const mixed = {
      authority: own.authority,
      identity: { certificate: own.identity?.certificate ?? "", key: foreign.identity?.key ?? "" },
    };
    expect(() => serverContext(mixed)).toThrow(/key values mismatch/);
  });
});

describe("whom the client expects", () => {
  let url: string;
  let server: TestServer;
  let own: Material;
  beforeAll(async () => {
    const at = Date.now();
    server = await listen(
      await material(cluster, "store", "server", at, {
        names: ["store.demo"],
        addresses: ["10.9.9.9"],
        commonName: "the store",
      }),
      (_, response) => void response.end("hello"),
    );
    url = server.url;
    own = await material(cluster, "store", "client", at);
  });
  afterAll(() => server.close());

  test.each([
    ["the URL's host", {}, "untrusted"],
    ["a name that it has", { expect: { name: "store.demo" } }, "good"],
    ["an address that it has", { expect: { name: "10.9.9.9" } }, "good"],
    ["a name that it lacks", { expect: { name: "other.demo" } }, "untrusted"],
    ["an address that it lacks", { expect: { name: "10.9.9.8" } }, "untrusted"],
    ["its common name", { expect: { name: "store.demo", commonName: "the store" } }, "good"],
    ["another common name", { expect: { name: "store.demo", commonName: "a store" } }, "untrusted"],
  ] as const)("%s", async (_, options, outcome) => {
    const work = client(own, options).request({ url, timeout: 5000 });
    if (outcome === "good") expect((await work).status).toBe(200);
    else expect(await failure(work)).toMatchObject({ kind: outcome, method: "GET", url });
  });
});

describe("first contact", () => {
  test("with the root's fingerprint alone: the authority that a full connection then trusts", async () => {
    const at = Date.now();
    const { url } = await serve(await material(cluster, "store", "server", at));
    const root = fingerprint(cluster.root.certificate);
    const authority = await authorityOf({ url, root, purpose: "store", now: at });
    expect(fingerprint(authority)).toBe(fingerprint(cluster.issuers.store.certificate));
    const own = await material(cluster, "store", "client", at);
    expect((await client({ ...own, authority }).request({ url })).status).toBe(200);
  });

  test("another root, another purpose, another time, a closed port", async () => {
    const at = Date.now();
    const root = fingerprint(cluster.root.certificate);
    const { url } = await serve(await material(cluster, "docker", "server", at));
    const ask = (more: {
      root?: string;
      purpose?: Purpose;
      now?: number;
      url?: string;
    }): Promise<HttpError> =>
      failure(authorityOf({ url, root, purpose: "docker", now: at, ...more }));
    expect(await ask({ root: fingerprint(other.root.certificate) })).toMatchObject({
      name: "TlsError",
      message: expect.stringContaining("the root is"),
    });
    expect(await ask({ purpose: "store" })).toMatchObject({
      name: "TlsError",
      message: expect.stringContaining("not of the store authority"),
    });
    expect(await ask({ now: at + 91 * 86_400_000 })).toMatchObject({
      name: "TlsError",
      message: expect.stringContaining("expired"),
    });
    expect(await ask({ url: "https://127.0.0.1:1/" })).toMatchObject({ kind: "unreachable" });
  });
});

describe("requests", () => {
  let server: TestServer;
  let http: MutualTls;
  let connections = 0;
  let dropped: (() => void) | undefined;
  beforeAll(async () => {
    const at = Date.now();
    server = await listen(await material(cluster, "store", "server", at), (request, response) => {
      const path = request.url ?? "";
      if (path === "/echo") {
        response.setHeader("x-method", request.method ?? "");
        request.pipe(response);
      } else if (path === "/teapot") {
        response.statusCode = 418;
        response.end("short and stout");
      } else if (path === "/large") response.end(Buffer.alloc(100_000));
      else if (path === "/long-line") response.end(`short\n${"x".repeat(100_000)}`);
      else if (path === "/never") response.on("close", () => dropped?.());
      else if (path === "/half") {
        response.write("first\nsec");
        response.on("close", () => dropped?.());
      } else if (path === "/cut") {
        response.write("first\nsecond\n", () => response.socket?.destroy());
      } else if (path === "/lines") {
        for (const part of ["on", "e\n", "\ntwo\nthr", "ee ü\nlast"]) response.write(part);
        response.end();
      } else response.end();
    });
    server.server.on("secureConnection", () => (connections += 1));
    http = mutualTls({
      read: await material(cluster, "store", "client", at).then((own) => () => own),
    });
  });
  afterAll(async () => {
    http.close();
    await server.close();
  });
  const at = (path: string): string => new URL(path, server.url).href;

  test("bodies, methods, headers, statuses; one connection for all", async () => {
    const before = connections;
    const posted = await http.request({ url: at("/echo") }, "grüße");
    expect([posted.status, posted.headers["x-method"], posted.body.toString()]).toEqual([
      200,
      "POST",
      "grüße",
    ]);
    const put = await http.request({ url: at("/echo"), method: "PUT" }, Uint8Array.of(0, 255));
    expect([put.headers["x-method"], [...put.body]]).toEqual(["PUT", [0, 255]]);
    expect(await http.request({ url: at("/teapot") })).toMatchObject({
      status: 418,
      body: Buffer.from("short and stout"),
    });
    expect(connections - before).toBe(1);
  });

  test("lines, with the last one unfinished", async () => {
    const stream = await http.stream({ url: at("/lines") });
    const lines: string[] = [];
    for await (const line of stream.lines()) lines.push(line);
    expect(lines).toEqual(["one", "", "two", "three ü", "last"]);
  });

  test("leaving the loop closes the stream", async () => {
    const gone = new Promise<void>((resolve) => (dropped = resolve));
    const stream = await http.stream({ url: at("/half"), timeout: 5000 });
    for await (const line of stream.lines()) {
      expect(line).toBe("first");
      break;
    }
    await gone;
  });

  test("a stream outlives its timeout, which is for the headers, and ends by its signal", async () => {
    const abort = new AbortController();
    const stream = await http.stream({ url: at("/half"), timeout: 300, signal: abort.signal });
    const lines = stream.lines();
    expect((await lines.next()).value).toBe("first");
    const next = lines.next();
    const late = await failure(http.request({ url: at("/never"), timeout: 400 }));
    expect(late).toMatchObject({
      kind: "timeout",
      message: `GET ${at("/never")}: no whole answer within 400 ms`,
    });
    abort.abort(new Error("enough"));
    expect(await failure(next)).toMatchObject({ kind: "aborted", cause: new Error("enough") });
  });

  test("a broken stream says so after its lines", async () => {
    const stream = await http.stream({ url: at("/cut") });
    const lines = stream.lines();
    expect([(await lines.next()).value, (await lines.next()).value]).toEqual(["first", "second"]);
    expect(await failure(lines.next())).toMatchObject({
      kind: "broken",
      method: "GET",
      url: at("/cut"),
    });
  });

  test("too large: an answer, a line", async () => {
    expect(await failure(http.request({ url: at("/large"), most: 99_999 }))).toMatchObject({
      kind: "too-large",
    });
    expect((await http.request({ url: at("/large"), most: 100_000 })).body).toHaveLength(100_000);
    const lines = (await http.stream({ url: at("/long-line"), most: 1000 })).lines();
    expect((await lines.next()).value).toBe("short");
    expect(await failure(lines.next())).toMatchObject({ kind: "too-large" });
  });

  test("aborted before, and while waiting", async () => {
    expect(
      await failure(http.request({ url: at("/never"), signal: AbortSignal.abort() })),
    ).toMatchObject({ kind: "aborted" });
    const abort = new AbortController();
    const gone = new Promise<void>((resolve) => (dropped = resolve));
    server.server.once("request", () => abort.abort());
    expect(await failure(http.request({ url: at("/never"), signal: abort.signal }))).toMatchObject({
      kind: "aborted",
    });
    await gone;
  });

  test("errors carry no query, which may hold a secret", async () => {
    const error = await failure(http.request({ url: "https://127.0.0.1:1/path?token=secret" }));
    expect(error).toMatchObject({ kind: "unreachable", url: "https://127.0.0.1:1/path" });
    expect(error.message).toMatch(/^GET https:\/\/127\.0\.0\.1:1\/path: .*ECONNREFUSED/);
    expect(error.cause).toMatchObject({ code: "ECONNREFUSED" });
  });

  test("material that cannot be read is an error of each request, until it can", async () => {
    let usable = false;
    const own = await material(cluster, "store", "client", Date.now());
    const made = client(() => {
      if (!usable) throw new Error("no file");
      return own;
    });
    expect(await failure(made.request({ url: server.url }))).toMatchObject({
      name: "TlsError",
      cause: new Error("no file"),
    });
    usable = true;
    expect((await made.request({ url: server.url })).status).toBe(200);
    made.close();
    expect(await failure(made.request({ url: server.url }))).toMatchObject({ kind: "aborted" });
  });
});

describe("a kept connection that the server has closed meanwhile", () => {
  test.each([
    ["GET", undefined, "sent again"],
    ["POST", undefined, "broken"],
    ["POST", true, "sent again"],
    ["GET", false, "broken"],
  ] as const)("%s with resend %s: %s", async (method, resend, outcome) => {
    const used = new WeakSet<object>();
    const at = Date.now();
    const { url } = await serve(
      await material(cluster, "store", "server", at),
      (request, response) => {
        // As if its idle timer had run out just before the request came in.
        if (used.has(request.socket)) request.socket.destroy();
        else response.end("hello");
        used.add(request.socket);
      },
    );
    const http = client(await material(cluster, "store", "client", at));
    // Three connections are kept; all of them are stale.
    await Promise.all([1, 2, 3].map(() => http.request({ url })));
    const work = http.request({ url, method, ...(resend === undefined ? {} : { resend }) });
    if (outcome === "broken") expect(await failure(work)).toMatchObject({ kind: "broken", method });
    else expect((await work).body.toString()).toBe("hello");
  });
});

describe("reload", () => {
  test("new requests show the new certificate, those in flight go on, and an unusable one changes nothing", async () => {
    const at = Date.now();
    const waiting: (() => void)[] = [];
    const { url, server } = await serve(
      await material(cluster, "store", "server", at),
      (request, response) => {
        const socket = request.socket;
        const name =
          "getPeerX509Certificate" in socket && typeof socket.getPeerX509Certificate === "function"
            ? String(socket.getPeerX509Certificate().subject)
            : "";
        if (request.url === "/wait") waiting.push(() => response.end(name));
        else response.end(name);
      },
    );
    const versions = await Promise.all(
      ["one", "two"].map((commonName) => material(cluster, "store", "client", at, { commonName })),
    );
    const [own] = versions;
    if (own === undefined) throw new Error("no material");
    let now: Material = own;
    const http = client(() => now);
    const slow = http.request({ url: new URL("/wait", url) });
    await expect.poll(() => waiting.length).toBe(1);
    expect(await http.reload()).toBe(false);
    now = versions[1] ?? now;
    expect(await http.reload()).toBe(true);
    expect((await http.request({ url })).body.toString()).toContain("CN=two");
    now = { ...now, authority: "broken" };
    await expect(http.reload()).rejects.toThrow(/no authority/);
    expect((await http.request({ url })).body.toString()).toContain("CN=two");
    waiting[0]?.();
    expect((await slow).body.toString()).toContain("CN=one");
    // The retired connections are closed once nobody uses them: only the newest one stays.
    const open = (): Promise<number> =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
      );
    await expect.poll(open).toBe(1);
  });

  test("a server's new certificate is served to new connections, old ones go on", async () => {
    const at = Date.now();
    let now = await material(cluster, "store", "server", at, { commonName: "first" });
    const made = await serve(now);
    const reloadable = reloadableContext(made.server, () => now);
    const port = Number(new URL(made.url).port);
    const dial = async (): Promise<{ name: unknown; end: () => void; alive: () => boolean }> => {
      const own = await material(cluster, "store", "client", at);
      const socket = connect({ host: "127.0.0.1", port, secureContext: clientContext(own) });
      await once(socket, "secureConnect");
      return {
        name: socket.getPeerCertificate().subject.CN,
        end: () => socket.destroy(),
        alive: () => !socket.destroyed && socket.writable,
      };
    };
    const old = await dial();
    now = await material(cluster, "store", "server", at, { commonName: "second" });
    expect(await reloadable.reload()).toBe(true);
    expect(await reloadable.reload()).toBe(false);
    const young = await dial();
    expect([old.name, young.name, old.alive()]).toEqual(["first", "second", true]);
    now = { ...now, authority: "" };
    await expect(reloadable.reload()).rejects.toThrow();
    const third = await dial();
    expect(third.name).toBe("second");
    for (const one of [old, young, third]) one.end();
  });

  test("certificates of seconds, renewed at two thirds under load: no request fails", async () => {
    const life = 6000;
    const renew = (side: "server" | "client"): Promise<Material> =>
      material(cluster, "store", side, Date.now(), { life });
    const own = { server: await renew("server"), client: await renew("client") };
    const made = await serve(own.server);
    const context = reloadableContext(made.server, () => own.server);
    const http = client(() => own.client);
    const renewals = { server: 0, client: 0 };
    const first = describeCertificate(own.client.identity?.certificate ?? "").notAfter;
    const outcomes: string[] = [];
    let running = true;
    const load = async (): Promise<void> => {
      while (running) {
        // A client that is new each time makes a full handshake; the other keeps its connections.
        const fresh = outcomes.length % 4 === 0 ? mutualTls({ read: () => own.client }) : undefined;
        outcomes.push(
          await (fresh ?? http).request({ url: made.url }).then(
            (answer) => String(answer.status),
            (error: unknown) => String(error),
          ),
        );
        fresh?.close();
      }
    };
    const tend = async (side: "server" | "client"): Promise<void> => {
      while (renewals[side] < 3 || Date.now() < first) {
        const certificate = describeCertificate(own[side].identity?.certificate ?? "");
        await expect
          .poll(() => due(certificate, Date.now()), { interval: 50, timeout: life })
          .toBe(true);
        own[side] = await renew(side);
        expect(await (side === "server" ? context.reload() : http.reload())).toBe(true);
        renewals[side] += 1;
      }
    };
    await Promise.all([
      load(),
      Promise.all([tend("server"), tend("client")]).finally(() => (running = false)),
    ]);
    expect(outcomes.length).toBeGreaterThanOrEqual(200);
    expect(outcomes.filter((outcome) => outcome !== "200")).toEqual([]);
    expect(renewals.server).toBeGreaterThanOrEqual(3);
    expect(renewals.client).toBeGreaterThanOrEqual(3);
  });
});
