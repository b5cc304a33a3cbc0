import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { RequestListener } from "node:http";
import { serverContext, type Material } from "../../src/pki/material.ts";

export type TestServer = { readonly server: Server; readonly url: string; close(): Promise<void> };

/** An HTTPS server on a free port of 127.0.0.1 that wants a client certificate. */
export async function listen(material: Material, answer: RequestListener): Promise<TestServer> {
  const server = createServer(
    { ...serverContext(material), requestCert: true, rejectUnauthorized: true },
    answer,
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    server,
    url: `https://127.0.0.1:${address.port}/`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
