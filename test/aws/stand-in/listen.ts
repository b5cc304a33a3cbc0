import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";

/** A server on loopback; `close` ends it and all its connections. */
export type Listening = { readonly url: string; close(): Promise<void> };

/** Answers requests on loopback, on a port that is free, by a `fetch`: for programs that are processes of their own. */
export async function listenWith(answer: typeof fetch): Promise<Listening> {
  const server = createServer((asked, reply) => {
    void (async () => {
      try {
        const response = await answer(await requestOf(asked));
        reply.writeHead(response.status, Object.fromEntries(response.headers));
        reply.end(Buffer.from(await response.arrayBuffer()));
      } catch (error) {
        // A connection that breaks is what a fault of this kind looks like from outside.
        if (!(error instanceof TypeError)) throw error;
        asked.socket.destroy();
      }
    })();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return {
    url: `http://127.0.0.1:${address.port}`,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function requestOf(asked: IncomingMessage): Promise<Request> {
  const chunks: Buffer[] = [];
  for await (const chunk of asked) chunks.push(Buffer.from(chunk as Uint8Array));
  const headers = new Headers();
  for (const [name, value] of Object.entries(asked.headers)) if (typeof value === "string") headers.set(name, value);
  const method = asked.method ?? "GET";
  const body = Buffer.concat(chunks);
  return new Request(new URL(asked.url ?? "/", `http://${asked.headers.host ?? "127.0.0.1"}`), {
    method,
    headers,
    ...(method === "GET" || method === "HEAD" ? {} : { body: new Uint8Array(body) }),
  });
}
