import { join } from "node:path";
import type { ClusterName } from "../../cluster/cluster.ts";
import type { Clock } from "../../host/clock.ts";
import { programFile } from "../../host/program-file.ts";
import type { Random } from "../../host/random.ts";
import type { Observed } from "../../plan/plan.ts";
import type { FactData, StoreAccess, Target } from "../target.ts";
import { nodeAccess } from "./access.ts";
import { applyWork } from "./apply.ts";
import { ensureBucket } from "./bucket/make.ts";
import { programSums, type Programs } from "./bucket/programs.ts";
import type { Place } from "./bucket/requests.ts";
import { planCleanup } from "./cleanup.ts";
import { openSession, type SessionPorts } from "./clients/session.ts";
import { examineAccount, examineImages } from "./examine.ts";
import { factsIn, noFacts, type AwsFacts } from "./facts/facts.ts";
import { isWhole } from "./facts/members.ts";
import { describeFacts, factNames, gatherFacts } from "./facts/gather.ts";
import { preflight } from "./facts/preflight.ts";
import { tagNames } from "../../records/tags.ts";
import { foundPlace, lookAt, placeOf, stackOf, storeAt, storePlace, type Look } from "./look.ts";
import { ec2Id, observedIn } from "./observe.ts";
import { planLaunch } from "./plan.ts";
import { holdStill, letGo, mindEmptied } from "./power.ts";
import { publishingPlace, publishTemplate, sharedFacts } from "./publish.ts";
import { leftoversOf } from "./search.ts";
import { deleteStack, restStack } from "./stack/launch.ts";
import { stackState } from "./stack/states.ts";
import { tagOf } from "./tags.ts";
import type { AwsWork } from "./work.ts";

export type AwsOptions = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The Node.js that this program runs by: what nodes of the same kind run. */
  readonly node: string;
  /** As Node.js names this machine's: `x64`, `arm64`. */
  readonly architecture: string;
  readonly platform: string;
  /** Folder of agent.js. */
  readonly programs: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Where the file says it. */
  readonly region?: string | undefined;
  /** The bucket of its cluster's store, where the file says it. */
  readonly store?: SessionPorts["store"];
  /** What stands in for AWS and for the programs where there is none. */
  readonly aws?: Partial<Pick<SessionPorts, "fetch" | "credentials">> & {
    readonly programs?: () => Promise<Programs>;
  };
};

/** Milliseconds between two looks at EC2 while nodes are waited for: their records say more, and cost nothing. */
const observeEvery = 30_000;

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

/** The programs that nodes run, from this machine: its own Node.js where that is Linux's, others where the environment names them. */
async function programsHere(options: AwsOptions): Promise<Programs> {
  const { environment, node, architecture, platform, programs } = options;
  const own = platform === "linux" ? { x64: "x86_64", arm64: "aarch64" }[architecture] : undefined;
  const path = (name: "x86_64" | "aarch64"): string | undefined =>
    environment[`SLIPWAY_NODE_${name.toUpperCase()}`] || (own === name ? node : undefined);
  const [x86, arm] = [path("x86_64"), path("aarch64")];
  return {
    agent: await programFile(join(programs, "agent.js")),
    node: {
      ...(x86 === undefined ? {} : { x86_64: await programFile(x86) }),
      ...(arm === undefined ? {} : { aarch64: await programFile(arm) }),
    },
  };
}

