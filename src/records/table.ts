import type * as z from "zod/mini";
import * as schemas from "./schemas.ts";

/**
 * Who speaks to the store. `identity`: an instance that shows only its token (first contact);
 * `certificate`: an instance with a client certificate of the store's authority.
 */
export type Principal =
  | { readonly kind: "operator" }
  | { readonly kind: "gateway" }
  /** A machine that shows a join token: of which group, which token, and from where. */
  | { readonly kind: "joiner"; readonly group: string; readonly token: string; readonly address: string }
  | {
      readonly kind: "instance";
      readonly by: "identity" | "certificate";
      readonly instance: string;
      readonly group: string;
      readonly role: "control" | "worker";
    };

/**
 * A class of principals in the table. `own`: the instance that the key names (`{instance}`), with its
 * certificate; `own-identity`: the same at first contact; `own-group`: an instance of the key's `{group}`.
 */
export type Party =
  | "operator"
  | "gateway"
  | "joiner"
  | "control"
  | "control-identity"
  | "worker"
  | "own"
  | "own-identity"
  | "own-group";

/** `once`: create-if-absent and never again; `conditional`: create or if-unchanged; nobody but an operator deletes. */
export type How = "once" | "conditional";

export type RecordKind = {
  /** Parts in braces match one key part each; `{instance}` and `{group}` bind `own…` parties. */
  readonly key: string;
  readonly schema: z.ZodMiniType;
  readonly write: readonly Party[];
  readonly read: readonly Party[];
  readonly how: How;
};

const everyone = ["operator", "gateway", "control", "worker"] as const satisfies readonly Party[];
const managers = ["operator", "control"] as const satisfies readonly Party[];

