import { createSocket, type RemoteInfo, type Socket as DatagramSocket } from "node:dgram";
import { connect, createServer, type Server, type Socket } from "node:net";

export type ForwardPort = { readonly port: number; readonly protocol: "tcp" | "udp" };

/** `8080/tcp,53/udp` as ports. */
export function parsePorts(text: string): readonly ForwardPort[] {
  return text.split(",").flatMap((part) => {
    const [, port, protocol] = /^(\d+)\/(tcp|udp)$/.exec(part) ?? [];
    return port === undefined || (protocol !== "tcp" && protocol !== "udp") ? [] : [{ port: Number(port), protocol }];
  });
}

/** Addresses of the nodes that may answer on a port, the best first. Asked for every connection. */
export type Backends = (port: number) => readonly string[];

const connectTimeout = 2_000;

function dial(address: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, allowHalfOpen: true });
    const timer = setTimeout(() => socket.destroy(new Error(`no answer within ${connectTimeout} ms`)), connectTimeout);
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.removeListener("error", reject);
      resolve(socket);
    });
    socket.once("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}

/** Joins two streams; when one breaks, the other is closed. */
function join(one: Socket, other: Socket): void {
  one.pipe(other);
  other.pipe(one);
  for (const [a, b] of [
    [one, other],
    [other, one],
  ] as const) {
    a.on("error", () => b.destroy());
    a.on("close", () => b.destroy());
  }
}

/** Accepts TCP connections and hands each to the first node that takes it, beginning with another one each time. */
export function forwardTcp(port: number, backends: Backends): Promise<Server> {
  let turn = 0;
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const offered = async (): Promise<void> => {
      const addresses = backends(port);
      const start = turn++;
      for (let n = 0; n < addresses.length; n++) {
        const address = addresses[(start + n) % addresses.length];
        if (address === undefined) continue;
        try {
          join(client, await dial(address, port));
          return;
        } catch {
          // Refused there: the service does not run on that node now. The next one is asked.
        }
      }
      client.destroy();
    };
    client.on("error", () => client.destroy());
    void offered();
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host: "0.0.0.0" }, () => {
      server.removeListener("error", reject);
      resolve(server);
    });
  });
}

const datagramIdle = 60_000;

/** Forwards datagrams: each sender keeps one node and one socket until it has been silent for a minute. */
export function forwardUdp(port: number, backends: Backends): Promise<DatagramSocket> {
  const flows = new Map<string, { socket: DatagramSocket; timer: NodeJS.Timeout }>();
  let turn = 0;
  const outside = createSocket("udp4");
  const flowFor = (from: RemoteInfo, address: string): DatagramSocket => {
    const key = `${from.address}:${from.port}`;
    const there = flows.get(key);
    if (there !== undefined) {
      there.timer.refresh();
      return there.socket;
    }
    const socket = createSocket("udp4");
    const end = (): void => {
      flows.delete(key);
      socket.close();
    };
    socket.on("message", (answer) => outside.send(answer, from.port, from.address));
    socket.on("error", end);
    socket.connect(port, address);
    flows.set(key, { socket, timer: setTimeout(end, datagramIdle).unref() });
    return socket;
  };
  outside.on("message", (message, from) => {
    const addresses = backends(port);
    const address = addresses[turn++ % Math.max(1, addresses.length)];
    if (address === undefined) return;
    const socket = flowFor(from, address);
    // The first datagram of a flow may come before its socket is connected.
    try {
      socket.send(message);
    } catch {
      socket.once("connect", () => socket.send(message));
    }
  });
  return new Promise((resolve, reject) => {
    outside.once("error", reject);
    outside.bind(port, "0.0.0.0", () => {
      outside.removeListener("error", reject);
      resolve(outside);
    });
  });
}
