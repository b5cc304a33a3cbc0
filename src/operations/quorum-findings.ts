import { dataLost } from "../components/etcd/join.ts";
import { quorumOf } from "../components/quorum.ts";
import { isoTime } from "../host/time.ts";
import { isRunning } from "./etcd-view.ts";
import type { Examined, Finding } from "./finding.ts";
import type { Recorded } from "./look.ts";
import { etcdMembers, swarmMembers, votes } from "./members.ts";
import type { NodeStatus, Status } from "./status-shape.ts";

/** A learner catches up in seconds; longer than this it is stuck. Milliseconds. */
const learnerPatience = 5 * 60_000;

/** Whether etcd has its quorum, who is lost, and which learners do not catch up. Pure. */
export function etcdFindings({ seen, status }: Examined, recorded: Recorded): readonly Finding[] {
  const subject = "etcd";
  const { members } = etcdMembers(seen, status);
  if (members.kind === "unknown") {
    const without = status.nodes.filter((node) => isRunning(node.state) && node.reason?.startsWith(dataLost) === true);
    if (without.length > 0) {
      const names = without.map((node) => node.name).join(", ");
      const message = `no quorum: the data of ${names} is lost, and what is left is no majority; nothing is founded anew`;
      return [{ subject, state: "bad", message, fix: "bring that data back, or slipway restore from a snapshot" }];
    }
    const message = `its members are unknown: ${members.why}`;
    return [{ subject, state: "bad", message, fix: `slipway start ${status.cluster}` }];
  }
  const stuck = status.etcd.members
    .filter((member) => member.state === "learner")
    .flatMap((member): readonly Finding[] => {
      const record = recorded.nodes.find((candidate) => candidate.etcd?.memberId === member.id);
      if (record === undefined || seen.now - record.since < learnerPatience) return [];
      const message = `${member.name} has been catching up as a learner since ${isoTime(record.since)}`;
      const fix = `slipway logs ${member.name} --unit etcd`;
      return [{ subject, state: "warning", message, fix }];
    });
  const { voters, healthy } = votes(members.value);
  if (voters === 0 || healthy >= quorumOf(voters)) return stuck;
  const lost = status.etcd.members.filter((member) => member.state === "unhealthy" || member.state === "unstarted");
  const names = lost.map((member) => member.name || member.id);
  const message = `no quorum: ${healthy} of ${voters} voting members are healthy, ${quorumOf(voters)} are needed; lost: ${names.join(", ")}`;
  return [{ subject, state: "bad", message, fix: recovery(names, status, "etcd") }, ...stuck];
}

/** Whether Swarm has its quorum and a leader, and how published ports reach their tasks. Pure. */
export function swarmFindings({ seen, status }: Examined, recorded: Recorded): readonly Finding[] {
  const subject = "swarm";
  const swarmOf = (node: NodeStatus): Recorded["nodes"][number]["swarm"] =>
    recorded.nodes.find((record) => record.instance === node.instance)?.swarm;
  const { members } = swarmMembers(seen, status);
  const findings: Finding[] = [];
  if (members.kind === "unknown") {
    const message = `its managers are unknown: ${members.why}`;
    findings.push({ subject, state: "bad", message, fix: `slipway start ${status.cluster}` });
  } else {
    const { voters, healthy } = votes(members.value);
    const live = status.nodes.filter((node) => isRunning(node.state) && swarmOf(node)?.manager);
    if (healthy < quorumOf(voters) && voters > 0) {
      const lost = status.nodes.filter((node) => node.role === "control" && !live.includes(node));
      const names = lost.map((node) => node.name);
      const message = `no quorum: ${healthy} of ${voters} managers are healthy; lost: ${names.join(", ")}`;
      findings.push({ subject, state: "bad", message, fix: recovery(names, status, "docker") });
    } else if (voters > 0 && !live.some((node) => swarmOf(node)?.leader)) {
      const fix = `slipway status ${status.cluster}`;
      findings.push({ subject, state: "warning", message: "no manager says that it leads", fix });
    }
    if (voters > 0 && voters % 2 === 0) {
      const message = `${voters} managers: an even number bears no more losses than one fewer`;
      const fix = "slipway launch, so that the control group is whole again";
      findings.push({ subject, state: "warning", message, fix });
    }
  }
  const hostMode = status.nodes.filter((node) => isRunning(node.state) && swarmOf(node)?.mesh === false);
  if (hostMode.length > 0) {
    const names = hostMode.map((node) => node.name).join(", ");
    const message = `the kernel of ${names} has no IPVS, so there is no routing mesh: published ports lead to the nodes that run a task (host mode), one task per node and port`;
    findings.push({ subject, state: "good", message });
  }
  return findings;
}

/** Nothing is done by itself without a quorum; only members that come back with their data can restore it. */
function recovery(lost: readonly string[], status: Status, unit: string): string {
  const among = (state: NodeStatus["state"]): readonly string[] =>
    lost.filter((name) => status.nodes.some((node) => node.name === name && node.state === state));
  const stopped = among("stopped");
  if (stopped.length > 0) return `slipway start ${stopped.join(" ")}`;
  if (among("absent").length > 0) {
    return "slipway launch brings nodes back whose data is still there; where the data of a majority is gone, only a restore from a snapshot helps, and neither slipway remove nor launch may decide that by itself";
  }
  return `slipway logs ${lost[0] ?? status.cluster} --unit ${unit}`;
}
