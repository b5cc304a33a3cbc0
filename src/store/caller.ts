import type { Bytes, Key } from "./store.ts";

/** What a client certificate says of its holder, after its chain and dates were checked against the clients' authority. */
export type CertificateFacts = {
  /** CN. */
  readonly name: string;
  /** OU. */
  readonly unit: string;
  /** O. */
  readonly organisation: string;
};

/** Who a request says to come from: the operator's own socket, or the network with what it showed. */
export type Caller =
  | { readonly kind: "local" }
  | {
      readonly kind: "remote";
      readonly certificate?: CertificateFacts;
      /** The Authorization header. */
      readonly authorization?: string;
      /** The other end of the connection. */
      readonly address?: string;
    };

export type StoreVerb = "get" | "list" | "create" | "update" | "delete";
export type Decision = { readonly allowed: true } | { readonly allowed: false; readonly why: string };
export type Authentication<Principal> =
  | { readonly kind: "known"; readonly principal: Principal }
  /** `gone`: proven to be somebody who was let in once and is out for good. */
  | { readonly kind: "unknown" | "gone"; readonly why: string };
export type WriteCheck = { readonly kind: "good" } | { readonly kind: "invalid" | "forbidden"; readonly why: string };

/** The rules of a store that is served: who a caller is, what it may do, what it may write. */
export type StoreRules<Principal> = {
  authenticate(caller: Caller): Promise<Authentication<Principal>>;
  /** For `list`, `key` is a prefix: allowed when any key under it could be read; the answer is then filtered by `get`. */
  authorise(principal: Principal, verb: StoreVerb, key: Key): Decision;
  /** Asked of an allowed `create` or `update` before its body is read: what depends on what stands in the store. */
  permit?(principal: Principal, key: Key): Promise<Decision>;
  /** Asked of an allowed `create` or `update`, with the body. */
  checkWrite(principal: Principal, key: Key, value: Bytes): WriteCheck;
};
