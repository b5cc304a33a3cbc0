import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type Server } from "node:tls";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { clientContext, serverContext, type Material } from "../../src/pki/material.ts";
import { purposes } from "../../src/pki/purpose.ts";
import { material, testCluster, type TestCluster } from "./authorities.ts";

let cluster: TestCluster;
let other: TestCluster;
const servers: Server[] = [];

beforeAll(async () => {
  [cluster, other] = await Promise.all([testCluster("demo", Date.now()), testCluster("demo", Date.now())]);
});
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function serve(own: Material): Promise<number> {
  const server = createServer({ ...serverContext(own), requestCert: true, rejectUnauthorized: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    socket.end("hello");
  });
  server.on("tlsClientError", () => undefined);
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return (address as AddressInfo).port;
}

/** What comes of a connection: the server's word, or "refused" whoever of the two refused it. */
function says(port: number, own: Material): Promise<string> {
  return new Promise((resolve) => {
    let heard = "";
    const socket = connect({ host: "127.0.0.1", port, servername: "localhost", secureContext: clientContext(own) });
    socket.setEncoding("utf8").on("data", (text: string) => (heard += text));
    socket.on("error", () => resolve("refused"));
    socket.on("close", () => resolve(heard === "" ? "refused" : heard));
  });
}

describe("one authority is one trust domain", () => {
  test.each(purposes.flatMap((server) => purposes.map((peer) => [server, peer] as const)))(
    "a %s server and a %s client",
    async (server, peer) => {
      const now = Date.now();
      const port = await serve(await material(cluster, server, "server", now));
      // Each direction by itself: the other side's authority is trusted where it is not what is tested.
      const stranger = {
        ...(await material(cluster, peer, "client", now)),
        authority: cluster.issuers[server].certificate,
      };
      const trusting = {
        ...(await material(cluster, server, "client", now)),
        authority: cluster.issuers[peer].certificate,
      };
      const expected = server === peer ? "hello" : "refused";
      expect(await says(port, stranger)).toBe(expected);
      expect(await says(port, trusting)).toBe(expected);
    },
  );

  test("a cluster of the same name is a stranger, and so is a client without a certificate", async () => {
    const now = Date.now();
    const port = await serve(await material(cluster, "store", "server", now));
    const authority = cluster.issuers.store.certificate;
    const foreign = await material(other, "store", "client", now);
    expect(await says(port, { ...foreign, authority })).toBe("refused");
    expect(await says(port, { authority })).toBe("refused");
    expect(await says(port, foreign)).toBe("refused");
    expect(await says(port, { ...(await material(cluster, "store", "client", now)), authority })).toBe("hello");
  });

  test("usages: a client's certificate is no server's, a server's is no client's", async () => {
    const now = Date.now();
    const authority = cluster.issuers.store.certificate;
    const whole = await material(cluster, "store", "client", now);
    const clientOnly = await serve(await material(cluster, "store", "server", now, { usages: ["client"] }));
    expect(await says(clientOnly, whole)).toBe("refused");
    const port = await serve(await material(cluster, "store", "server", now));
    expect(
      await says(port, { ...(await material(cluster, "store", "client", now, { usages: ["server"] })), authority }),
    ).toBe("refused");
  });
});
