import type { Duplex } from "node:stream";
import { commandStream } from "../../host/command.ts";

/**
 * A byte stream to a socket inside a container, through `docker exec` and socat: it works wherever the docker
 * command works (unix socket, TLS, ssh, contexts) and needs no port of the container to be published.
 * `to` is a socat address such as `UNIX-CONNECT:/run/slipway/operator.sock` or `TCP:10.0.0.3:2379`.
 */
export function tunnel(container: string, to: string): Duplex {
  return commandStream(["docker", "exec", "-i", container, "socat", "-", to]);
}
