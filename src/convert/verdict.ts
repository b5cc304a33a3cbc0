import type { OldUnit } from "./cloud-config.ts";
import { deadHost, isBrought, isThere } from "./known-units.ts";
import { commandsOf, settingsOf, valuesOf, wordsOf, type Setting } from "./unit.ts";

/** What a unit may find on its node beside what every node has. */
export type Surroundings = {
  /** Names of the group's units whose texts are kept. */
  readonly units: ReadonlySet<string>;
  /** Paths of the group's files. */
  readonly files: ReadonlySet<string>;
};

/** Why a unit would not start on a node; none means that it does, as far as its text can say. */
export function doubts(unit: OldUnit, around: Surroundings): readonly string[] {
  const texts = [unit.content ?? "", ...unit.dropIns.map(({ content }) => content)];
  const settings = texts.flatMap(settingsOf);
  const whole = texts.join("\n");
  return [
    ...textDoubts(whole),
    ...unitDoubts(unit, settings, around),
    ...fileDoubts(settings, around),
    ...programDoubts(settings, around),
  ];
}

/** What no node has, by the words for it. */
const words: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/\$(?:private|public)_ipv[46]/, "it has $private_ipv4 or the like in it, which nobody fills in"],
  [/COREOS_(?:PRIVATE|PUBLIC)_IPV[46]|COREOS_EC2_/, "it reads addresses that only CoreOS wrote to /etc/environment"],
  [/coreos-metadata|\/run\/metadata\//, "it waits for coreos-metadata, which only CoreOS has"],
  [/\betcdctl\b/, "it calls etcdctl, whose old commands are gone; etcd 3 has put and get, and asks for a certificate"],
  [/\/v2\/(?:keys|members)\b|:4001\b/, "it uses the old API of etcd, which is gone"],
  [/\bfleetctl\b|fleet\.sock/, "it speaks to fleet, which is gone"],
  [/\/dev\/(?:xvd|sd|nvme)\w*|\bdev-(?:xvd|sd|nvme)\w*\.device/, "it needs a disk by its name; see volumes:"],
  [/169\.254\.169\.254/, "it asks AWS's metadata, which only machines on AWS have"],
  [/\brkt\b|\btoolbox\b/, "rkt is gone"],
];

function textDoubts(text: string): string[] {
  const dead = deadHost(text);
  return [
    ...(dead === undefined ? [] : [dead]),
    ...words.flatMap(([pattern, why]) => (pattern.test(text) ? [why] : [])),
  ];
}

/** File systems that every node can mount. */
const mounts = new Set(["tmpfs", "none", "bind"]);

function unitDoubts(unit: OldUnit, settings: readonly Setting[], { units }: Surroundings): string[] {
  const needs = valuesOf(settings, "Requires", "Requisite", "BindsTo").flatMap((value) => value.split(/\s+/));
  const started = /\.(?:timer|path|socket)$/.test(unit.name)
    ? [valuesOf(settings, "Unit", "Service")[0] ?? unit.name.replace(/\.\w+$/, ".service")]
    : [];
  const missing = [...new Set([...needs, ...started])].filter(
    (name) => name !== "" && !isThere(name) && !units.has(name),
  );
  return [
    ...missing.map((name) => `it needs ${name}, which is not there`),
    ...(/@\.\w+$/.test(unit.name) ? ["a template is not started itself"] : []),
    ...(unit.name.endsWith(".swap") ? ["swap is a volume here, with format: swap"] : []),
    ...(unit.name.endsWith(".mount") && !mounts.has(valuesOf(settings, "Type")[0] ?? "")
      ? ["it mounts what only its old machines could reach"]
      : []),
  ];
}

function fileDoubts(settings: readonly Setting[], { files }: Surroundings): string[] {
  const asked = valuesOf(settings, "EnvironmentFile").filter((path) => !path.startsWith("-"));
  return [...new Set(asked)]
    .filter((path) => !files.has(path))
    .map((path) => `it reads ${path}, which is not among the files`);
}

function programDoubts(settings: readonly Setting[], { files }: Surroundings): string[] {
  const programs = commandsOf(settings).map((line) => wordsOf(line)?.[0] ?? "");
  return [...new Set(programs)]
    .filter((program) => !isBrought(program) && !files.has(program))
    .map((program) => `it runs ${program || "a command that cannot be read"}, which a node may not have`);
}
