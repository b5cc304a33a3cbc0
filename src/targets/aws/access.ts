import type { ClusterName, NodeName } from "../../cluster/cluster.ts";
import { shellWord } from "../../machine/quote.ts";
import { sshAccess, type Reached } from "../ssh.ts";
import { NotHere, type NodeAccess } from "../target.ts";
import type { Instance } from "./clients/ec2.ts";
import type { Session } from "./clients/session.ts";
import { lookAt, outputOf, type Look } from "./look.ts";
import { nodeOf } from "./observe.ts";
import { startInstance, stopInstance } from "./power.ts";
import { consoleOf } from "./stack/arrivals.ts";

/** The session manager's plugin carries ssh (AWS, "Enable SSH connections through Session Manager"). */
function throughSession(region: string): readonly string[] {
  // ssh gives it to a shell, with the node's id for %h and a number for %p.
  const command = `aws ssm start-session --region ${shellWord(region)} --target %h --document-name AWS-StartSSHSession --parameters portNumber=%p`;
  return ["-o", `ProxyCommand=${command}`];
}

/** The way to an instance: ssh to its address, or through a session of Systems Manager, for which no port is open. */
function reachOf(look: Look, instance: Instance, region: string): Omit<Reached, "alias"> {
  const user = outputOf(look.stack, "Login") ?? "core";
  if (outputOf(look.stack, "Reach") === "session-manager")
    return { user, host: instance.InstanceId ?? "", options: throughSession(region) };
  return { user, host: instance.PublicIpAddress ?? instance.PrivateIpAddress ?? "" };
}

/** What an operator can do with one node on AWS. */
export function nodeAccess(session: Session, cluster: ClusterName, name: NodeName): NodeAccess {
  const find = async (): Promise<{ readonly look: Look; readonly instance: Instance }> => {
    const look = await lookAt(session, cluster);
    const instance = look.instances.find((one) => nodeOf(one, look.roster).name === name || one.InstanceId === name);
    if (instance === undefined) throw new NotHere(`${cluster} has no instance of ${name}`, `slipway status ${cluster}`);
    return { look, instance };
  };
  const reach = async (): Promise<Reached> => {
    const { look, instance } = await find();
    // Another instance under the same name has another key.
    return { ...reachOf(look, instance, await session.region()), alias: `${name}.${instance.InstanceId ?? ""}` };
  };
  const id = async (): Promise<string> => (await find()).instance.InstanceId ?? "";
  const never = new AbortController().signal;
  const next =
    "aws: { allow_ssh_from: …, key_pair: … } in the file, or the session manager's plugin of the aws command";
  return {
    ...sshAccess(name, reach, next),
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
  };
}
