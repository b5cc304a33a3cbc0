import { commandStream, execCommand } from "../host/command.ts";
import { shellWord } from "../machine/quote.ts";
import { NotHere, type NodeAccess } from "./target.ts";

/** The way to a node. */
export type Reached = {
  readonly user: string;
  readonly host: string;
  /** Its key is kept under this name: addresses change hands. */
  readonly alias: string;
  /** What else ssh is to be told. */
  readonly options?: readonly string[];
};

/** What ssh gives an operator of a node; `run` is for ourselves. */
export type SshAccess = Pick<NodeAccess, "exec" | "terminal" | "put" | "get" | "connect"> & {
  /** What a command writes that runs as root; an error, with what it said, where it fails. */
  run(command: readonly string[], input?: Uint8Array): Promise<Buffer>;
};

const quietly = ["-o", "BatchMode=yes", "-o", "ConnectTimeout=10"];
/** ssh's own code, which commands are not to give. */
const unreached = 255;

function sshWords(
  { user, host, alias, options: way = [] }: Reached,
  options: readonly string[],
  remote: readonly string[],
): readonly [string, ...string[]] {
  return [
    "ssh",
    "-o",
    `HostKeyAlias=${alias}`,
    "-o",
    "StrictHostKeyChecking=accept-new",
    ...way,
    ...options,
    // What comes is no option, whatever it begins with.
    "--",
    `${user}@${host}`,
    // One string: ssh joins its words with blanks and the node's shell splits them again.
    ...(remote.length === 0 ? [] : [remote.map(shellWord).join(" ")]),
  ];
}

function asRoot({ user }: Reached, command: readonly string[]): readonly string[] {
  return user === "root" ? command : ["sudo", "-n", ...command];
}

/** What an operator can do with a node through the system's ssh; `next`: what to do where it does not answer. */
export function sshAccess(name: string, reach: () => Promise<Reached>, next: string): SshAccess {
  const silent = ({ user }: Reached, said: string): NotHere =>
    new NotHere(`ssh does not reach ${name} as ${user}: ${said.trim() || "see above"}`, next);
  const run = async (command: readonly string[], input?: Uint8Array): Promise<Buffer> => {
    const reached = await reach();
    const chunks: Uint8Array[] = [];
    let said = "";
    const { code } = await execCommand(sshWords(reached, quietly, asRoot(reached, command)), {
      ...(input === undefined ? {} : { input }),
      output(stream, chunk) {
        if (stream === "stdout") chunks.push(chunk);
        else said = (said + Buffer.from(chunk).toString("utf8")).slice(-2000);
      },
    });
    if (code === unreached) throw silent(reached, said);
    if (code !== 0) throw new Error(`${command.join(" ")} on ${name} ended with ${code}: ${said.trim()}`);
    return Buffer.concat(chunks);
  };
  return {
    run,
    async exec(command, { environment = {}, ...options } = {}) {
      const reached = await reach();
      const variables = Object.entries(environment).map(([key, value]) => `${key}=${value}`);
      const whole = variables.length === 0 ? command : ["env", ...variables, ...command];
      const result = await execCommand(sshWords(reached, quietly, asRoot(reached, whole)), options);
      if (result.code === unreached) throw silent(reached, result.stderr);
      return result;
    },
    terminal: async (command) => sshWords(await reach(), ["-t"], command),
    async put(folder, archive) {
      await run(["tar", "-C", folder, "-xf", "-"], archive);
    },
    async get(path) {
      const at = path.lastIndexOf("/");
      return run(["tar", "-C", path.slice(0, at) || "/", "-cf", "-", "--", path.slice(at + 1) || "."]);
    },
    connect: async (port) => commandStream(sshWords(await reach(), [...quietly, "-W", `127.0.0.1:${port}`], [])),
  };
}
