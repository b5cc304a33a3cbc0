import { createHash } from "node:crypto";
import { createServer as createTls, connect as connectTls, type TLSSocket } from "node:tls";
import { request as httpsRequest, Agent } from "node:https";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../src/host/clock.ts";
import { systemRandom } from "../../src/host/random.ts";
import { virtualClock } from "../../src/host/virtual.ts";
import { encodeRecord } from "../../src/records/access.ts";
import { storeRules } from "../../src/records/authorisation.ts";
import { type HttpStoreOptions, httpStore } from "../../src/store/client.ts";
import { type ServedStore, serveStore } from "../../src/store/listen.ts";
import { memoryStore } from "../../src/store/memory.ts";
import type { ClusterStore } from "../../src/store/store.ts";
import { authority, clientCertificate, type Issued, pinOf, serverCertificate, trust } from "./certificates.ts";

const day = 86_400_000;
const token = "the-token-of-w1";
let pki: Awaited<ReturnType<typeof trust>>;
let worker: Issued;
beforeAll(async () => {
  pki = await trust();
  worker = await clientCertificate(pki.issuer, "CN=w1,OU=worker,O=web");
});

const clock = virtualClock(Date.now());
let inner: ClusterStore;
let served: ServedStore;
const endings: (() => void)[] = [];
beforeEach(async () => {
  inner = memoryStore(systemRandom);
  await inner.putIfAbsent("root", encodeRecord({ certificate: "pem", encryptedKey: "", recipients: [] }));
  await inner.putIfAbsent("revision", encodeRecord({ revision: "r1", apply: 0, nonce: "n" }));
  await enter("present");
  served = await serveStore({
    store: inner,
    rules: storeRules(inner, systemClock),
    network: { tls: material(), host: "127.0.0.1", port: 0 },
    clock,
  });
});
afterEach(async () => {
  for (const end of endings.splice(0)) end();
  await served.close(0);
});

const material = (server: Issued = pki.server) => ({
  key: server.key,
  cert: [server.cert, pki.issuer.cert, pki.root.cert].join("\n"),
  clientCa: pki.issuer.cert,
});

async function enter(state: "present" | "gone"): Promise<void> {
  const tokenHash = createHash("sha256").update(token).digest("hex");
  const entry = {
    instance: "w1",
    node: "demo-web-1",
    group: "web",
    role: "worker",
    address: "10.0.0.9",
    state,
    tokenHash,
    since: 1,
    nonce: systemRandom.hex(8),
  };
  const there = await inner.get("roster/w1");
  if (there === undefined) await inner.putIfAbsent("roster/w1", encodeRecord(entry));
  else await inner.putIfUnchanged("roster/w1", encodeRecord(entry), there.version);
}

type Remote = Partial<Extract<HttpStoreOptions, { readonly url: string }>>;
function client(options: Remote = {}): ReturnType<typeof httpStore> {
  const store = httpStore({
    url: `https://127.0.0.1:${served.port}`,
    tls: () => ({ ca: pki.root.cert }),
    ...options,
  });
  endings.push(() => store.close());
  return store;
}
const certified = (issued: Issued, more = "") => ({
  tls: () => ({ ca: pki.root.cert, cert: issued.cert + "\n" + more, key: issued.key }),
});
const identity = { token: { instance: "w1", token } };

