import type { Emit } from "../../events/event.ts";
import { type Clock, systemClock } from "../../host/clock.ts";
import { type Processes, type Streams, systemProcesses } from "../../host/processes.ts";
import { type Architecture, etcdPrograms, isCurrentEtcd } from "../../components/etcd/release.ts";
import type { Engine } from "./engine.ts";
import { ensureBase } from "./image/base.ts";
import { buildImage } from "./image/build.ts";
import { type Disk, recipeDirectory, systemDisk } from "./image/disk.ts";
import { engineArchitecture, imageLabels, type Labels } from "./image/engine.ts";
import { type EtcdSource, obtainEtcd } from "./image/etcd.ts";
import { unsilent } from "./image/progress.ts";
import { type Recipe, nodeImageTag, readRecipe, recipeText } from "./image/recipe.ts";
import { ImageError, type Workshop, stoppable, why } from "./image/workshop.ts";

export type NodeImageOptions = {
  readonly engine: Engine;
  readonly processes: Processes;
  /** For what runs long; this machine's when not given. */
  readonly streams?: Streams;
  readonly emit: Emit;
  readonly disk?: Disk;
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
  /** The directory `image/` of the package; found from this file's place when not given. */
  readonly recipe?: string;
  /** The engine's architecture; asked when not given. */
  readonly architecture?: Architecture;
  /** A Node.js for Linux that is put into an image that is built now, where it is one for the engine's architecture. */
  readonly nodejs?: { readonly path: string; readonly architecture: Architecture };
  /** SLIPWAY_NODE_IMAGE: an image to use as it is, instead of building one. */
  readonly image?: string;
};

/** Hexadecimal; undefined: the image has no Node.js. */
export type ImageNodejs = { readonly sha256: string | undefined };

export type NodeImage = {
  readonly image: string;
  /** Whether it was built just now. */
  readonly built: boolean;
  /** The etcd in it; undefined for an image that the user named and that does not say. */
  readonly etcd: string | undefined;
  readonly nodejs: ImageNodejs;
  readonly warnings: readonly string[];
};

const etcdLabel = "slipway.etcd";
/** SHA-256 of the image's own Node.js, hexadecimal; not there, or empty, where it has none. */
const nodejsLabel = "slipway.nodejs";
/** Where that lies. */
export const imageNodejs = "/usr/local/lib/nodejs/node";

function withStreams({ processes, streams = systemProcesses }: NodeImageOptions): Processes & Streams {
  return {
    run: (command, options) => processes.run(command, options),
    stream: (command, onLine, options) => streams.stream(command, onLine, options),
    pipe: (from, to, onLine, options) => streams.pipe(from, to, onLine, options),
  };
}

function oldEtcd(version: string, image: string, attempts: string): string {
  return `${image} has etcd ${version} from Debian, which is past its end of life${attempts}. Clusters work with it; to build the image anew with etcd 3.6, run: docker image rm ${image}`;
}

/**
 * Makes sure that the engine has the node image: by its tag, which is a function of the recipe, or built
 * now (one to four minutes). Says each stage by `image.building`; throws `ImageError`.
 */
export async function ensureNodeImage(options: NodeImageOptions): Promise<NodeImage> {
  const { engine, emit, signal } = options;
  if (options.image !== undefined && options.image !== "") return givenImage(options, options.image);
  const architecture = options.architecture ?? (await engineArchitecture(engine, signal));
  const disk = options.disk ?? systemDisk();
  const recipe = await readRecipe(disk, options.recipe ?? recipeDirectory(), architecture);
  const image = nodeImageTag(recipe);
  const warnings: string[] = [];
  const warn = (message: string): void => {
    warnings.push(message);
    emit("image.warning", { image, message });
  };
  const there = await imageLabels(engine, image, signal);
  if (there !== undefined) {
    const etcd = there[etcdLabel] ?? "unknown";
    if (!isCurrentEtcd(etcd)) warn(oldEtcd(etcd, image, ""));
    return { image, built: false, etcd, nodejs: nodejsOf(there), warnings };
  }
  const clock = options.clock ?? systemClock;
  const finished = new AbortController();
  const progress = unsilent((line) => emit("image.building", { image, line }), clock, finished.signal);
  let made: Pick<NodeImage, "etcd" | "nodejs">;
  try {
    made = await build(
      engine,
      { processes: withStreams(options), disk, clock, say: progress.say, warn },
      recipe,
      image,
      options.nodejs?.architecture === architecture ? options.nodejs.path : undefined,
      signal,
    );
  } finally {
    finished.abort();
    await progress.ended;
  }
  emit("image.ready", { image, built: true });
  return { image, built: true, ...made, warnings };
}

