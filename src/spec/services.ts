import * as z from "zod";
import { quoted } from "../problems/visible.ts";
import { choice, complain, hiddenIn, integer, kindOf, listOf, mapOf, section, text, type Complaint } from "./fields.ts";
import { serviceMount } from "./mounts.ts";
import { constraintKey, dnsLabel, dockerName, labelKey, variableName } from "./names.ts";
import { Plain } from "./plain.ts";
import { servicePort } from "./ports.ts";
import { absolutePath, duration, mode, oneSource, sourceKeys } from "./values.ts";

const word = text({ description: "One word of the command.", lines: true, empty: true });
const words = listOf("A command, word by word; no shell is involved.", word).superRefine((list, context) => {
  if (list.length > 0) return;
  complain(context, {
    code: "invalid-value",
    message: "the command is empty",
    fix: '["program", "argument"]',
  });
});

/** A command as a list, or as text that is split at its spaces: nothing in it may need a shell. */
function command(description: string) {
  return z
    .preprocess((input, context) => {
      const written = input instanceof Plain && input.value !== null ? input.source : input;
      if (typeof written !== "string") return input;
      if (!/["'\\`$&|;<>*?#~(){}[\]\n]/.test(written)) return written.split(/\s+/).filter((part) => part !== "");
      complain(context, {
        code: "invalid-value",
        message: "a command as text is only split at its spaces; no shell reads it",
        fix: 'write a list: ["sh", "-c", "…"]',
      });
      return input;
    }, words)
    .meta({ description, short: { type: "string" } });
}

const variables = mapOf(
  "Environment variables, as a map or as a list of NAME=value.",
  text({ description: "The variable's value, as text.", lines: true, empty: true }),
  variableName,
);
const environment = z
  .preprocess((input, context) => {
    if (!Array.isArray(input)) return input;
    const map = new Map<string, unknown>();
    for (const [index, item] of input.entries()) {
      const read = readVariable(item);
      if ("code" in read) complain(context, { ...read, path: [index] });
      else if (map.has(read.name))
        complain(context, {
          code: "duplicate-name",
          message: `the variable ${quoted(read.name)} is set twice`,
          fix: "keep one of the two",
          path: [index],
        });
      else map.set(read.name, read.value);
    }
    return Object.fromEntries(map);
  }, variables)
  .meta({
    description: "Environment variables, as a map or as a list of NAME=value.",
    short: { type: "array", items: { type: "string" } },
  });

function readVariable(item: unknown): Complaint | { readonly name: string; readonly value: string } {
  if (typeof item !== "string")
    return {
      code: "wrong-type",
      message: `expected NAME=value, found ${kindOf(item)}`,
      fix: '"NAME=value"',
    };
  const split = item.indexOf("=");
  if (split < 0)
    return {
      code: "invalid-value",
      message: `${quoted(item)} sets no value`,
      fix: quoted(`${item}=`),
    };
  const name = item.slice(0, split);
  const value = item.slice(split + 1);
  return hiddenIn(value, true) ?? hiddenIn(name, false) ?? variableName(name) ?? { name, value };
}

const health = section("How to tell that a container is healthy.", {
  command: command("The command that is run in the container; it must end with 0."),
  interval: duration("Time between two runs; 10s when left out.", 1).optional(),
  timeout: duration("How long one run may take; 5s when left out.", 1).optional(),
  start_period: duration(
    "How long a container may take to start before a failure counts; 0s when left out.",
    0,
  ).optional(),
  retries: integer("How many failures in a row make it unhealthy; 3 when left out.", 1, 1_000).optional(),
});

const update = section("How a new version takes the place of the old one.", {
  parallelism: integer("How many containers at once, 0 for all; 1 when left out.", 0, 10_000).optional(),
  delay: duration("Time between two batches; 0s when left out.", 0).optional(),
  monitor: duration("How long a new container is watched for failure; 5s when left out.", 1).optional(),
  order: choice("Stop the old one first, or start the new one first; stop-first when left out.", [
    "stop-first",
    "start-first",
  ]).optional(),
  on_failure: choice("What follows a failure; pause when left out.", ["pause", "continue", "rollback"]).optional(),
});

const secret = section("A secret that the service's containers can read as a file.", {
  ...sourceKeys,
  target: text({
    description: "The file's path in the container; /run/secrets/<name> when left out.",
    check: absolutePath,
  }).optional(),
  mode: mode('Permission bits as octal text in quotes; "0444" when left out.').optional(),
}).superRefine(oneSource);

const service = section("One program, run in containers.", {
  image: text({ description: "The container image, such as nginx:1.29.", check: imageComplaint }),
  replicas: integer("How many containers; 1 when left out.", 0, 10_000).optional(),
  mode: choice("global runs one container on every node, in place of replicas.", ["replicated", "global"]).optional(),
  command: command("The command in place of the image's own: a list, or text without quotes.").optional(),
  ports: listOf("Ports that are published.", servicePort).optional(),
  environment: environment.optional(),
  labels: mapOf(
    "Labels of the service.",
    text({ description: "The label's value.", empty: true }),
    labelKey,
  ).optional(),
  mounts: listOf("Volumes and paths that the containers see.", serviceMount).optional(),
  health: health.optional(),
  update: update.optional(),
  constraints: mapOf(
    "Labels that a node must have to run it.",
    text({ description: "The value that the node's label must have.", check: constraintValue }),
    constraintKey,
  ).optional(),
  secrets: mapOf("Secrets, by name.", secret, dockerName("secret")).optional(),
}).superRefine((value, context) => {
  if (value.mode === "global" && value.replicas !== undefined)
    complain(context, {
      code: "invalid-value",
      message: "a global service has no replicas: it runs once on every node",
      fix: "leave out replicas, or mode",
      path: ["replicas"],
      at: "key",
    });
});

function constraintValue(value: string): Complaint | undefined {
  return /^[A-Za-z0-9:_./ -]+$/.test(value)
    ? undefined
    : {
        code: "invalid-value",
        message: `Swarm cannot compare with ${quoted(value)}`,
        fix: "use letters, digits, spaces and : _ . / -",
      };
}

function imageComplaint(image: string): Complaint | undefined {
  const host = "(?:(?:[A-Za-z0-9][A-Za-z0-9.-]*|\\[[0-9a-fA-F:]+\\])(?::[0-9]{1,5})?/)?";
  const part = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
  const reference = new RegExp(
    `^${host}${part}(?:/${part})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$`,
  );
  if (image.length <= 255 && reference.test(image)) return undefined;
  const lower = image.toLowerCase();
  return {
    code: "invalid-value",
    message: `${quoted(image)} is not an image's name`,
    fix: image.length <= 255 && reference.test(lower) ? lower : "such as nginx:1.29 or registry.example.com/team/web:2",
  };
}

/** `services:` — what runs. */
export const services = mapOf("The programs that run on the nodes.", service, dnsLabel("service", 63));

export type ServiceSpec = z.output<typeof service>;
export type SecretSpec = z.output<typeof secret>;
