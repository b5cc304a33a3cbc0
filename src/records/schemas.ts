import * as z from "zod/mini";

/** Milliseconds since 1970, from the writer's clock; shown to people, never compared across machines. */
const time = z.number();
const nonce = z.string();
const role = z.enum(["control", "worker"]);

/** What the cluster is; written once by the operator that creates it. */
export const clusterRecord = z.object({
  name: z.string(),
  orchestrator: z.enum(["swarm", "none"]),
  /** Names this creation; every formation record lies under it. */
  generation: z.string(),
  /** How many control instances found it. */
  founders: z.number(),
  created: time,
  nonce,
});
/** The root certificate is public; its key is encrypted to the recovery key that the operator saw once. */
export const rootRecord = z.object({
  certificate: z.string(),
  encryptedKey: z.string(),
  recipients: z.array(z.string()),
});
/** `anchor`: the same authority signed by itself, which OpenSSL's servers need to trust it without the root. */
export const issuerRecord = z.object({ certificate: z.string(), key: z.string(), anchor: z.string() });

/** One instance that the target says exists, or existed. Written by who looks at the target. */
export const rosterRecord = z.object({
  instance: z.string(),
  node: z.string(),
  group: z.string(),
  role,
  address: z.string(),
  state: z.enum(["present", "leaving", "gone"]),
  /** SHA-256, hex, of the token that the target puts into the instance. */
  tokenHash: z.string(),
  /** The id of the join token that it came with, where it joined by one; uses are counted by it. */
  joinToken: z.optional(z.string()),
  since: time,
  nonce,
});
/** What lets so many machines into one group until it expires or is revoked; the store has its secret's hash only. */
export const joinTokenRecord = z.object({
  id: z.string(),
  group: z.string(),
  role,
  /** SHA-256, hex, of the secret. */
  hash: z.string(),
  expires: time,
  uses: z.number(),
  revoked: z.boolean(),
  nonce,
});
/**
 * A machine asks to become a node: at which address, and by which identity it will be known. Whoever writes it is a stranger
 * with a token, so every field has its form and its length.
 */
export const joinRecord = z.object({
  instance: z.string().check(z.regex(/^i-[a-z0-9-]{1,64}$/)),
  token: z.string().check(z.maxLength(64)),
  address: z.union([z.ipv4(), z.ipv6()]),
  /** SHA-256, hex, of the identity token that the machine has made itself. */
  tokenHash: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  nonce: nonce.check(z.maxLength(64)),
});
/** Why a machine that asked is no node. */
export const joinAnswerRecord = z.object({
  instance: z.string(),
  address: z.string(),
  refused: z.string(),
  since: time,
  nonce,
});
/** Who was turned away last with a token that lets nobody ask any more: one record for each token, whoever comes with it. */
export const joinRefusalRecord = z.object({
  token: z.string(),
  instance: z.string(),
  address: z.string(),
  refused: z.string(),
  since: time,
});
/** Which instance bears a node's name; taken over only when that instance is gone. */
export const nodeNameRecord = z.object({ node: z.string(), instance: z.string(), nonce });
/** What a new instance needs to know before it has a certificate. */
export const bootstrapRecord = z.object({
  cluster: z.string(),
  generation: z.string(),
  orchestrator: z.enum(["swarm", "none"]),
  instance: z.string(),
  node: z.string(),
  group: z.string(),
  role,
  address: z.string(),
  /** How many control instances found the cluster. */
  founders: z.number(),
});
export const registrationRecord = z.object({
  instance: z.string(),
  node: z.string(),
  group: z.string(),
  role,
  address: z.string(),
  nonce,
  time,
});
/** Certificate signing requests, PEM, by purpose. The node's keys never leave it. */
export const requestRecord = z.object({
  requests: z.record(z.string(), z.string()),
  nonce,
  /** Where a provider knows who an instance is: its word for it, bound to these requests, and when it was given. */
  proof: z.optional(z.object({ text: z.string(), time })),
});
/** Certificate chains, PEM, by purpose; `answers` is the nonce of the request. */
export const certificateRecord = z.object({ certificates: z.record(z.string(), z.string()), answers: z.string() });

