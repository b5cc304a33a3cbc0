import { once } from "node:events";
import {
  createSecureServer,
  type Http2SecureServer,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { HttpError, TlsError } from "../../src/pki/failure.ts";
import { mutualHttp2, type MutualHttp2 } from "../../src/pki/http2.ts";
import { serverContext, type Material } from "../../src/pki/material.ts";
import { material, testCluster, type TestCluster } from "./authorities.ts";

const now = Date.now();
let cluster: TestCluster;
let own: {
  readonly server: Material;
  readonly client: Material;
  readonly renewed: Material;
  readonly foreign: Material;
};
let used: Material;
let client: MutualHttp2;
let server: Http2SecureServer;
let sessions: ServerHttp2Session[];
/** Common names of the clients, by connection. */
let callers: string[];
let answer: (stream: ServerHttp2Stream) => void;

beforeAll(async () => {
  cluster = await testCluster("demo", now);
  const clientOf = (commonName: string) =>
    material(cluster, "etcd-client", "client", now, { commonName, usages: ["client"], names: [], addresses: [] });
  own = {
    server: await material(cluster, "etcd-client", "server", now),
    client: await clientOf("root"),
    renewed: await clientOf("renewed"),
    foreign: {
      ...(await material(cluster, "etcd-peer", "client", now)),
      authority: cluster.issuers["etcd-client"].certificate,
    },
  };
});

async function serve(port: number): Promise<void> {
  sessions = [];
  server = createSecureServer({ ...serverContext(own.server), requestCert: true, rejectUnauthorized: true });
  server.on("secureConnection", (socket) => callers.push(String(socket.getPeerCertificate().subject.CN)));
  server.on("session", (session) => {
    sessions.push(session);
    session.on("error", () => undefined);
  });
  server.on("stream", (stream: ServerHttp2Stream) => {
    stream.on("error", () => undefined);
    answer(stream);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
}
function stop(): void {
  for (const session of sessions) session.destroy();
  server.close();
}
function port(): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}
const echo = (stream: ServerHttp2Stream): void => {
  stream.respond({ ":status": 200, "content-type": "text/plain" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.pipe(stream);
};

beforeEach(async () => {
  callers = [];
  answer = echo;
  used = own.client;
  await serve(0);
  client = mutualHttp2({ read: () => used });
});
afterEach(() => {
  client.close();
  stop();
});

const post = (text = "hello", timeout = 5_000) =>
  client.post({ origin: `https://127.0.0.1:${port()}`, path: "/some.Service/Call", timeout }, Buffer.from(text));

describe("requests", () => {
  test("an answer comes with its body and its trailers, over one connection", async () => {
    const answers = await Promise.all([post("a"), post("b"), post("c")]);
    expect(
      answers.map(({ status, body, trailers }) => `${status} ${body.toString()} ${String(trailers["grpc-status"])}`),
    ).toEqual(["200 a 0", "200 b 0", "200 c 0"]);
    await post();
    expect(sessions.length).toBe(1);
    expect(callers).toEqual(["root"]);
  });

  test("a bad status is an answer, also when nothing follows it", async () => {
    answer = (stream) => stream.respond({ ":status": 500, "grpc-status": "7" }, { endStream: true });
    expect(await post()).toMatchObject({ status: 500, headers: { "grpc-status": "7" }, body: Buffer.alloc(0) });
  });

  test("a server of another authority is not trusted, nor one that does not trust us", async () => {
    used = { ...own.client, authority: cluster.issuers["etcd-peer"].certificate };
    await expect(post()).rejects.toThrow(TlsError);
    used = own.foreign;
    await client.reload();
    // With TLS 1.3 the server's refusal comes after the client's handshake is over.
    await expect(post()).rejects.toThrow(HttpError);
    expect(callers).toEqual([]);
  });

  test("no server is unreachable, and the next request tries again", async () => {
    const there = port();
    stop();
    await expect(
      client.post({ origin: `https://127.0.0.1:${there}`, path: "/", timeout: 5_000 }, Buffer.of()),
    ).rejects.toMatchObject({ kind: "unreachable" });
    await serve(there);
    expect((await post()).status).toBe(200);
  });

  test("a server that went away and came back is found by the next request", async () => {
    await post();
    const there = port();
    const gone = sessions.map((session) => once(session, "close"));
    stop();
    await Promise.all(gone);
    await serve(there);
    // That the connection is closed may reach the client only after this call has begun.
    const first = await post().catch((error: unknown) => error);
    if (first instanceof Error) expect(first).toBeInstanceOf(HttpError);
    expect((await post()).status).toBe(200);
  });

  test("a request that is cut off is told from one that was answered", async () => {
    answer = (stream) => stream.close(8);
    await expect(post()).rejects.toMatchObject({ kind: "broken" });
  });

  test("silence ends with the timeout, and the next request takes another connection", async () => {
    answer = () => undefined;
    await expect(post("hello", 50)).rejects.toMatchObject({
      kind: "timeout",
      message: expect.stringContaining("no answer within 50 ms"),
    });
    answer = echo;
    expect((await post()).status).toBe(200);
    expect(sessions.length).toBe(2);
  });
});

describe("a renewed certificate", () => {
  test("is shown by the next request, while those under way finish", async () => {
    let finish = (): void => undefined;
    const begun = new Promise<void>((resolve) => {
      answer = (stream) => {
        finish = () => echo(stream);
        resolve();
      };
    });
    const underWay = post("slow");
    await begun;
    expect(await client.reload()).toBe(false);
    used = own.renewed;
    expect(await client.reload()).toBe(true);
    const later = finish;
    answer = echo;
    await post();
    later();
    expect((await underWay).body.toString()).toBe("slow");
    expect(callers).toEqual(["root", "renewed"]);
  });

  test("that is unusable is refused, and the old one goes on", async () => {
    await post();
    used = { ...own.client, authority: "" };
    await expect(client.reload()).rejects.toThrow(/no authority/);
    expect((await post()).status).toBe(200);
  });
});

test("a closed client says so", async () => {
  await post();
  client.close();
  await expect(post()).rejects.toMatchObject({ kind: "aborted" });
});
