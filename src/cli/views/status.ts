import type { Status } from "../../operations/status.ts";
import { duration } from "./duration.ts";
import { neutral } from "./neutral.ts";
import { counted } from "./sentence.ts";
import { table } from "./table.ts";
import type { Theme } from "./theme.ts";

/** A state in its colour. */
export function stateText(state: string, theme: Theme): string {
  if (state === "ready" || state === "good") return theme.paint("good", state);
  return state === "failed" || state === "degraded" || state === "bad"
    ? theme.paint("bad", state)
    : theme.paint("warning", state);
}

/** A cluster at one moment, for people; `now` in milliseconds since 1970. */
export function statusText(status: Status, theme: Theme, now: number): string {
  const head = `${theme.paint("strong", status.cluster)} on ${status.target}: ${stateText(status.state, theme)}`;
  if (status.state === "absent") return `${head}\n`;
  const parts = [
    head,
    nodesText(status, theme, now),
    servicesText(status, theme),
    etcdText(status, theme),
    refusedText(status),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

/** The same without the nodes, for the end of an operation that has shown them. */
export function summaryText(status: Status, theme: Theme): string {
  const head = `${theme.paint("strong", status.cluster)} on ${status.target}: ${stateText(status.state, theme)}, ${counted(status.nodes.length, "node")}`;
  return [head, etcdText(status, theme), servicesText(status, theme)].filter((part) => part !== "").join("\n");
}

function nodesText(status: Status, theme: Theme, now: number): string {
  if (status.nodes.length === 0) return "";
  const rows = status.nodes.map((node) => [
    node.name,
    node.role,
    stateText(node.state, theme),
    node.phase === node.state ? "" : neutral(node.phase),
    node.address,
    ageOf(node.since, now),
  ]);
  const lines = table(["NODE", "ROLE", "STATE", "PHASE", "ADDRESS", "SINCE"], rows, theme).split("\n");
  // The head is the first line; a node's reason stands under its own.
  return [lines[0], ...status.nodes.flatMap((node, index) => [lines[index + 1], ...reasonOf(node.reason, theme)])].join(
    "\n",
  );
}

function reasonOf(reason: string | undefined, theme: Theme): readonly string[] {
  return reason === undefined ? [] : [`  ${theme.paint("quiet", neutral(reason))}`];
}

function refusedText({ refused = [] }: Status): string {
  return refused.map(({ instance, reason }) => `refused: ${instance} (${neutral(reason)})`).join("\n");
}

function ageOf(since: string, now: number): string {
  const time = Date.parse(since);
  return Number.isNaN(time) ? "" : duration(now - time);
}

function servicesText({ services }: Status, theme: Theme): string {
  if (services.length === 0) return "";
  const rows = services.map(({ name, desired, running, addresses }) => {
    const count = `${running} of ${desired}`;
    return [name, running >= desired ? theme.paint("good", count) : theme.paint("warning", count), addresses.join(" ")];
  });
  return table(["SERVICE", "RUNNING", "ADDRESSES"], rows, theme);
}

function etcdText({ etcd }: Status, theme: Theme): string {
  if (etcd.members.length === 0) return "";
  const others = etcd.members.filter((member) => member.state !== "voter");
  const leader = etcd.leader === "" ? theme.paint("bad", "no leader") : `leader ${etcd.leader}`;
  const rest = others.map((member) => `, ${theme.paint("warning", `${member.name} ${member.state}`)}`).join("");
  return `etcd: ${counted(etcd.members.length, "member")}, ${leader}${rest}`;
}
