import type * as z from "zod";
import { aws } from "./aws.ts";
import { choice, section, text, type Complaint } from "./fields.ts";
import { docker } from "./docker.ts";
import { etcd } from "./etcd.ts";
import { files } from "./files.ts";
import { groups } from "./groups.ts";
import { dnsLabel } from "./names.ts";
import { registries } from "./registries.ts";
import { services } from "./services.ts";
import { updates } from "./updates.ts";

/** The longest name of a cluster: with a group and a number it must still be a host name. */
const longestClusterName = 40;

/** Judges a cluster's name, in the file or on the command line. */
export const clusterName = dnsLabel("cluster", longestClusterName);

/** The whole file. */
export const clusterFile = section("A Slipway cluster.", {
  name: text({
    description: "The cluster's name: lower-case letters, digits and -.",
    check: clusterName,
  }),
  orchestrator: choice(
    "What runs the services: swarm, or none; swarm when left out.",
    ["swarm", "none"],
    notYet,
  ).optional(),
  target: choice("Where the nodes are; docker when left out. --on overrides it.", [
    "docker",
    "files",
    "aws",
  ]).optional(),
  os: choice("What the machines run where the target leaves that open; nodes on Docker are Debian.", [
    "debian",
    "ubuntu",
    "flatcar",
    "fedora-coreos",
  ]).optional(),
  updates: updates.optional(),
  groups,
  services: services.optional(),
  registries: registries.optional(),
  etcd: etcd.optional(),
  docker: docker.optional(),
  aws: aws.optional(),
  files: files.optional(),
});

export type ClusterSpec = z.output<typeof clusterFile>;

function notYet(word: string): Complaint | undefined {
  if (word !== "kubernetes") return undefined;
  return {
    code: "unsupported",
    message: "the orchestrator kubernetes is not there yet",
    fix: "swarm or none",
  };
}
