import type { MutualHttp2 } from "../../pki/http2.ts";
import type { EtcdMember } from "./membership.ts";
import { encodeMessage, Message, type Field } from "./protobuf.ts";

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

/** The keys from `from` (with it) to `to` (without it); a key's bytes are the characters of the text (Latin-1). */
export type KeyRange = { readonly from: string; readonly to: string };

/** etcd answered with an error of its own; `code` is gRPC's. */
export class EtcdError extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.name = "EtcdError";
    this.code = code;
  }
}

/** etcd's authentication: users, roles and what they may do. What is there already, or gone already, is success. */
export interface EtcdAuth {
  /** Of this very member. */
  enabled(endpoint: string): Promise<boolean>;
  /** `enable` needs the user root with the role root. */
  enable(endpoint: string): Promise<void>;
  /** The user's roles; `undefined`: there is no such user. */
  user(endpoint: string, name: string): Promise<readonly string[] | undefined>;
  /** Without a password: it is known by its certificate's common name alone. */
  addUser(endpoint: string, name: string): Promise<void>;
  removeUser(endpoint: string, name: string): Promise<void>;
  grantRole(endpoint: string, user: string, role: string): Promise<void>;
  /** What a role may read and write; `undefined`: there is no such role. */
  role(endpoint: string, name: string): Promise<readonly KeyRange[] | undefined>;
  addRole(endpoint: string, name: string): Promise<void>;
  grant(endpoint: string, role: string, range: KeyRange): Promise<void>;
  revoke(endpoint: string, role: string, range: KeyRange): Promise<void>;
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
  readonly auth: EtcdAuth;
}

const timeout = 2_000;
/** A health check of somebody else's endpoint; one that is down must not hold up everything else. Milliseconds. */
const checkTimeout = 700;
/** gRPC: a flag for compression (none) and the length in four bytes stand before a message. */
const frameHead = 5;
const readWrite = 2n;

const hex = (id: bigint): string => id.toString(16);
const bytes = (key: string): Uint8Array => Buffer.from(key, "latin1");
const number = (id: string): bigint => BigInt(`0x${id}`);

function memberOf(member: Message): EtcdMember {
  // A founder has its name from the initial cluster; that it has started shows only in its client addresses.
  const name = member.texts(4).length > 0 ? member.text(2) : "";
  return { id: hex(member.number(1)), name, peerUrls: member.texts(3), learner: member.flag(5) };
}

/**
 * Speaks etcd's own protocol, gRPC: with authentication on, the client certificate's common name is the user. (The JSON
 * gateway would need a password and tokens, and refuses certificates that have a common name.)
 */
