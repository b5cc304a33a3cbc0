import { type Module, resolved } from "./sources.ts";

/**
 * Which room may import which: DESIGN's table as data. A module is in the first room whose path fits.
 * Every room may import itself and the ground.
 */
type Room = { readonly path: RegExp; readonly may: readonly RoomName[]; readonly libraries: readonly string[] };
type RoomName = keyof typeof rooms;

const ground = "ground";

export const rooms = {
  /** Certificates, the store's protocol, events, problems, and ports to the outside: they know nothing of clusters. */
  ground: {
    path: /^src\/(?:store|pki|events|problems|host)\//,
    may: [],
    libraries: [
      "@peculiar/x509",
      "reflect-metadata",
      "age-encryption",
      "write-file-atomic",
      "aws4fetch",
      "@rgrove/parse-xml",
    ],
  },
  spec: { path: /^src\/spec\//, may: [], libraries: ["yaml", "zod", "ipaddr.js"] },
  machine: { path: /^src\/machine\//, may: [], libraries: ["yaml"] },
  cluster: { path: /^src\/cluster\//, may: ["spec"], libraries: ["ipaddr.js"] },
  /** Files of older systems, as a cluster.yml. */
  convert: { path: /^src\/convert\//, may: ["cluster", "spec"], libraries: ["yaml"] },
  plan: { path: /^src\/plan\//, may: ["cluster"], libraries: [] },
  records: { path: /^src\/records\//, may: ["machine"], libraries: ["zod/mini"] },
  /** Fixed paths and names that an operator's side and nodes both use. */
  paths: { path: /^src\/components\/\w+\/(?:paths|image|release)\.ts$/, may: [], libraries: [] },
  /** The operator's half of components. */
  describe: {
    path: /^src\/components\/(?:component\.ts|registry\.ts|\w+\/(?:describe|install|script|blank|table)\.ts)$/,
    may: ["cluster", "machine", "paths"],
    libraries: [],
  },
  /** What both sides may ask before a member goes: a pure function and the words it speaks in. */
  quorum: {
    path: /^src\/components\/(?:quorum|reconciler|roster)\.ts$/,
    may: ["records"],
    libraries: [],
  },
  /** The node's half of components. */
  member: { path: /^src\/components\//, may: ["quorum", "records", "machine", "paths"], libraries: [] },
  target: { path: /^src\/targets\/target\.ts$/, may: ["plan", "records", "cluster", "machine"], libraries: [] },
  /** The way to nodes of targets that have none of their own. */
  ssh: { path: /^src\/targets\/ssh\.ts$/, may: ["target", "machine"], libraries: [] },
  docker: {
    path: /^src\/targets\/docker\//,
    may: ["target", "plan", "records", "describe", "paths", "cluster", "machine", "spec"],
    libraries: ["cidr-tools", "ipaddr.js", "tar-stream"],
  },
  files: {
    path: /^src\/targets\/files\//,
    may: ["target", "ssh", "plan", "records", "cluster", "machine"],
    libraries: [],
  },
  aws: {
    path: /^src\/targets\/aws\//,
    may: ["target", "ssh", "plan", "records", "describe", "paths", "cluster", "machine", "spec"],
    libraries: [
      "ipaddr.js",
      "zod/mini",
      // One file knows each: src/targets/aws/clients/.
      "@aws-sdk/client-auto-scaling",
      "@aws-sdk/client-cloudformation",
      "@aws-sdk/client-cloudwatch-logs",
      "@aws-sdk/client-ec2",
      "@aws-sdk/client-iam",
      "@aws-sdk/client-pricing",
      "@aws-sdk/client-resource-groups-tagging-api",
      "@aws-sdk/client-service-quotas",
      "@aws-sdk/client-sts",
    ],
  },
  registry: {
    path: /^src\/targets\/registry\.ts$/,
    may: ["target", "aws", "docker", "files", "cluster"],
    libraries: [],
  },
  /** What targets' halves that only write have to offer, each loaded when it is asked for. */
  templates: { path: /^src\/targets\/templates\.ts$/, may: ["aws", "cluster"], libraries: [] },
  operations: {
    path: /^src\/operations\//,
    may: ["target", "plan", "records", "describe", "quorum", "member", "machine", "cluster", "spec"],
    libraries: ["p-limit"],
  },
  cli: {
    path: /^src\/cli\//,
    may: ["operations", "plan", "convert", "cluster", "spec", "target", "registry", "gateway", "templates"],
    libraries: ["@stricli/core", "@clack/prompts", "@bomb.sh/tab", "log-update"],
  },
  agent: {
    path: /^src\/agent\//,
    may: ["member", "quorum", "paths", "machine", "records"],
    libraries: ["zod/mini", "p-limit"],
  },
  gateway: { path: /^src\/gateway\//, may: ["member", "quorum", "records"], libraries: [] },
} as const satisfies Record<string, { path: RegExp; may: readonly string[]; libraries: readonly string[] }>;

/** Where files, processes and the clock of the machine itself may be reached from. */
const outside = /^(?:node:)?(?:fs|fs\/promises|child_process)$/;
const outsideAllowed = [
  /^src\/host\//,
  // The disk's end of the store, and what has to be a file on the operator's machine for Docker.
  /^src\/store\/(?:files|listen)\.ts$/,
  /^src\/targets\/docker\//,
  // The programs' own beginnings.
  /^src\/(?:agent|gateway)\/main\.ts$/,
  // Programs are handed out from where they lie.
  /^src\/gateway\/programs\.ts$/,
  /^src\/cli\/start\.ts$/,
];

export function roomOf(path: string): RoomName | undefined {
  for (const [name, room] of Object.entries(rooms)) {
    // The table's own key.
    if (room.path.test(path)) return name as RoomName;
  }
  return undefined;
}

/** The import rules that modules break, one line each. */
export function broken(modules: readonly Module[]): readonly string[] {
  return modules.flatMap(({ path, imports }) => {
    const name = roomOf(path);
    if (name === undefined) return [`${path} is in no room`];
    const room: Room = rooms[name];
    return imports.flatMap(({ source }) => {
      const to = resolved(path, source);
      if (to !== undefined) {
        const other = roomOf(to);
        if (other === undefined) return [`${path} imports ${to}, which is in no room`];
        return other === name || other === ground || room.may.includes(other)
          ? []
          : [`${path} (${name}) imports ${to} (${other})`];
      }
      if (outside.test(source))
        return outsideAllowed.some((place) => place.test(path)) ? [] : [`${path} imports ${source}`];
      return source.startsWith("node:") || room.libraries.includes(source)
        ? []
        : [`${path} (${name}) imports ${source}`];
    });
  });
}

/** The first ring of modules that import one another, for each module that starts one; types count too. */
export function rings(modules: readonly Module[]): readonly string[] {
  const edges = new Map(
    modules.map(({ path, imports }) => [path, imports.flatMap(({ source }) => resolved(path, source) ?? [])] as const),
  );
  const done = new Set<string>();
  const found: string[] = [];
  const walk = (path: string, way: readonly string[]): void => {
    const at = way.indexOf(path);
    if (at !== -1) {
      found.push([...way.slice(at), path].join(" -> "));
      return;
    }
    if (done.has(path)) return;
    for (const next of edges.get(path) ?? []) walk(next, [...way, path]);
    done.add(path);
  };
  for (const { path } of modules) walk(path, []);
  return found;
}
