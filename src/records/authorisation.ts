import type { Clock } from "../host/clock.ts";
import type { Decision, StoreRules, StoreVerb, WriteCheck } from "../store/caller.ts";
import type { Bytes, ClusterStore, Key } from "../store/store.ts";
import { authenticate } from "./authentication.ts";
import { joinGate } from "./join-gate.ts";
import { type Party, type Principal, type RecordKind, records } from "./table.ts";

const kinds: readonly (RecordKind & { readonly parts: readonly string[] })[] = Object.values(records).map((kind) => ({
  ...kind,
  parts: kind.key.split("/"),
}));

/**
 * The rules that a cluster's store is served by: the roster says who is let in, the table what each may do, and a join
 * token's own state whether its bearer may still ask.
 */
export function storeRules(store: ClusterStore, clock: Clock): StoreRules<Principal> {
  const mayAsk = joinGate(store, clock);
  return {
    authenticate: (caller) => authenticate(store, caller),
    authorise,
    async permit(principal, key) {
      if (principal.kind !== "joiner") return allowed;
      const why = await mayAsk(principal, matchKey(key)?.bound.instance ?? "");
      return why === undefined ? allowed : { allowed: false, why };
    },
    checkWrite,
  };
}

type Bound = { readonly instance?: string; readonly group?: string };
type Matched = { readonly kind: RecordKind; readonly bound: Bound };

/**
 * Whether the table lets a principal do this. Keys outside the table are refused for everyone. For `list`, `key` is a
 * prefix, and the answer says only whether anything under it could be readable: the list is then filtered by `get`.
 */
export function authorise(principal: Principal, verb: StoreVerb, key: Key): Decision {
  if (verb === "list") {
    return kinds.some((kind) => couldRead(principal, kind, key)) ? allowed : refused(principal, "list", key);
  }
  const matched = matchKey(key);
  if (matched === undefined) return { allowed: false, why: `${key} is no record of a cluster` };
  if (verb === "delete") return principal.kind === "operator" ? allowed : refused(principal, "delete", key);
  const { kind, bound } = matched;
  if (verb === "update" && kind.how === "once")
    return { allowed: false, why: `${key} is written once and never changed` };
  const parties = verb === "get" ? kind.read : kind.write;
  return parties.some((party) => belongs(principal, party, bound, kind)) ? allowed : refused(principal, verb, key);
}

/**
 * Whether a body may stand under its key: it fits the record's schema, and where an instance writes it and it names an
 * instance, a role or a group, these are its own.
 */
export function checkWrite(principal: Principal, key: Key, value: Bytes): WriteCheck {
  const matched = matchKey(key);
  if (matched === undefined) return { kind: "invalid", why: `${key} is no record of a cluster` };
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(value));
  } catch (error) {
    return {
      kind: "invalid",
      why: `${key} takes JSON: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
  const parsed = matched.kind.schema.safeParse(body);
  if (!parsed.success) return { kind: "invalid", why: `${key} does not fit its schema: ${parsed.error.message}` };
  if (typeof body !== "object" || body === null) return { kind: "good" };
  if (principal.kind === "joiner") {
    const own = Reflect.get(body, "token") === principal.token;
    return own && Reflect.get(body, "instance") === matched.bound.instance
      ? { kind: "good" }
      : { kind: "forbidden", why: "a join names its own instance and the token that it comes with" };
  }
  if (principal.kind !== "instance") return { kind: "good" };
  for (const [field, said] of Object.entries(body)) {
    if (field !== "instance" && field !== "group" && field !== "role") continue;
    if (said !== principal[field]) {
      return {
        kind: "forbidden",
        why: `${nameOf(principal)} may only write of itself, and ${field} says ${JSON.stringify(said)}`,
      };
    }
  }
  return { kind: "good" };
}

const allowed: Decision = { allowed: true };

function refused(principal: Principal, verb: StoreVerb, key: Key): Decision {
  return {
    allowed: false,
    why: `${nameOf(principal)} may not ${verb} ${key === "" ? "everything" : key}`,
  };
}

function nameOf(principal: Principal): string {
  if (principal.kind !== "instance") return `the ${principal.kind}`;
  return `${principal.role} ${principal.instance}${principal.by === "identity" ? " (without a certificate)" : ""}`;
}

function matchKey(key: Key): Matched | undefined {
  const parts = key.split("/");
  for (const kind of kinds) {
    if (kind.parts.length !== parts.length) continue;
    const bound: Record<string, string> = {};
    const fits = kind.parts.every((pattern, index) => {
      const part = parts[index] ?? "";
      const name = variableOf(pattern);
      if (name === undefined) return pattern === part;
      bound[name] = part;
      return part !== "";
    });
    if (fits) return { kind, bound };
  }
  return undefined;
}

/** The name in braces, or `undefined` for a literal part. */
function variableOf(pattern: string): string | undefined {
  return /^\{(\w+)\}$/.exec(pattern)?.[1];
}

/**
 * Whether a principal is of a party, for a key that binds these values. `control`, `worker`, `own` and `own-group` are
 * meant with a certificate. Where the key names no instance, `own` and `own-identity` are every instance; an
 * `own-group` of a key that names no group is nobody.
 */
function belongs(principal: Principal, party: Party, bound: Bound, kind: Pick<RecordKind, "key">): boolean {
  if (principal.kind !== "instance") return party === principal.kind;
  const certified = principal.by === "certificate";
  const itself = kind.key.includes("{instance}") ? bound.instance === principal.instance : true;
  switch (party) {
    case "control":
    case "worker":
      return certified && principal.role === party;
    case "control-identity":
      return !certified && principal.role === "control";
    case "own":
      return certified && itself;
    case "own-identity":
      return !certified && itself;
    case "own-group":
      return certified && bound.group === principal.group;
    case "operator":
    case "gateway":
    case "joiner":
      return false;
  }
}

/** Whether some key that begins with the prefix is of this kind and readable, whatever stands in the store. */
function couldRead(principal: Principal, kind: (typeof kinds)[number], prefix: Key): boolean {
  const asked = prefix.split("/");
  if (asked.length > kind.parts.length) return false;
  const own: Bound = principal.kind === "instance" ? { instance: principal.instance, group: principal.group } : {};
  // A key of one's own under the prefix, if there can be one: then also `own…` parties may read it.
  const bindings: readonly Bound[] = [own, {}];
  return bindings.some((bound) => {
    const fits = asked.every((part, index) => {
      const pattern = kind.parts[index] ?? "";
      const last = index === asked.length - 1;
      const name = variableOf(pattern);
      const wanted =
        name === undefined
          ? pattern
          : name === "instance"
            ? bound.instance
            : name === "group"
              ? bound.group
              : undefined;
      if (wanted === undefined) return last || part !== "";
      return last ? wanted.startsWith(part) : wanted === part;
    });
    return fits && kind.read.some((party) => belongs(principal, party, bound, kind));
  });
}
