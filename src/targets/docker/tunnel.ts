import type { Duplex } from "node:stream";
import type { Engine } from "./engine.ts";
import { execStream } from "./exec.ts";

/**
 * A byte stream to a socket inside a container, through the engine and socat: it works wherever the engine is reached
 * (unix socket, TLS, ssh, contexts) and needs no port of the container to be published.
 * `to` is a socat address such as `UNIX-CONNECT:/run/slipway/operator.sock` or `TCP:10.0.0.3:2379`.
 */
export function tunnel(engine: Engine, container: string, to: string): Duplex {
  return execStream(engine, container, ["socat", "-", to]);
}
