import type { NodeName } from "../../cluster/cluster.ts";
import { sshAccess, type Reached } from "../ssh.ts";
import { NotHere, type NodeAccess } from "../target.ts";

function notHere(name: NodeName, what: string, instead: string): never {
  throw new NotHere(`--on files cannot ${what} ${name}: its machine is somebody else's`, instead);
}

/** What an operator can do with one node through the system's ssh. */
export function nodeAccess(reach: () => Promise<Reached>, name: NodeName): NodeAccess {
  const access = sshAccess(name, reach, `slipway ssh ${name}`);
  return {
    ...access,
    async console(lines) {
      return (
        await access.run(["journalctl", "--no-pager", "--lines", String(lines), "--unit", "slipway-agent"])
      ).toString();
    },
    start: async () => notHere(name, "start", "start it where it runs"),
    stop: async () => notHere(name, "stop", `slipway exec ${name} -- systemctl poweroff`),
    restart: async () => notHere(name, "restart", `slipway exec ${name} -- systemctl reboot`),
  };
}
