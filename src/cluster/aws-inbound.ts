import type { Problem } from "../problems/problem.ts";
import { quoted } from "../problems/visible.ts";
import type { Inbound, OwnSecurityGroup } from "./aws-settings.ts";
import { problem } from "./aws-problem.ts";
import type { Cluster } from "./cluster.ts";
import { nodePorts } from "./network.ts";

/** Own security groups that contradict themselves, or that open what must stay between nodes. */
export function inboundProblems({ aws }: Cluster): Problem[] {
  const first = new Map<string, OwnSecurityGroup>();
  return aws.securityGroups.flatMap((group) => {
    const other = first.get(group.name);
    first.set(group.name, other ?? group);
    return [
      ...(other === undefined
        ? []
        : [
            problem(
              "duplicate-name",
              [...group.at, "name"],
              `the security group ${quoted(group.name)} stands here twice`,
              "write both into one",
              {
                related: [{ path: [...other.at, "name"], message: "first here" }],
              },
            ),
          ]),
      ...actionProblems(group),
      ...group.inbound.flatMap(openProblems),
    ];
  });
}

function actionProblems({ name, action, inbound, allowAllOwnTraffic, at }: OwnSecurityGroup): Problem[] {
  if (action !== "find")
    return name.startsWith("sg-")
      ? [problem("invalid-value", [...at, "name"], `${name} is the id of a group that is there`, "action: find")]
      : [];
  if (inbound.length === 0 && !allowAllOwnTraffic) return [];
  return [
    problem(
      "invalid-value",
      [...at, "action"],
      `${quoted(name)} is found as it is: its rules are its owner's`,
      "action: find_or_create, or leave out what it allows",
    ),
  ];
}

/** What nodes tell one another is no one else's: not to the world, and not to a network either. */
function openProblems({ protocol, from, to, at }: Inbound): Problem[] {
  const open = Object.entries(nodePorts).filter(([key]) => {
    const [port, its] = key.split("/");
    if (protocol === "all") return true;
    return protocol === its && from !== undefined && to !== undefined && Number(port) >= from && Number(port) <= to;
  });
  const [found] = open;
  if (found === undefined) return [];
  const [port, who] = found;
  return [
    problem(
      "conflicting-path",
      at,
      `this opens ${port}, which belongs to ${who}${open.length > 1 ? `, and ${open.length - 1} more of the cluster's own ports` : ""}`,
      "name the ports that services need, without the cluster's own; nodes reach each other anyhow",
    ),
  ];
}