/** Every key of the cluster store. Authorisation of the HTTP store, the tests of refusals and the S3 policies come from this table. */
export const records = {
  cluster: {
    key: "cluster",
    schema: schemas.clusterRecord,
    write: ["operator"],
    read: [...everyone, "own-identity"],
    how: "once",
  },
  generation: {
    key: "generation/{generation}",
    schema: schemas.generationRecord,
    write: ["operator"],
    read: [...everyone, "own-identity"],
    how: "conditional",
  },
  root: {
    key: "root",
    schema: schemas.rootRecord,
    write: ["operator"],
    read: [...everyone, "own-identity"],
    how: "once",
  },
  issuer: {
    key: "control/issuers/{purpose}",
    schema: schemas.issuerRecord,
    write: ["operator"],
    read: [...managers, "control-identity"],
    how: "once",
  },
  secret: {
    key: "control/secrets/{name}",
    schema: schemas.secretRecord,
    write: ["operator"],
    read: managers,
    how: "conditional",
  },
  login: {
    key: "control/logins/{host}",
    schema: schemas.loginRecord,
    write: ["operator"],
    read: managers,
    how: "conditional",
  },
  managerToken: {
    key: "control/swarm-token",
    schema: schemas.swarmTokenRecord,
    write: ["control"],
    read: managers,
    how: "conditional",
  },
  workerToken: {
    key: "worker/swarm-token",
    schema: schemas.swarmTokenRecord,
    write: ["control"],
    read: [...managers, "worker"],
    how: "conditional",
  },
  workerEtcd: {
    key: "worker/etcd",
    schema: schemas.workerEtcdRecord,
    write: ["control"],
    read: [...managers, "worker"],
    how: "conditional",
  },
  roster: {
    key: "roster/{instance}",
    schema: schemas.rosterRecord,
    write: ["operator", "gateway"],
    read: [...managers, "gateway", "own"],
    how: "conditional",
  },
  bootstrap: {
    key: "bootstrap/{instance}",
    schema: schemas.bootstrapRecord,
    write: ["operator", "gateway"],
    read: ["operator", "own", "own-identity"],
    how: "conditional",
  },
  joinToken: {
    key: "control/join-tokens/{id}",
    schema: schemas.joinTokenRecord,
    write: ["operator"],
    read: ["operator", "gateway"],
    how: "conditional",
  },
  join: {
    key: "joins/{instance}",
    schema: schemas.joinRecord,
    write: ["joiner"],
    read: ["operator", "gateway"],
    how: "once",
  },
  joinAnswer: {
    key: "join-answers/{instance}",
    schema: schemas.joinAnswerRecord,
    write: ["gateway"],
    read: ["operator", "gateway"],
    how: "conditional",
  },
  joinRefusal: {
    key: "join-refusals/{token}",
    schema: schemas.joinRefusalRecord,
    write: ["gateway"],
    read: ["operator", "gateway"],
    how: "conditional",
  },
  nodeName: {
    key: "names/{node}",
    schema: schemas.nodeNameRecord,
    write: ["gateway"],
    read: ["operator", "gateway"],
    how: "conditional",
  },
  registration: {
    key: "registrations/{generation}/{instance}",
    schema: schemas.registrationRecord,
    write: ["own", "own-identity"],
    read: [...managers, "own", "own-identity"],
    how: "conditional",
  },
  request: {
    key: "requests/{instance}",
    schema: schemas.requestRecord,
    write: ["own", "own-identity"],
    read: [...managers, "own", "own-identity"],
    how: "conditional",
  },
  certificate: {
    key: "certificates/{instance}",
    schema: schemas.certificateRecord,
    write: managers,
    read: [...managers, "own", "own-identity"],
    how: "conditional",
  },
  etcdProposal: {
    key: "formation/{generation}/etcd/proposal",
    schema: schemas.etcdProposalRecord,
    write: ["control"],
    read: managers,
    how: "once",
  },
  etcdClaim: {
    key: "formation/{generation}/etcd/claims/{instance}",
    schema: schemas.etcdClaimRecord,
    write: ["own"],
    read: managers,
    how: "once",
  },
  etcdJoined: {
    key: "formation/{generation}/etcd/joined/{instance}",
    schema: schemas.etcdJoinedRecord,
    write: ["own"],
    read: managers,
    how: "conditional",
  },
  swarmClaim: {
    key: "formation/{generation}/swarm/claim",
    schema: schemas.swarmClaimRecord,
    write: ["control"],
    read: managers,
    how: "conditional",
  },
  swarmCluster: {
    key: "formation/{generation}/swarm/cluster",
    schema: schemas.swarmClusterRecord,
    write: ["control"],
    read: [...managers, "worker"],
    how: "conditional",
  },
  swarmTurn: {
    key: "formation/{generation}/swarm/turn",
    schema: schemas.swarmTurnRecord,
    write: ["control"],
    read: managers,
    how: "conditional",
  },
  pointer: { key: "revision", schema: schemas.pointerRecord, write: ["operator"], read: everyone, how: "conditional" },
  groupRevision: {
    key: "revisions/{revision}/groups/{group}",
    schema: schemas.groupRevisionRecord,
    write: ["operator"],
    read: ["operator", "own-group"],
    how: "once",
  },
  servicesRevision: {
    key: "revisions/{revision}/services",
    schema: schemas.servicesRevisionRecord,
    write: ["operator"],
    read: [...managers, "gateway"],
    how: "once",
  },
  facts: {
    key: "revisions/{revision}/facts",
    schema: schemas.factsRecord,
    write: ["operator"],
    read: ["operator"],
    how: "once",
  },
  node: {
    key: "nodes/{instance}",
    schema: schemas.nodeRecord,
    write: ["own"],
    read: [...managers, "own"],
    how: "conditional",
  },
  service: {
    key: "services/{name}",
    schema: schemas.serviceRecord,
    write: ["control"],
    read: [...managers, "gateway"],
    how: "conditional",
  },
  lock: { key: "lock", schema: schemas.lockRecord, write: ["operator"], read: ["operator"], how: "conditional" },
  journal: {
    key: "journal/{entry}",
    schema: schemas.journalRecord,
    write: ["operator"],
    read: ["operator"],
    how: "once",
  },
  gateway: {
    key: "gateway",
    schema: schemas.gatewayRecord,
    write: ["operator"],
    read: ["operator", "gateway"],
    how: "conditional",
  },
} as const satisfies Record<string, RecordKind>;

export type RecordName = keyof typeof records;
export type RecordValue<Name extends RecordName> = z.infer<(typeof records)[Name]["schema"]>;