/** The sorted list of the control instances that found etcd. */
export const etcdProposalRecord = z.object({
  members: z.array(z.object({ instance: z.string(), node: z.string(), address: z.string() })),
  nonce,
});
export const etcdClaimRecord = z.object({ claim: z.string(), time });
export const etcdJoinedRecord = z.object({ clusterId: z.string(), memberId: z.string(), time });
/** Who may run `swarm init`; taken over only when the roster says that the claimer is gone. */
export const swarmClaimRecord = z.object({
  instance: z.string(),
  epoch: z.number(),
  /** Set by the claimer when its swarm stands: from then on the claim is decided and is never taken over. */
  clusterId: z.optional(z.string()),
  nonce,
});
export const swarmClusterRecord = z.object({ clusterId: z.string(), instance: z.string(), epoch: z.number(), nonce });
/**
 * `first`: the manager with which all lies that was ever agreed, as long as the swarm has not `grown` to a second full
 * one; `full`: those that have become managers since; `joining`: those that become managers now; `whole`: the first
 * makes the swarm whole, and those leave; `careful`: it had to once, so that they come one at a time from then on.
 */
export const swarmTurnRecord = z.object({
  first: z.string(),
  grown: z.boolean(),
  full: z.array(z.string()),
  joining: z.array(z.string()),
  whole: z.boolean(),
  careful: z.optional(z.boolean()),
  nonce,
});
/** `addresses` are managers' `ip:2377`. */
export const swarmTokenRecord = z.object({ token: z.string(), addresses: z.array(z.string()), nonce });
/**
 * What workers may use of etcd, written once etcd itself holds them to it: `share` is the prefix (absent: nothing),
 * `addresses` are the control nodes'.
 */
export const workerEtcdRecord = z.object({ share: z.optional(z.string()), addresses: z.array(z.string()), nonce });

export const pointerRecord = z.object({
  revision: z.string(),
  /** Raised when nodes should put back what was changed behind our back. */
  apply: z.number(),
  nonce,
});
const origin = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("field"), path: z.array(z.union([z.string(), z.number()])) }),
  z.object({ kind: z.literal("component"), component: z.string() }),
]);
const owned = { path: z.string(), mode: z.string(), user: z.string(), group: z.string(), origin };
const contents = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("text"), text: z.string() }),
  z.object({ kind: z.literal("bytes"), base64: z.string() }),
  z.object({
    kind: z.literal("remote"),
    url: z.string(),
    hash: z.string(),
    compression: z.enum(["none", "gzip"]),
  }),
]);
export const machineSchema = z.object({
  files: z.array(z.object({ ...owned, contents })),
  directories: z.array(z.object(owned)),
  links: z.array(z.object({ path: z.string(), target: z.string(), origin })),
  users: z.array(
    z.object({
      name: z.string(),
      keys: z.array(z.string()),
      uid: z.optional(z.number()),
      comment: z.string(),
      home: z.string(),
      shell: z.optional(z.string()),
      primaryGroup: z.optional(z.string()),
      groups: z.array(z.string()),
      system: z.boolean(),
      origin,
    }),
  ),
  groups: z.array(z.object({ name: z.string(), gid: z.optional(z.number()), system: z.boolean(), origin })),
  kernelArguments: z.array(z.object({ argument: z.string(), origin })),
  units: z.array(
    z.object({
      name: z.string(),
      content: z.optional(z.string()),
      dropIns: z.array(z.object({ name: z.string(), content: z.string(), origin })),
      state: z.enum(["on", "off", "masked", "installed"]),
      origin,
    }),
  ),
});
const labels = z.record(z.string(), z.string());
/** What the components of a group must know at run time. */
export const wantedSchema = z.object({
  labels,
  etcd: z.optional(z.object({ size: z.number(), share: z.optional(z.string()) })),
  swarm: z.optional(z.object({ managers: z.number() })),
});
/** What one group runs in one revision. */
export const groupRevisionRecord = z.object({
  revision: z.string(),
  group: z.string(),
  role,
  machine: machineSchema,
  wanted: wantedSchema,
});