/** Debian and etcd side by side, then the node image of both, and Node.js. */
async function build(
  engine: Engine,
  tools: Omit<Workshop, "signal">,
  recipe: Recipe,
  image: string,
  nodejs: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Pick<NodeImage, "etcd" | "nodejs">> {
  const failed = new AbortController();
  const workshop: Workshop = {
    ...tools,
    signal: signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]),
  };
  workshop.say(
    `not there yet: building it, Debian ${recipe.debian.suite} and etcd ${recipe.etcd.version} side by side`,
  );
  const parts = [ensureBase(engine, workshop, recipe), obtainEtcd(workshop, recipe)] as const;
  let base: string;
  let source: EtcdSource;
  try {
    [base, source] = await Promise.all(parts);
  } catch (error) {
    // The other half must not go on behind an error.
    failed.abort();
    await Promise.allSettled(parts);
    throw error;
  }
  const programs = source.kind === "programs" ? source.directory : undefined;
  const text = (path: string, mode: number) => ({ path, mode, content: recipeText(recipe, path) });
  // An empty directory cannot be copied; the build removes this file.
  const empty = (folder: string) => ({ path: `${folder}/.empty`, mode: 0o644, content: "" });
  const nodejsSum = nodejs === undefined ? undefined : await workshop.disk.sha256(nodejs);
  workshop.say("node: etcd and settings on top");
  await buildImage(workshop, {
    tag: image,
    subject: "node",
    dockerfile: recipeText(recipe, "Dockerfile"),
    arguments: {
      BASE: base,
      ...(source.kind === "packages" ? { ETCD_PACKAGES: source.packages.join(" ") } : {}),
    },
    labels: {
      "slipway.image": "node",
      [etcdLabel]: source.version,
      ...(nodejsSum === undefined ? {} : { [nodejsLabel]: nodejsSum }),
    },
    files: [
      text("container-init", 0o755),
      text("journald.conf", 0o644),
      text("masked-units.txt", 0o644),
      empty("etcd-bin"),
      empty("nodejs"),
      ...(nodejs === undefined ? [] : [{ path: "nodejs/node", mode: 0o755, from: nodejs }]),
      ...(programs === undefined
        ? []
        : etcdPrograms.map((program) => ({
            path: `etcd-bin/${program}`,
            mode: 0o755,
            from: `${programs}/${program}`,
          }))),
    ],
  });
  if (source.kind === "packages") {
    workshop.warn(
      oldEtcd(
        source.version,
        image,
        ` (${source.attempts.map((attempt) => `${attempt.what}: ${attempt.why}`).join("; ")})`,
      ),
    );
  }
  return { etcd: source.version, nodejs: { sha256: nodejsSum } };
}

async function givenImage(options: NodeImageOptions, image: string): Promise<NodeImage> {
  const { engine, emit, signal } = options;
  let labels = await imageLabels(engine, image, signal);
  if (labels === undefined) {
    emit("image.building", { image, line: `pulling ${image} (SLIPWAY_NODE_IMAGE)` });
    try {
      await withStreams(options).stream(["docker", "pull", image], () => undefined, {
        firstLineWithin: 30_000,
        timeout: 600_000,
        ...stoppable(signal),
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw new ImageError(
        `The node image ${image} (SLIPWAY_NODE_IMAGE) is not there:`,
        [{ what: `docker pull ${image}`, why: why(error) }],
        "Name an image that the engine has or can pull, or unset SLIPWAY_NODE_IMAGE to have one built.",
      );
    }
    labels = (await imageLabels(engine, image, signal)) ?? {};
    emit("image.ready", { image, built: false });
  }
  return { image, built: false, etcd: labels[etcdLabel], nodejs: nodejsOf(labels), warnings: [] };
}

/** The Node.js in an image; undefined when the engine has no such image. */
export async function nodejsIn(engine: Engine, image: string): Promise<ImageNodejs | undefined> {
  const labels = await imageLabels(engine, image, undefined);
  return labels === undefined ? undefined : nodejsOf(labels);
}

const nodejsOf = (labels: Labels): ImageNodejs => ({ sha256: labels[nodejsLabel] || undefined });

/** The tag of the image that this version of the program wants; nothing is built. */
export async function wantedImageTag(engine: Engine, disk: Disk = systemDisk()): Promise<string> {
  return nodeImageTag(await readRecipe(disk, recipeDirectory(), await engineArchitecture(engine, undefined)));
}