/** The AWS target: a stack of CloudFormation for each cluster, its store in a bucket beside it. */
export function awsTarget(options: AwsOptions): Target<AwsWork> {
  const { environment, clock, random, aws: instead } = options;
  const session = openSession({
    fetch: instead?.fetch ?? fetch,
    clock,
    random,
    region: options.region,
    store: options.store,
    endpoint: environment["AWS_ENDPOINT_URL_S3"] || environment["AWS_ENDPOINT_URL"] || undefined,
    ...(instead?.credentials === undefined ? {} : { credentials: instead.credentials }),
  });
  const programs = once(instead?.programs ?? (() => programsHere(options)));
  /** The look that an observation was made from: a plan needs no other. */
  const looks = new WeakMap<Observed, Look>();
  /** Where stores were, when their clusters were last looked at. */
  const places = new Map<ClusterName, Place>();
  /** Clusters whose stack was there when they were last looked at. */
  const stacks = new Set<ClusterName>();
  /** The last observation of each cluster, which may be under way. */
  const observing = new Map<ClusterName, Promise<Observed>>();
  const observe = (cluster: ClusterName): Promise<Observed> => {
    const own = observed(cluster);
    observing.set(cluster, own);
    return own;
  };
  const stands = async (cluster: ClusterName): Promise<boolean> => {
    await (observing.get(cluster) ?? observe(cluster));
    return stacks.has(cluster);
  };
  const observed = async (cluster: ClusterName): Promise<Observed> => {
    const look = await lookAt(session, cluster);
    if (look.place !== undefined) places.set(cluster, look.place);
    if (look.stack === undefined) stacks.delete(cluster);
    else stacks.add(cluster);
    const found = observedIn(look);
    looks.set(found, look);
    return found;
  };
  const access = async (place: Place): Promise<StoreAccess> => ({
    store: await storeAt(place),
    address: undefined,
    close: async () => {
      // Nothing is open between two requests.
    },
  });
  const factsOf = (facts: FactData | undefined): AwsFacts => (facts === undefined ? noFacts : factsIn(facts));

  return {
    name: "aws",
    body: "instance",
    disksStay: true,
    billed: true,
    keepsData: true,
    deaf: true,
    keepsRoster: true,
    observeEvery,

    floating: {
      names: factNames,
      gather: async (cluster, pinned, refresh) =>
        gatherFacts(
          session,
          cluster,
          pinned === undefined ? undefined : factsIn(pinned),
          refresh,
          async () => programSums(await programs()),
          () => stands(cluster.name),
        ),
      describe: (facts, gathered, now) => describeFacts(factsIn(facts), gathered, now),
      // What an interrupted creation has made already would stand in its own way.
      examine: async (cluster, facts) =>
        stacks.has(cluster.name) ? [] : preflight(session, cluster, factsIn(facts), programs),
    },

    interrupted: {
      rest: (cluster, run) => restStack(session, cluster, run),
      continues: (cluster, facts) => isWhole(cluster, factsIn(facts).kept),
      async discard(cluster, run) {
        const stack = await stackOf(session, cluster.name);
        if (stack === undefined || stackState(stack.StackStatus) !== "failed") return;
        const left = await deleteStack(session, cluster.name, stack, run);
        if (left === undefined) return;
        throw Object.assign(
          new Error(`what is left of the creation of ${cluster.name} does not go: ${left.causes.join("; ")}`),
          { next: `slipway cleanup ${cluster.name}` },
        );
      },
    },

    still: {
      before: (cluster, nodes) => holdStill(session, cluster, nodes),
      async after(cluster, nodes) {
        const { nodes: all } = await observe(cluster);
        const still = new Set(all.filter(({ state }) => state === "stopped").map(ec2Id));
        await letGo(session, cluster, nodes, still);
      },
    },

    ending: {
      async end(node, cluster, _, run) {
        await applyWork(session, { kind: "shrink", cluster, instance: ec2Id(node) }, programs, run);
        // A control member is its disk.
        return node.role === "control" ? "away" : "gone";
      },
      settle: (cluster) => mindEmptied(session, cluster),
    },

    examine: () => examineAccount(session),
    examineCluster: (cluster) => examineImages(session, cluster),

    async list() {
      const stacks = await (await session.cloudFormation()).stacks();
      const names = stacks
        .filter(
          (stack) => stack.StackStatus !== "DELETE_COMPLETE" && tagOf(stack, tagNames.cluster) === stack.StackName,
        )
        .flatMap(({ StackName }) => StackName ?? []);
      // Written from clusters' names.
      return names.toSorted() as ClusterName[];
    },

    async wake() {
      // S3 is always there.
    },

    async store(cluster) {
      // A store does not move while a command runs.
      const place = places.get(cluster) ?? (await lookBrief(cluster)).place;
      return place === undefined ? undefined : access(place);
    },

    observe,
    recorded(observed) {
      const look = looks.get(observed);
      return look?.read === true ? { roster: look.roster, pointer: look.pointer, wanted: look.services } : undefined;
    },
    node: (name, cluster) => nodeAccess(session, cluster, name),

    async prepare(cluster) {
      const stack = await stackOf(session, cluster.name);
      const place = await storePlace(session, cluster, stack);
      await ensureBucket(place, cluster);
      return access(place);
    },

    async plan(cluster, seen, request) {
      if (cluster === undefined) return planCleanup(session, seen.cluster, request?.keepData === true);
      const look = looks.get(seen) ?? (await lookAt(session, cluster.name));
      const facts = factsOf(request?.facts);
      const sums = facts.programs ?? programSums(await programs());
      const given = request ?? { keep: false, signal: new AbortController().signal };
      return planLaunch(session, cluster, look, seen, facts, sums, given);
    },

    removal: (node, cluster) => {
      const common = { carries: [`node:${node.name}`], subject: node.name, wave: 0 };
      return [
        { ...common, kind: "retire", title: "retire", node },
        { ...common, kind: "work", title: "remove", work: { kind: "shrink", cluster, instance: ec2Id(node) } },
      ];
    },

    apply: (work, run) => applyWork(session, work, programs, run),

    async nudge() {
      // Agents look by themselves.
    },
    localImages: async () => new Map(),
    loadImage: async () => [],
    publishing: {
      async open(cluster, to) {
        const place = await publishingPlace(session, cluster, to);
        return {
          ...(await access(place)),
          write: (facts, pin) => publishTemplate(place, cluster, to, factsIn(facts), pin, programs),
        };
      },
      shared: (facts) => sharedFacts(factsIn(facts)),
    },
    leftovers: (cluster) => leftoversOf(session, cluster),
  };

  /** Only where the store is; a cluster without a stack may have its bucket. */
  async function lookBrief(cluster: ClusterName): Promise<{ readonly place: Place | undefined }> {
    const stack = await stackOf(session, cluster);
    return { place: stack === undefined ? await foundPlace(session, cluster) : await placeOf(session, cluster, stack) };
  }
}