export const serviceWanted = z.object({
  name: z.string(),
  image: z.string(),
  /** The image's id where it is a local one that the operator loads into nodes; else the registry is asked. */
  imageId: z.optional(z.string()),
  command: z.array(z.string()),
  replicas: z.union([z.number(), z.literal("global")]),
  ports: z.array(z.object({ published: z.number(), target: z.number(), protocol: z.enum(["tcp", "udp"]) })),
  environment: z.record(z.string(), z.string()),
  labels,
  mounts: z.array(
    z.object({
      kind: z.enum(["volume", "bind", "tmpfs"]),
      source: z.string(),
      target: z.string(),
      readOnly: z.boolean(),
    }),
  ),
  health: z.optional(
    z.object({
      command: z.array(z.string()),
      interval: z.number(),
      timeout: z.number(),
      startPeriod: z.number(),
      retries: z.number(),
    }),
  ),
  update: z.object({
    parallelism: z.number(),
    delay: z.number(),
    monitor: z.number(),
    order: z.enum(["stop-first", "start-first"]),
    onFailure: z.enum(["pause", "continue", "rollback"]),
  }),
  constraints: labels,
  /** The value lies under `control/secrets/<name>`; `version` changes when it does. */
  secrets: z.array(z.object({ name: z.string(), target: z.string(), mode: z.string(), version: z.string() })),
});
export const servicesRevisionRecord = z.object({
  revision: z.string(),
  services: z.array(serviceWanted),
  /** Users' node labels by group, which managers put on the swarm's nodes. */
  labels: z.record(z.string(), labels),
  /** Hosts whose login lies under `control/logins/<host>`. */
  logins: z.array(z.object({ host: z.string(), version: z.string() })),
});
/** What the target's world said when this revision was made; plain data that only the target understands. */
export const factsRecord = z.object({ revision: z.string(), facts: z.unknown(), gathered: time });
export const secretRecord = z.object({ value: z.string(), version: z.string() });
export const loginRecord = z.object({
  host: z.string(),
  username: z.string(),
  password: z.string(),
  version: z.string(),
});

const unitState = z.object({
  name: z.string(),
  active: z.string(),
  sub: z.string(),
  result: z.string(),
  ours: z.boolean(),
});
/** What a node says of itself; written on change, and every half minute as a sign of life. */
export const nodeRecord = z.object({
  instance: z.string(),
  node: z.string(),
  /** What the provider calls the machine that it runs on now, where that is another name than the instance's. */
  machine: z.optional(z.string()),
  revision: z.string(),
  apply: z.number(),
  state: z.enum(["starting", "ready", "degraded", "failed", "stopped"]),
  /** The first reconciler that is not settled; `ready` when all are. */
  phase: z.string(),
  reason: z.optional(z.string()),
  /** Lines of a journal that explain the reason. */
  log: z.array(z.string()),
  since: time,
  seen: time,
  boot: z.string(),
  /** How often this agent was asked to look again at once (SIGHUP); an answer to the asker. */
  nudges: z.number(),
  /** When each phase was first settled in this boot, for the waterfall. */
  settled: z.record(z.string(), z.object({ from: time, to: time })),
  units: z.array(unitState),
  /** Paths and units that no longer are as the machine config says. */
  drift: z.array(z.string()),
  disk: z.array(z.object({ mount: z.string(), size: z.number(), free: z.number() })),
  /** notAfter by purpose, milliseconds. */
  certificates: z.record(z.string(), time),
  etcd: z.optional(
    z.object({
      memberId: z.string(),
      clusterId: z.string(),
      leader: z.string(),
      members: z.array(z.object({ id: z.string(), name: z.string(), learner: z.boolean(), healthy: z.boolean() })),
    }),
  ),
  swarm: z.optional(
    z.object({
      nodeId: z.string(),
      manager: z.boolean(),
      leader: z.boolean(),
      mesh: z.boolean(),
      /** The leader's: the instances of all nodes of the swarm. */ nodes: z.optional(z.array(z.string())),
    }),
  ),
});
/** What a manager's agent sees of one service. */
export const serviceRecord = z.object({
  name: z.string(),
  /** The revision, and the pointer's `apply`, that this was seen under. */
  revision: z.string(),
  apply: z.number(),
  /** Hash of the wanted service that was applied last. */
  applied: z.string(),
  desired: z.number(),
  running: z.number(),
  state: z.enum(["starting", "ready", "degraded", "failed"]),
  reason: z.optional(z.string()),
  /** What was changed by someone else since it was applied. */
  drift: z.array(z.string()),
  /** Where tasks run now, with the published ports that lead to them. */
  tasks: z.array(z.object({ node: z.string(), state: z.string(), error: z.optional(z.string()) })),
  seen: time,
});

/** A lease: owner, fence (epoch) and expiry. */
export const lockRecord = z.object({
  holder: z.nullable(
    z.object({
      host: z.string(),
      process: z.number(),
      started: z.string(),
      user: z.string(),
      doing: z.string(),
      since: time,
      expires: time,
    }),
  ),
  epoch: z.number(),
  nonce,
});
export const journalRecord = z.object({
  time,
  operation: z.string(),
  events: z.array(z.record(z.string(), z.unknown())),
});
export const generationRecord = z.object({ generation: z.string(), state: z.enum(["open", "closed"]), nonce });
/** Ports that the gateway forwards, by published port. */
export const gatewayRecord = z.object({
  ports: z.array(z.object({ published: z.number(), protocol: z.enum(["tcp", "udp"]) })),
  nonce,
});
