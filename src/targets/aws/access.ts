import type { ClusterName, NodeName } from "../../cluster/cluster.ts";
import { commandStream, execCommand } from "../../host/command.ts";
import { shellWord } from "../../machine/quote.ts";
import { NotHere, type NodeAccess } from "../target.ts";
import type { Instance } from "./clients/ec2.ts";
import type { Session } from "./clients/session.ts";
import { lookAt, outputOf, type Look } from "./look.ts";
import { nodeOf } from "./observe.ts";
import { startInstance, stopInstance } from "./power.ts";
import { consoleOf } from "./stack/arrivals.ts";

/** How a node is reached: ssh to its address, or through a session of Systems Manager, for which no port is open. */
type Reached = { readonly user: string; readonly host: string; readonly options: readonly string[] };

const quietly = ["-o", "BatchMode=yes", "-o", "ConnectTimeout=10"];

/** The session manager's plugin carries ssh (AWS, "Enable SSH connections through Session Manager"). */
function throughSession(region: string): readonly string[] {
  // ssh gives it to a shell, with the node's id for %h and a number for %p.
  const command = `aws ssm start-session --region ${shellWord(region)} --target %h --document-name AWS-StartSSHSession --parameters portNumber=%p`;
  return ["-o", `ProxyCommand=${command}`];
}

/** The way to a node. Pure. */
export function reachOf(look: Look, instance: Instance, region: string): Reached {
  const user = outputOf(look.stack, "Login") ?? "core";
  if (outputOf(look.stack, "Reach") === "session-manager")
    return { user, host: instance.InstanceId ?? "", options: throughSession(region) };
  return { user, host: instance.PublicIpAddress ?? instance.PrivateIpAddress ?? "", options: [] };
}

/** What an operator can do with one node on AWS. */
export function nodeAccess(session: Session, cluster: ClusterName, name: NodeName): NodeAccess {
  const find = async (): Promise<{ readonly look: Look; readonly instance: Instance }> => {
    const look = await lookAt(session, cluster);
    const instance = look.instances.find((one) => nodeOf(one, look.roster).name === name || one.InstanceId === name);
    if (instance === undefined) throw new NotHere(`${cluster} has no instance of ${name}`, `slipway status ${cluster}`);
    return { look, instance };
  };
  const words = async (
    options: readonly string[],
    remote: readonly string[],
  ): Promise<readonly [string, ...string[]]> => {
    const { look, instance } = await find();
    const { user, host, options: way } = reachOf(look, instance, await session.region());
    // One string: ssh joins its words with blanks and the node's shell splits them again.
    const line = remote.length === 0 ? [] : [remote.map(shellWord).join(" ")];
    // Another instance under the same name has another key.
    const alias = `${name}.${instance.InstanceId ?? ""}`;
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
      ...line,
    ];
  };
  const sudo = (command: readonly string[]): readonly string[] => ["sudo", "-n", ...command];
  const run = async (command: readonly string[], input?: Uint8Array): Promise<Buffer> => {
    const chunks: Uint8Array[] = [];
    let said = "";
    const { code } = await execCommand(await words(quietly, sudo(command)), {
      ...(input === undefined ? {} : { input }),
      output(stream, chunk) {
        if (stream === "stdout") chunks.push(chunk);
        else said = (said + Buffer.from(chunk).toString("utf8")).slice(-2000);
      },
    });
    if (code === 255) throw unreached(said);
    if (code !== 0) throw new Error(`${command.join(" ")} on ${name} ended with ${code}: ${said.trim()}`);
    return Buffer.concat(chunks);
  };
  const unreached = (said: string): NotHere =>
    new NotHere(
      `ssh does not reach ${name}: ${said.trim() || "see above"}`,
      "aws: { allow_ssh_from: …, key_pair: … } in the file, or the session manager's plugin of the aws command",
    );
  const id = async (): Promise<string> => (await find()).instance.InstanceId ?? "";
  const never = new AbortController().signal;
  return {
    async exec(command, { environment = {}, ...options } = {}) {
      const variables = Object.entries(environment).map(([key, value]) => `${key}=${value}`);
      const whole = variables.length === 0 ? command : ["env", ...variables, ...command];
      const result = await execCommand(await words(quietly, sudo(whole)), options);
      // ssh's own code, which commands are not to give.
      if (result.code === 255) throw unreached(result.stderr);
      return result;
    },
    terminal: (command) => words(["-t"], command),
    async put(folder, archive) {
      await run(["tar", "-C", folder, "-xf", "-"], archive);
    },
    async get(path) {
      const at = path.lastIndexOf("/");
      return run(["tar", "-C", path.slice(0, at) || "/", "-cf", "-", "--", path.slice(at + 1) || "."]);
    },
    async console(lines) {
      const { instance } = await find();
      return (await consoleOf(session, instance)).slice(-lines).join("\n");
    },
    start: async () => startInstance(session, await id(), never),
    stop: async () => stopInstance(session, await id(), never),
    async restart() {
      const instance = await id();
      await stopInstance(session, instance, never);
      await startInstance(session, instance, never);
    },
    async connect(port) {
      return commandStream([...(await words([...quietly, "-W", `127.0.0.1:${port}`], []))] as [string, ...string[]]);
    },
  };
}
