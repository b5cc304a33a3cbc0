import type { MutualTls } from "../../pki/mtls.ts";
import type { EtcdMember } from "./membership.ts";

/** What one endpoint says of itself. Ids are hexadecimal, as etcdctl prints them. */
export type EtcdStatus = {
  readonly clusterId: string;
  readonly memberId: string;
  readonly leader: string;
  readonly learner: boolean;
  readonly version: string;
  /** Applied raft index. */
  readonly applied: bigint;
};

/** etcd answered with an error of its own; `code` is gRPC's. */
export class EtcdError extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.name = "EtcdError";
    this.code = code;
  }
}

export interface EtcdClient {
  status(endpoint: string): Promise<EtcdStatus>;
  members(endpoint: string): Promise<{ readonly clusterId: string; readonly members: readonly EtcdMember[] }>;
  /** A read through this endpoint; linearizable needs quorum, serializable only the member itself. */
  reads(endpoint: string, how: "linearizable" | "serializable"): Promise<boolean>;
  addLearner(endpoint: string, peerUrl: string): Promise<string>;
  remove(endpoint: string, memberId: string): Promise<void>;
  promote(endpoint: string, memberId: string): Promise<void>;
  moveLeader(endpoint: string, to: string): Promise<void>;
  /** Any other call of the JSON gateway (users, roles, keys). */
  call(endpoint: string, path: string, body: unknown): Promise<Readonly<Record<string, unknown>>>;
}

const timeout = 2_000;
/** A health check of somebody else's endpoint; one that is down must not hold up everything else. Milliseconds. */
const checkTimeout = 700;

function hex(decimal: unknown): string {
  return typeof decimal === "string" || typeof decimal === "number" ? BigInt(decimal).toString(16) : "0";
}

function decimal(id: string): string {
  return BigInt(`0x${id}`).toString();
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function memberOf(value: unknown): EtcdMember {
  const urls = field(value, "peerURLs");
  const clients = field(value, "clientURLs");
  // A founder has its name from the initial cluster; that it has started shows only in its client addresses.
  const name = Array.isArray(clients) && clients.length > 0 ? field(value, "name") : "";
  return {
    id: hex(field(value, "ID")),
    name: typeof name === "string" ? name : "",
    peerUrls: Array.isArray(urls) ? urls.filter((url) => typeof url === "string") : [],
    learner: field(value, "isLearner") === true,
  };
}

/** Speaks to etcd's JSON gateway. `login`, where authentication is on, gives user and password. */
export function etcdClient(tls: MutualTls, login: () => Promise<{ readonly name: string; readonly password: string } | undefined>): EtcdClient {
  let token: string | undefined;

  async function post(endpoint: string, path: string, body: unknown, authorization: string | undefined, limit = timeout): Promise<{ status: number; answer: Readonly<Record<string, unknown>> }> {
    const { status, body: bytes } = await tls.request(
      {
        url: `${endpoint}${path}`,
        method: "POST",
        headers: { "content-type": "application/json", ...(authorization === undefined ? {} : { authorization }) },
        timeout: limit,
      },
      JSON.stringify(body),
    );
    const answer: unknown = JSON.parse(bytes.toString("utf8"));
    return { status, answer: typeof answer === "object" && answer !== null ? { ...answer } : {} };
  }

  async function call(endpoint: string, path: string, body: unknown, limit = timeout): Promise<Readonly<Record<string, unknown>>> {
    for (let attempt = 0; ; attempt++) {
      const { status, answer } = await post(endpoint, path, body, token, limit);
      if (status === 200) return answer;
      const code = Number(answer["code"] ?? 0);
      const message = String(answer["message"] ?? answer["error"] ?? `etcd answered ${status}`);
      // Authentication is on (invalid or missing token, "user name is empty"): log in once, then again.
      if (attempt === 0 && (code === 16 || /user name is empty|invalid auth token|permission denied/.test(message))) {
        const given = await login();
        if (given !== undefined) {
          const granted = await post(endpoint, "/v3/auth/authenticate", given, undefined);
          const granting = granted.answer["token"];
          if (granted.status === 200 && typeof granting === "string") {
            token = granting;
            continue;
          }
        }
      }
      throw new EtcdError(code, message);
    }
  }

  return {
    call: (endpoint, path, body) => call(endpoint, path, body),
    async status(endpoint) {
      const answer = await call(endpoint, "/v3/maintenance/status", {});
      const version = answer["version"];
      return {
        clusterId: hex(field(answer["header"], "cluster_id")),
        memberId: hex(field(answer["header"], "member_id")),
        leader: hex(answer["leader"]),
        learner: answer["isLearner"] === true,
        version: typeof version === "string" ? version : "",
        applied: BigInt(String(answer["raftAppliedIndex"] ?? "0")),
      };
    },
    async members(endpoint) {
      const answer = await call(endpoint, "/v3/cluster/member/list", { linearizable: true }, checkTimeout);
      const members = answer["members"];
      return { clusterId: hex(field(answer["header"], "cluster_id")), members: (Array.isArray(members) ? members : []).map(memberOf) };
    },
    async reads(endpoint, how) {
      try {
        await call(endpoint, "/v3/kv/range", { key: "aGVhbHRo", serializable: how === "serializable", keys_only: true }, checkTimeout);
        return true;
      } catch (error) {
        // Refused for want of permission is an answer, from a cluster that has quorum.
        return error instanceof EtcdError && /permission denied/.test(error.message);
      }
    },
    async addLearner(endpoint, url) {
      const answer = await call(endpoint, "/v3/cluster/member/add", { peerURLs: [url], isLearner: true });
      return hex(field(answer["member"], "ID"));
    },
    async remove(endpoint, memberId) {
      try {
        await call(endpoint, "/v3/cluster/member/remove", { ID: decimal(memberId) });
      } catch (error) {
        if (!(error instanceof EtcdError && /member not found/.test(error.message))) throw error;
      }
    },
    promote: async (endpoint, memberId) => void (await call(endpoint, "/v3/cluster/member/promote", { ID: decimal(memberId) })),
    moveLeader: async (endpoint, to) => void (await call(endpoint, "/v3/maintenance/transfer-leadership", { targetID: decimal(to) })),
  };
}