describe("who is let in", () => {
  test("a certificate of the clients' authority is its instance", async () => {
    expect(await client(certified(worker)).get("revision")).toBeDefined();
    await expect(client(certified(worker)).get("control/swarm-token")).rejects.toMatchObject({
      kind: "forbidden",
      message: expect.stringContaining("worker w1 may not get"),
    });
    await expect(client(certified(worker)).list("control/")).rejects.toMatchObject({
      kind: "forbidden",
    });
  });

  test("nobody without a certificate and without a token", async () => {
    await expect(client().get("root")).rejects.toMatchObject({
      kind: "forbidden",
      message: expect.stringContaining("401"),
    });
  });

  test("a token opens first contact and no more", async () => {
    const store = client(identity);
    expect(await store.get("root")).toBeDefined();
    await expect(store.get("revision")).rejects.toMatchObject({
      kind: "forbidden",
      message: expect.stringContaining("without a certificate"),
    });
    await expect(client({ token: { instance: "w1", token: "guess" } }).get("root")).rejects.toMatchObject({
      kind: "forbidden",
    });
  });

  test("a certificate of another authority under the same root opens nothing", async () => {
    const etcd = await authority("etcd clients", pki.root);
    const foreign = await clientCertificate(etcd, "CN=w1,OU=worker,O=web");
    await expect(client(certified(foreign, etcd.cert)).get("revision")).rejects.toMatchObject({
      kind: "forbidden",
    });
    await expect(client(certified(foreign)).get("revision")).rejects.toMatchObject({
      kind: "forbidden",
    });
  });

  test("so does one of an authority of the same name under the same root", async () => {
    const namesake = await authority("store authority", pki.root);
    const foreign = await clientCertificate(namesake, "CN=w1,OU=worker,O=web");
    const shown = certified(foreign, namesake.cert);
    await expect(client(shown).get("revision")).rejects.toMatchObject({ kind: "forbidden" });
  });

  test("a certificate of an authority that only bears the same name opens nothing", async () => {
    const impostor = await authority("store authority");
    await expect(
      client(certified(await clientCertificate(impostor, "CN=w1,OU=worker,O=web"))).get("revision"),
    ).rejects.toMatchObject({ kind: "forbidden" });
  });

  test("a server's certificate is not a client's, and an expired one is none", async () => {
    const server = await serverCertificate(pki.issuer, [{ type: "dns", value: "w1" }]);
    await expect(client(certified(server)).get("revision")).rejects.toMatchObject({
      kind: "forbidden",
    });
    const expired = await clientCertificate(pki.issuer, "CN=w1,OU=worker,O=web", new Date(Date.now() - 1_000));
    await expect(client(certified(expired)).get("revision")).rejects.toMatchObject({
      kind: "forbidden",
    });
    expect(
      await client({ ...certified(expired), ...identity }).get("root"),
      "its token still opens first contact",
    ).toBeDefined();
  });

  test("a subject that names itself twice, or leaves a part out, is nobody", async () => {
    for (const subject of ["CN=w1,OU=worker,OU=control,O=web", "CN=w1,OU=worker", "OU=worker,O=web"]) {
      await expect(
        client(certified(await clientCertificate(pki.issuer, subject))).get("revision"),
        subject,
      ).rejects.toMatchObject({ kind: "forbidden" });
    }
  });

  test("one that leaves the roster is refused at the next request of the same connection", async () => {
    const store = client(certified(worker));
    expect(await store.get("revision")).toBeDefined();
    await enter("gone");
    await expect(store.get("revision")).rejects.toMatchObject({ kind: "forbidden" });
  });

  test("a certificate that expires while its connection is open counts no more", async () => {
    const store = client(certified(worker));
    expect(await store.get("revision")).toBeDefined();
    await clock.advance(2 * day);
    await expect(store.get("revision")).rejects.toMatchObject({ kind: "forbidden" });
    await clock.advance(-2 * day);
  });

  test("resumed sessions are who they were: a certificate stays one, none stays none", async () => {
    const ask = (agent: Agent, cert: Issued | undefined): Promise<{ status: number | undefined; resumed: boolean }> =>
      new Promise((resolve, reject) => {
        const options = {
          host: "127.0.0.1",
          port: served.port,
          path: "/v1/records/revision",
          ca: pki.root.cert,
          agent,
          ...(cert === undefined ? {} : { cert: cert.cert, key: cert.key }),
        };
        const request = httpsRequest(options, (response) => {
          // No keep-alive on this agent, so that every request shakes hands; its session cache resumes.
          const socket = response.socket as TLSSocket;
          response
            .resume()
            .on("end", () => resolve({ status: response.statusCode, resumed: socket.isSessionReused() }));
        });
        request.on("error", reject).end();
      });
    const agent = new Agent({ keepAlive: false });
    expect(await ask(agent, worker)).toEqual({ status: 200, resumed: false });
    expect(await ask(agent, worker)).toEqual({ status: 200, resumed: true });
    const bare = new Agent({ keepAlive: false });
    expect(await ask(bare, undefined)).toEqual({ status: 401, resumed: false });
    expect(await ask(bare, undefined)).toEqual({ status: 401, resumed: true });
  });

  test("TLS 1.2 is not spoken", async () => {
    const failed = new Promise((resolve, reject) => {
      const socket = connectTls({
        host: "127.0.0.1",
        port: served.port ?? 0,
        ca: pki.root.cert,
        maxVersion: "TLSv1.2",
      });
      socket.on("secureConnect", () => reject(new Error("connected"))).on("error", resolve);
      endings.push(() => void socket.destroy());
    });
    expect(String(await failed)).toMatch(/protocol version/);
  });
});

