import type { NodeName } from "../../cluster/cluster.ts";
import { commandStream, execCommand } from "../../host/command.ts";
import { shellWord } from "../../machine/quote.ts";
import { NotHere, type NodeAccess } from "../target.ts";

/** A node as ssh reaches it: by its address, because its name is in nobody's DNS; its key is kept under its name. */
export type Reached = { readonly name: NodeName; readonly user: string; readonly address: string };

function ssh(
  { name, user, address }: Reached,
  options: readonly string[],
  remote: readonly string[],
): readonly [string, ...string[]] {
  // One string: ssh joins its words with blanks and the node's shell splits them again.
  const line = remote.length === 0 ? [] : [remote.map(shellWord).join(" ")];
  const host = ["-o", `HostKeyAlias=${name}`, "-o", "StrictHostKeyChecking=accept-new"];
  return ["ssh", ...host, ...options, `${user}@${address}`, ...line];
}

const quietly = ["-o", "BatchMode=yes", "-o", "ConnectTimeout=10"];

function notHere(name: NodeName, what: string, instead: string): never {
  throw new NotHere(`--on files cannot ${what} ${name}: its machine is somebody else's`, instead);
}

/** What an operator can do with one node through the system's ssh. */
export function nodeAccess(reached: () => Promise<Reached>, name: NodeName): NodeAccess {
  const sudo = async (command: readonly string[]): Promise<readonly string[]> =>
    (await reached()).user === "root" ? command : ["sudo", "-n", ...command];
  const run = async (command: readonly string[], input?: Uint8Array) => {
    const words = ssh(await reached(), quietly, await sudo(command));
    const chunks: Uint8Array[] = [];
    let said = "";
    const { code } = await execCommand(words, {
      ...(input === undefined ? {} : { input }),
      output(stream, chunk) {
        if (stream === "stdout") chunks.push(chunk);
        else said = (said + Buffer.from(chunk).toString("utf8")).slice(-2000);
      },
    });
    if (code !== 0) throw new Error(`${command.join(" ")} on ${name} ended with ${code}: ${said.trim()}`);
    return Buffer.concat(chunks);
  };
  return {
    async exec(command, { environment = {}, ...options } = {}) {
      const variables = Object.entries(environment).map(([key, value]) => `${key}=${value}`);
      const words = variables.length === 0 ? command : ["env", ...variables, ...command];
      const result = await execCommand(ssh(await reached(), quietly, await sudo(words)), options);
      // ssh's own code, which commands are not to give.
      if (result.code === 255)
        throw new NotHere(
          `ssh does not reach ${name} as ${(await reached()).user}: ${result.stderr.trim() || "see above"}`,
          `slipway ssh ${name}`,
        );
      return result;
    },
    async terminal(command) {
      return ssh(await reached(), ["-t"], command);
    },
    async put(folder, archive) {
      await run(["tar", "-C", folder, "-xf", "-"], archive);
    },
    async get(path) {
      const at = path.lastIndexOf("/");
      return run(["tar", "-C", path.slice(0, at) || "/", "-cf", "-", "--", path.slice(at + 1) || "."]);
    },
    async console(lines) {
      return (await run(["journalctl", "--no-pager", "--lines", String(lines), "--unit", "slipway-agent"])).toString();
    },
    start: async () => notHere(name, "start", "start it where it runs"),
    stop: async () => notHere(name, "stop", `slipway exec ${name} -- systemctl poweroff`),
    restart: async () => notHere(name, "restart", `slipway exec ${name} -- systemctl reboot`),
    async connect(port) {
      const { user, address } = await reached();
      return commandStream(["ssh", ...quietly, "-W", `127.0.0.1:${port}`, `${user}@${address}`]);
    },
  };
}
