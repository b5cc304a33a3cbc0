import type * as z from "zod";
import { groupAws } from "./aws-groups.ts";
import { choice, integer, mapOf, section, text } from "./fields.ts";
import { machineKeys } from "./machine.ts";
import { dnsLabel, labelKey } from "./names.ts";
import { volumes } from "./volumes.ts";

const group = section("Nodes that are alike.", {
  role: choice("control runs etcd and the managers, worker the services; worker when left out.", [
    "control",
    "worker",
  ]).optional(),
  count: integer("How many nodes; a control group has 1, 3 or 5. 1 when left out.", 0, 5_000).optional(),
  labels: mapOf(
    "Labels of the nodes, which services can ask for.",
    text({ description: "The label's value.", empty: true }),
    labelKey,
  ).optional(),
  ...machineKeys,
  volumes: volumes.optional(),
  aws: groupAws.optional(),
});

/** `groups:` — the nodes. */
export const groups = mapOf(
  "The nodes, in groups of the same kind; one group has the role control.",
  group,
  dnsLabel("group", 40),
);

export type GroupSpec = z.output<typeof group>;