describe("whom the client trusts", () => {
  test("the root behind the pin, found at first contact, and no system roots", async () => {
    const store = client({ pin: pinOf(pki.root), tls: () => ({}), ...identity });
    expect(await store.get("root")).toBeDefined();
    expect(
      await client({ pin: pinOf(pki.root).toUpperCase(), tls: () => ({}), ...identity }).get("root"),
    ).toBeDefined();
    await expect(client({ tls: () => ({}), ...identity }).get("root")).rejects.toMatchObject({
      kind: "invalid",
      message: expect.stringContaining("nor its hash"),
    });
  });

  test("a server under another root, another name, or out of date is refused", async () => {
    const other = await authority("root");
    await expect(client({ tls: () => ({ ca: other.cert }), ...identity }).get("root")).rejects.toMatchObject({
      kind: "invalid",
    });
    await expect(client({ serverName: "elsewhere.example", ...identity }).get("root")).rejects.toMatchObject({
      kind: "invalid",
    });
    served.reload(
      material(await serverCertificate(pki.issuer, [{ type: "ip", value: "127.0.0.1" }], new Date(Date.now() - 1_000))),
    );
    await expect(client(identity).get("root")).rejects.toMatchObject({
      kind: "invalid",
      message: expect.stringContaining("expired"),
    });
  });

  test("a name other than the address is checked where one is given", async () => {
    served.reload(material(await serverCertificate(pki.issuer, [{ type: "dns", value: "store.demo" }])));
    expect(
      await client({
        serverName: "store.demo",
        pin: pinOf(pki.root),
        tls: () => ({}),
        ...identity,
      }).get("root"),
    ).toBeDefined();
    await expect(client(identity).get("root")).rejects.toMatchObject({ kind: "invalid" });
  });

  /** A server that shows a chain of its choice and keeps every byte that is said to it after the handshake. */
  async function impostor(key: string, cert: string): Promise<{ readonly url: string; readonly heard: () => string }> {
    let heard = "";
    const server = createTls({ key, cert, minVersion: "TLSv1.3" }, (socket) => {
      endings.push(() => void socket.destroy());
      socket.on("error", () => (heard += "")).on("data", (bytes) => (heard += bytes.toString()));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    endings.push(() => void server.close());
    const address = server.address();
    return {
      url: `https://127.0.0.1:${typeof address === "object" ? address?.port : ""}`,
      heard: () => heard,
    };
  }

  test("the token is never said to a server without the pinned root, nor to one that shows the root but was not signed under it", async () => {
    const root = await authority("root");
    const issuer = await authority("store authority", root);
    const server = await serverCertificate(issuer, [{ type: "ip", value: "127.0.0.1" }]);
    const chains = [
      [server.cert, issuer.cert, root.cert],
      // The true root and issuer behind a leaf that they did not sign.
      [server.cert, pki.issuer.cert, pki.root.cert],
      [server.cert, issuer.cert, root.cert, pki.root.cert],
    ];
    for (const chain of chains) {
      const { url, heard } = await impostor(server.key, chain.join("\n"));
      await expect(
        client({ url, pin: pinOf(pki.root), tls: () => ({}), ...identity }).get("root"),
      ).rejects.toMatchObject({ kind: "invalid" });
      await expect(client({ url, ...identity }).get("root")).rejects.toMatchObject({
        kind: "invalid",
      });
      expect(heard()).toBe("");
    }
  });

  test("a server that is not there is unreachable, and may come", async () => {
    const port = served.port ?? 0;
    await served.close(0);
    const store = client({
      url: `https://127.0.0.1:${port}`,
      pin: pinOf(pki.root),
      tls: () => ({}),
      ...identity,
    });
    await expect(store.get("root")).rejects.toMatchObject({ kind: "unreachable" });
    served = await serveStore({
      store: inner,
      rules: storeRules(inner, systemClock),
      network: { tls: material(), host: "127.0.0.1", port },
    });
    expect(await store.get("root")).toBeDefined();
  });
});

describe("new material", () => {
  test("of the server: open connections go on, new ones see it", async () => {
    const store = client(certified(worker));
    await store.get("revision");
    const next = await serverCertificate(pki.issuer, [{ type: "ip", value: "127.0.0.1" }]);
    served.reload(material(next));
    expect(await store.get("revision")).toBeDefined();
    const shown = await new Promise<string>((resolve, reject) => {
      const socket = connectTls({ host: "127.0.0.1", port: served.port ?? 0, ca: pki.root.cert }, () => {
        resolve(socket.getPeerCertificate().fingerprint256);
        socket.destroy();
      });
      socket.on("error", reject);
    });
    expect(shown.replaceAll(":", "").toLowerCase()).toBe(pinOf(next));
    expect(await client(certified(worker)).get("revision")).toBeDefined();
  });

  test("of the client: the next request uses it", async () => {
    let now: Issued | undefined;
    const store = client({
      ...identity,
      tls: () => ({
        ca: pki.root.cert,
        ...(now === undefined ? {} : { cert: now.cert, key: now.key }),
      }),
    });
    await expect(store.get("revision")).rejects.toMatchObject({ kind: "forbidden" });
    now = worker;
    expect(await store.get("revision")).toBeDefined();
  });
});

describe("closing", () => {
  test("a request under way is answered, then the server is gone", async () => {
    const gate: { open?: () => void } = {};
    const entered = new Promise<void>((resolve) => {
      const get = inner.get.bind(inner);
      inner.get = async (key) => {
        if (key === "root") {
          resolve();
          await new Promise<void>((go) => {
            gate.open = go;
          });
        }
        return get(key);
      };
    });
    const asked = client(identity).get("root");
    await entered;
    // The grace is longer than this test may take: the end comes with the last answer.
    const closed = served.close(300_000);
    gate.open?.();
    expect(await asked).toBeDefined();
    await closed;
    await expect(client(identity).get("root")).rejects.toMatchObject({ kind: "unreachable" });
  });
});
