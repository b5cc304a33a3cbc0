import { spawn } from "node:child_process";
import { Duplex } from "node:stream";

/** A byte stream that is a command's standard input and output. Destroying it ends the command. */
export function commandStream(command: readonly [string, ...string[]]): Duplex {
  const [program, ...words] = command;
  const child = spawn(program, words, { stdio: ["pipe", "pipe", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-2000);
  });
  const duplex = new Duplex({
    read() {
      child.stdout.resume();
    },
    write(chunk: Uint8Array, _encoding, done) {
      child.stdin.write(chunk, done);
    },
    final(done) {
      child.stdin.end(done);
    },
    destroy(error, done) {
      child.kill("SIGTERM");
      done(error);
    },
  });
  child.stdout.on("data", (chunk: Uint8Array) => {
    if (!duplex.push(chunk)) child.stdout.pause();
  });
  child.stdout.on("end", () => duplex.push(null));
  child.stdin.on("error", (error) => duplex.destroy(error));
  child.on("error", (error) => duplex.destroy(error));
  child.on("close", (code) => {
    if (code !== 0 && !duplex.destroyed)
      duplex.destroy(new Error(`${command.join(" ")} ended with ${code}: ${said.trim()}`));
  });
  return duplex;
}

/**
 * A byte stream to a socket inside a container, through `docker exec` and socat: it works wherever the docker
 * command works (unix socket, TLS, ssh, contexts) and needs no port of the container to be published.
 * `to` is a socat address such as `UNIX-CONNECT:/run/slipway/operator.sock` or `TCP:10.0.0.3:2379`.
 */
export function tunnel(container: string, to: string): Duplex {
  return commandStream(["docker", "exec", "-i", container, "socat", "-", to]);
}
