import { isoTime } from "../host/time.ts";
import { isRunning } from "./etcd-view.ts";
import type { Examined, Finding } from "./finding.ts";
import type { Recorded } from "./look.ts";
import { etcdFindings, swarmFindings } from "./quorum-findings.ts";
import type { NodeStatus, Status } from "./status-shape.ts";

/** Certificates renew themselves at two thirds of 90 days: one that has less than this left was not renewed. Milliseconds. */
const certificateWarning = 30 * 86_400_000 - 3_600_000;
/** Share of a disk that may be used. */
const fullDisk = 0.85;
/** Everything that is not as it should be in a cluster, and one good word when nothing is. Pure. */
export function examineCluster(examined: Examined): readonly Finding[] {
  const { seen, status } = examined;
  const nodes = status.nodes.flatMap((node) => nodeFindings(node));
  if (seen.recorded.kind === "unreadable") {
    const fix = "start its gateway with slipway launch; the containers run on without it";
    return [
      {
        subject: "store",
        state: "bad",
        message: `the cluster's store cannot be read: ${seen.recorded.why}`,
        fix,
      },
      ...nodes,
    ];
  }
  const recorded = seen.recorded.value;
  const findings = [
    ...nodes,
    ...status.nodes.flatMap((node) => recordFindings(node, recorded, seen.now)),
    ...etcdFindings(examined, recorded),
    ...swarmFindings(examined, recorded),
    ...serviceFindings(status, recorded),
    ...(status.refused ?? []).map(({ instance, reason }): Finding => ({
      subject: instance,
      state: "warning",
      message: `it asked to join and was refused: ${reason}`,
      fix: "slipway store token create GROUP, and the token into its /etc/slipway/token",
    })),
    ...lockFindings(examined),
    ...generationFindings(examined),
  ];
  if (findings.some((finding) => finding.state !== "good")) return findings;
  const healthy = `${status.nodes.length} nodes, ${status.etcd.members.length} etcd members, ${status.services.length} services: all well`;
  return [{ subject: status.cluster, state: "good", message: healthy }, ...findings];
}

/** What the target shows, or what a node says of itself as a whole. */
function nodeFindings(node: NodeStatus): readonly Finding[] {
  const finding = (state: Finding["state"], message: string, fix: string): readonly Finding[] => [
    { subject: node.name, state, message, fix },
  ];
  const why = node.reason === undefined ? "" : `: ${node.reason}`;
  switch (node.state) {
    case "ready":
      return [];
    case "starting":
      return finding("warning", `it is starting, phase ${node.phase}${why}`, `slipway logs ${node.name}`);
    case "stopped":
      return finding("warning", `it is stopped${why}`, `slipway start ${node.name}`);
    case "absent":
      return finding("bad", `it is not there${why}`, "slipway launch");
    case "unknown":
      return finding(
        "bad",
        node.reason ?? "nothing is known of it",
        `slipway logs ${node.name}; then slipway restart ${node.name}`,
      );
    case "degraded":
    case "failed":
      return finding(
        node.state === "failed" ? "bad" : "warning",
        `it is ${node.state}, phase ${node.phase}${why}`,
        `slipway logs ${node.name}`,
      );
  }
}

/** What a node's own record shows: units, drift, disks, certificates. */
function recordFindings(node: NodeStatus, recorded: Recorded, now: number): readonly Finding[] {
  const record = recorded.nodes.find((candidate) => candidate.instance === node.instance);
  if (record === undefined || !isRunning(node.state)) return [];
  const subject = node.name;
  const units = record.units
    .filter((unit) => unit.active === "failed")
    .map((unit): Finding => ({
      subject,
      state: unit.ours ? "bad" : "warning",
      message: `unit ${unit.name} has failed (${unit.result})`,
      fix: `slipway logs ${subject} --unit ${unit.name}`,
      failed: { node: node.name, unit: unit.name },
    }));
  const drift: readonly Finding[] =
    record.drift.length === 0
      ? []
      : [
          {
            subject,
            state: "warning",
            message: `changed behind Slipway's back: ${record.drift.join(", ")}`,
            fix: "slipway launch puts it back",
          },
        ];
  const disks = record.disk
    .filter((disk) => disk.size > 0 && 1 - disk.free / disk.size > fullDisk)
    .map((disk): Finding => {
      const used = Math.round((1 - disk.free / disk.size) * 100);
      return {
        subject,
        state: "warning",
        message: `${disk.mount} is ${used} % full`,
        fix: `slipway exec ${subject} -- docker system prune`,
      };
    });
  const certificates = Object.entries(record.certificates)
    .filter(([, notAfter]) => notAfter - now < certificateWarning)
    .map(([purpose, notAfter]): Finding => {
      const ended = notAfter <= now;
      return {
        subject,
        state: ended ? "bad" : "warning",
        message: `its certificate for ${purpose} ${ended ? "has ended" : "ends"} at ${isoTime(notAfter)} and was not renewed`,
        fix: `slipway logs ${subject} --unit slipway-agent`,
      };
    });
  return [...units, ...drift, ...disks, ...certificates];
}

function serviceFindings(status: Status, recorded: Recorded): readonly Finding[] {
  return status.services.flatMap((service): readonly Finding[] => {
    const record = recorded.services.find((candidate) => candidate.name === service.name);
    const subject = `service ${service.name}`;
    const fix = `slipway logs ${status.cluster} --service ${service.name}`;
    // An update that was rolled back, or that stopped half-way, has failed though enough tasks run.
    const failed = record?.state === "failed";
    const short: readonly Finding[] =
      service.running >= service.desired && !failed
        ? []
        : [
            {
              subject,
              state: failed ? "bad" : "warning",
              message: `${service.running} of ${service.desired} tasks run${record?.reason === undefined ? "" : `: ${record.reason}`}`,
              fix,
            },
          ];
    const drift: readonly Finding[] =
      record === undefined || record.drift.length === 0 || failed
        ? []
        : [
            {
              subject,
              state: "warning",
              message: `changed by someone else: ${record.drift.join(", ")}`,
              fix: "slipway launch puts it back",
            },
          ];
    return [...short, ...drift];
  });
}

function lockFindings({ lock, seen }: Examined): readonly Finding[] {
  const holder = lock?.holder;
  if (holder === undefined || holder === null) return [];
  const who = `${holder.user} on ${holder.host} (process ${holder.process})`;
  const since = isoTime(holder.since);
  return holder.expires < seen.now
    ? [
        {
          subject: "lock",
          state: "warning",
          message: `${who} left it behind: ${holder.doing}, since ${since}`,
          fix: "the next operation takes it over",
        },
      ]
    : [
        {
          subject: "lock",
          state: "good",
          message: `${who} holds it since ${since}: ${holder.doing}`,
        },
      ];
}

function generationFindings({ generation, status }: Examined): readonly Finding[] {
  if (generation?.state !== "closed") return [];
  return [
    {
      subject: status.cluster,
      state: "bad",
      message: `its creation (generation ${generation.generation}) was rolled back, and this is what is left of it`,
      fix: `slipway cleanup ${status.cluster}`,
    },
  ];
}
