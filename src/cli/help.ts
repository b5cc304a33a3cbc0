import { verbs } from "./verbs.ts";

export const description = "One file in, a running container cluster out.";

/** What `slipway --help` prints. */
export function helpText(): string {
  const shown = Object.entries(verbs).filter(([, verb]) => verb.hidden !== true);
  const widest = Math.max(...shown.map(([name]) => name.length));
  return [
    description,
    "",
    "USAGE",
    "  slipway VERB [FILE|NAME] [flags]",
    "  slipway VERB --help",
    "  slipway --version",
    "",
    "VERBS",
    ...shown.map(([name, { brief }]) => `  ${name.padEnd(widest)}  ${brief}`),
    "",
    "EXAMPLES",
    "  slipway init && slipway launch               # a first cluster",
    "  slipway status                               # how it is",
    "  slipway exec demo-control-1 -- etcdctl member list",
    "  slipway cleanup demo                         # and nothing is left",
    "",
    "Without FILE it is ./cluster.yml. Without NAME it is that file's cluster, else the only one.",
    "",
  ].join("\n");
}
