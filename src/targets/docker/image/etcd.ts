import { etcdPrograms } from "../../../components/etcd/release.ts";
import { HashError, download } from "./download.ts";
import { condense } from "./progress.ts";
import { type Recipe, digest, recipeText } from "./recipe.ts";
import { type Attempt, type Workshop, stoppable, why } from "./workshop.ts";

/** Where a node image's etcd comes from. */
export type EtcdSource =
  /** A directory with the three programs. */
  | {
      readonly kind: "programs";
      readonly directory: string;
      readonly version: string;
      readonly origin: "release" | "go";
    }
  /** Debian's, older: when neither GitHub nor a Go toolchain is there. */
  | {
      readonly kind: "packages";
      readonly packages: readonly string[];
      readonly version: string;
      readonly attempts: readonly Attempt[];
    };

/** The modules of the programs, in their order. */
const modules = ["go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/etcdctl/v3", "go.etcd.io/etcd/etcdutl/v3"] as const;
const moduleFiles = ["go.mod", "go.sum", "tools.go"] as const;
/** The etcd of Debian bookworm, which stays for the life of that release. */
const debianEtcd = "3.4.23";
const sums = "sha256.json";

/** JSON that a crash or a person may have cut short; undefined when it is none. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The programs in a cache entry, if the entry is whole: each has the hash that was written when it was made. */
async function cachedPrograms(workshop: Workshop, directory: string): Promise<boolean> {
  const text = await workshop.disk.read(`${directory}/${sums}`);
  if (text === undefined) return false;
  const written = parsed(new TextDecoder().decode(text));
  for (const program of etcdPrograms) {
    const found = await workshop.disk.sha256(`${directory}/${program}`);
    const expected: unknown =
      typeof written === "object" && written !== null ? Reflect.get(written, program) : undefined;
    if (found === undefined || found !== expected) return false;
  }
  return true;
}

/** Makes a cache entry by the given means: complete or not at all. */
async function cachePrograms(
  workshop: Workshop,
  directory: string,
  make: (into: string) => Promise<void>,
): Promise<void> {
  const place = await workshop.disk.workplace();
  try {
    await make(place.path);
    const hashes: Record<string, string> = {};
    for (const program of etcdPrograms) {
      const hash = await workshop.disk.sha256(`${place.path}/${program}`);
      if (hash === undefined) throw new Error(`the program ${program} was not made`);
      hashes[program] = hash;
    }
    await workshop.disk.write(`${place.path}/${sums}`, `${JSON.stringify(hashes)}\n`, 0o600);
    await workshop.disk.place(place.path, directory);
  } finally {
    await place.remove();
  }
}

async function fromRelease(workshop: Workshop, recipe: Recipe, into: string): Promise<void> {
  const { url, sha256 } = recipe.etcd.archives[recipe.architecture];
  workshop.say(`etcd: fetching ${url}`);
  const place = await workshop.disk.workplace();
  try {
    const file = `${place.path}/etcd.tar.gz`;
    await download(workshop, url, sha256, file);
    const top = `etcd-v${recipe.etcd.version}-linux-${recipe.architecture}`;
    await workshop.processes.run(
      ["tar", "-xzf", file, "-C", into, "--strip-components=1", ...etcdPrograms.map((program) => `${top}/${program}`)],
      { timeout: 60_000, ...stoppable(workshop.signal) },
    );
  } finally {
    await place.remove();
  }
}

/** The arguments that build the programs; go.sum decides which sources are taken. */
export function goBuild(into: string): readonly [string, ...string[]] {
  return [
    "go",
    "build",
    "-v",
    "-mod=readonly",
    "-buildvcs=false",
    "-trimpath",
    "-ldflags=-s -w",
    "-o",
    `${into}/`,
    ...modules,
  ];
}

async function fromSource(workshop: Workshop, recipe: Recipe, into: string): Promise<void> {
  const place = await workshop.disk.workplace();
  try {
    for (const file of moduleFiles)
      await workshop.disk.write(`${place.path}/${file}`, recipeText(recipe, `etcd/${file}`), 0o600);
    workshop.say(`etcd: building ${recipe.etcd.version} from the Go module proxy`);
    await workshop.processes.stream(goBuild(`${place.path}/bin`), condense("etcd", workshop), {
      directory: place.path,
      environment: {
        CGO_ENABLED: "0",
        GOOS: "linux",
        GOARCH: recipe.architecture,
        GOFLAGS: "",
        GOWORK: "off",
      },
      timeout: 600_000,
      ...stoppable(workshop.signal),
    });
    // `go build` names a program after its module's directory.
    for (const [program, built] of [
      ["etcd", "server"],
      ["etcdctl", "etcdctl"],
      ["etcdutl", "etcdutl"],
    ] as const) {
      await workshop.disk.copy(`${place.path}/bin/${built}`, `${into}/${program}`, 0o755);
    }
  } finally {
    await place.remove();
  }
}

/**
 * Finds etcd: the official release by its pinned hash, else built from sources pinned by go.sum, else
 * Debian's packages. What was fetched or built stays in the cache.
 */
export async function obtainEtcd(workshop: Workshop, recipe: Recipe): Promise<EtcdSource> {
  const { version, archives } = recipe.etcd;
  const release = workshop.disk.cached(
    "etcd",
    `${version}-${recipe.architecture}-release-${archives[recipe.architecture].sha256.slice(0, 12)}`,
  );
  const pinned = digest([
    ["build", goBuild("").join(" ")],
    ...moduleFiles.map((file) => [file, recipeText(recipe, `etcd/${file}`)] as const),
  ]);
  const built = workshop.disk.cached("etcd", `${version}-${recipe.architecture}-go-${pinned.slice(0, 12)}`);
  const ways = [
    {
      origin: "release",
      what: `the official release (${archives[recipe.architecture].url})`,
      directory: release,
      make: fromRelease,
    },
    { origin: "go", what: "a build from the Go module proxy", directory: built, make: fromSource },
  ] as const;
  // Nothing is fetched again because the better way was closed when the cache was filled.
  for (const { origin, directory } of ways) {
    if (await cachedPrograms(workshop, directory)) {
      workshop.say("etcd: from the cache");
      return { kind: "programs", directory, version, origin };
    }
  }
  const attempts: Attempt[] = [];
  for (const { origin, what, directory, make } of ways) {
    try {
      await cachePrograms(workshop, directory, (into) => make(workshop, recipe, into));
      return { kind: "programs", directory, version, origin };
    } catch (error) {
      workshop.signal?.throwIfAborted();
      attempts.push({ what, why: why(error) });
      // A wrong hash is no outage: someone should know, though the other way is as safe.
      if (error instanceof HashError) workshop.warn(error.message);
      else workshop.say(`etcd: not by ${what}: ${why(error)}`);
    }
  }
  return {
    kind: "packages",
    packages: ["etcd-server", "etcd-client"],
    version: debianEtcd,
    attempts,
  };
}
