import type * as z from "zod";
import { boolean, choice, complain, integer, listOf, mapOf, section, text } from "./fields.ts";
import { accountName, dnsLabel, dropInName, labelKey, unitName } from "./names.ts";
import { absolutePath, mode } from "./values.ts";

const content = (description: string) => text({ description, lines: true, empty: true, schema: { type: "string" } });

const file = section("A file on every node of the group.", {
  path: text({ description: "Where it lies: an absolute path.", check: absolutePath }),
  content: content("What is in it."),
  mode: mode('Permission bits as octal text in quotes; "0644" when left out.').optional(),
  user: text({ description: "Who owns it; root when left out.", check: accountName }).optional(),
  group: text({
    description: "Which group owns it; root when left out.",
    check: accountName,
  }).optional(),
});

const dropIn = section("A few lines that change a unit.", {
  name: text({ description: "The drop-in's name, such as 10-memory.conf.", check: dropInName }),
  content: content("The drop-in's text."),
});

const unit = section("A systemd unit on every node of the group.", {
  name: text({ description: "The unit's name, such as backup.timer.", check: unitName }),
  content: content("The unit's text; left out for a unit that is there already.").optional(),
  enabled: boolean("Whether it starts at boot; true when left out.").optional(),
  masked: boolean("Whether it cannot be started at all; false when left out.").optional(),
  drop_ins: listOf("Drop-ins of this unit.", dropIn).optional(),
}).superRefine((value, context) => {
  if (value.masked !== true || value.content === undefined) return;
  complain(context, {
    code: "invalid-value",
    message: "a masked unit has no content",
    fix: "leave out content, or masked",
    path: ["content"],
    at: "key",
  });
});

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
  files: listOf("Files of your own on every node.", file).optional(),
  units: listOf("systemd units of your own on every node.", unit).optional(),
});

/** `groups:` — the nodes. */
export const groups = mapOf(
  "The nodes, in groups of the same kind; one group has the role control.",
  group,
  dnsLabel("group", 40),
);

export type GroupSpec = z.output<typeof group>;
export type FileSpec = z.output<typeof file>;
export type UnitSpec = z.output<typeof unit>;