export function etcdClient(http2: MutualHttp2): EtcdClient {
  async function call(endpoint: string, method: string, fields: readonly Field[], limit = timeout): Promise<Message> {
    const message = encodeMessage(fields);
    const frame = Buffer.alloc(frameHead + message.length);
    frame.writeUInt32BE(message.length, 1);
    frame.set(message, frameHead);
    const answer = await http2.post(
      {
        origin: endpoint,
        path: `/etcdserverpb.${method}`,
        headers: { "content-type": "application/grpc", te: "trailers" },
        timeout: limit,
      },
      frame,
    );
    // An answer that is only an error has its status among the headers.
    const said = (name: string): string => String(answer.trailers[name] ?? answer.headers[name] ?? "");
    const code = said("grpc-status");
    if (code !== "0")
      throw new EtcdError(
        Number(code || 2),
        decodeURIComponent(said("grpc-message")) || `etcd answered ${answer.status}`,
      );
    return new Message(answer.body.subarray(frameHead));
  }
  /** A call whose outcome may be there already: then etcd's refusal is success. */
  async function ensure(endpoint: string, method: string, fields: readonly Field[], done: RegExp): Promise<void> {
    try {
      await call(endpoint, method, fields);
    } catch (error) {
      if (!(error instanceof EtcdError && done.test(error.message))) throw error;
    }
  }
  async function unless<T>(absent: RegExp, look: Promise<T>): Promise<T | undefined> {
    try {
      return await look;
    } catch (error) {
      if (error instanceof EtcdError && absent.test(error.message)) return undefined;
      throw error;
    }
  }

  return {
    async status(endpoint) {
      const answer = await call(endpoint, "Maintenance/Status", []);
      const header = answer.message(1);
      return {
        clusterId: hex(header.number(1)),
        memberId: hex(header.number(2)),
        leader: hex(answer.number(4)),
        learner: answer.flag(10),
        version: answer.text(2),
        applied: answer.number(7),
      };
    },
    async members(endpoint) {
      const answer = await call(endpoint, "Cluster/MemberList", [[1, true]], checkTimeout);
      return { clusterId: hex(answer.message(1).number(1)), members: answer.messages(2).map(memberOf) };
    },
    async reads(endpoint, how) {
      try {
        await call(
          endpoint,
          "KV/Range",
          [
            [1, "health"],
            [7, how === "serializable"],
            [8, true],
          ],
          checkTimeout,
        );
        return true;
      } catch (error) {
        // Refused for want of permission is an answer, from a cluster that has quorum.
        return error instanceof EtcdError && /permission denied/.test(error.message);
      }
    },
    async addLearner(endpoint, url) {
      const answer = await call(endpoint, "Cluster/MemberAdd", [
        [1, url],
        [2, true],
      ]);
      return hex(answer.message(2).number(1));
    },
    remove: (endpoint, memberId) =>
      ensure(endpoint, "Cluster/MemberRemove", [[1, number(memberId)]], /member not found/),
    promote: async (endpoint, memberId) =>
      void (await call(endpoint, "Cluster/MemberPromote", [[1, number(memberId)]])),
    moveLeader: async (endpoint, to) => void (await call(endpoint, "Maintenance/MoveLeader", [[1, number(to)]])),
    auth: {
      enabled: async (endpoint) => (await call(endpoint, "Auth/AuthStatus", [], checkTimeout)).flag(2),
      enable: async (endpoint) => void (await call(endpoint, "Auth/AuthEnable", [])),
      user: (endpoint, name) =>
        unless(
          /user name not found/,
          call(endpoint, "Auth/UserGet", [[1, name]]).then((answer) => answer.texts(2)),
        ),
      addUser: (endpoint, name) =>
        ensure(
          endpoint,
          "Auth/UserAdd",
          [
            [1, name],
            [3, encodeMessage([[1, true]])],
          ],
          /user name already exists/,
        ),
      removeUser: (endpoint, name) => ensure(endpoint, "Auth/UserDelete", [[1, name]], /user name not found/),
      grantRole: async (endpoint, user, role) =>
        void (await call(endpoint, "Auth/UserGrantRole", [
          [1, user],
          [2, role],
        ])),
      role: (endpoint, name) =>
        unless(
          /role name not found/,
          call(endpoint, "Auth/RoleGet", [[1, name]]).then((answer) =>
            answer.messages(2).map((range) => ({ from: range.key(2), to: range.key(3) })),
          ),
        ),
      addRole: (endpoint, name) => ensure(endpoint, "Auth/RoleAdd", [[1, name]], /role name already exists/),
      grant: async (endpoint, role, { from, to }) =>
        void (await call(endpoint, "Auth/RoleGrantPermission", [
          [1, role],
          [
            2,
            encodeMessage([
              [1, readWrite],
              [2, bytes(from)],
              [3, bytes(to)],
            ]),
          ],
        ])),
      revoke: (endpoint, role, { from, to }) =>
        ensure(
          endpoint,
          "Auth/RoleRevokePermission",
          [
            [1, role],
            [2, bytes(from)],
            [3, bytes(to)],
          ],
          /permission is not granted/,
        ),
    },
  };
}
