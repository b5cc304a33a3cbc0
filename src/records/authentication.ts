import { createHash, timingSafeEqual } from "node:crypto";
import type { Authentication, Caller, CertificateFacts } from "../store/caller.ts";
import { type ClusterStore, isKey } from "../store/store.ts";
import { readRecord } from "./access.ts";
import type { Principal } from "./table.ts";

/**
 * Who a caller is. A certificate names its instance (CN), role (OU) and group (O), and counts only while the roster has
 * that very instance as present or leaving: that is how one is revoked. Without one, the token that the target put into
 * the instance counts, while the roster has it as present. A join token says only which group its bearer asks to join;
 * whether it may still ask is `permit`'s question, so that it can be told why not.
 */
export async function authenticate(store: ClusterStore, caller: Caller): Promise<Authentication<Principal>> {
  if (caller.kind === "local") return { kind: "known", principal: { kind: "operator" } };
  if (caller.certificate !== undefined) return byCertificate(store, caller.certificate);
  if (caller.authorization?.startsWith("Slipway-Join ") === true)
    return byJoinToken(store, caller.authorization, caller.address ?? "");
  if (caller.authorization !== undefined) return byToken(store, caller.authorization);
  return unknown("neither a valid client certificate nor an identity was shown");
}

async function byCertificate(
  store: ClusterStore,
  { name, unit, organisation }: CertificateFacts,
): Promise<Authentication<Principal>> {
  if (unit === "gateway") {
    return name === "gateway"
      ? { kind: "known", principal: { kind: "gateway" } }
      : unknown(`the certificate names a gateway ${name}`);
  }
  const entry = await rosterEntry(store, name);
  if (entry === undefined) return unknown(`instance ${name} is not in the roster`);
  if (entry.state === "gone") return gone(name);
  if (entry.role !== unit || entry.group !== organisation) {
    return unknown(
      `the certificate of ${name} is for ${unit} of ${organisation}, the roster says ${entry.role} of ${entry.group}`,
    );
  }
  return {
    kind: "known",
    principal: {
      kind: "instance",
      by: "certificate",
      instance: name,
      group: entry.group,
      role: entry.role,
    },
  };
}

async function byToken(store: ClusterStore, authorization: string): Promise<Authentication<Principal>> {
  const [, instance = "", token = ""] = /^Slipway (\S{1,256}) (\S{1,1024})$/.exec(authorization) ?? [];
  const entry = await rosterEntry(store, instance);
  const shown = createHash("sha256").update(token).digest();
  const expected = Buffer.from(entry?.tokenHash ?? "", "hex");
  const right = expected.length === shown.length && timingSafeEqual(shown, expected);
  if (right && entry?.state === "gone") return gone(instance);
  // One answer for all: who holds no token learns nothing of the roster.
  if (entry === undefined || !right || entry.state !== "present")
    return unknown("the identity is not that of an instance in the roster");
  return {
    kind: "known",
    principal: { kind: "instance", by: "identity", instance, group: entry.group, role: entry.role },
  };
}

async function byJoinToken(
  store: ClusterStore,
  authorization: string,
  address: string,
): Promise<Authentication<Principal>> {
  const [, id = "", secret = ""] = /^Slipway-Join ([a-z0-9]{1,64})\.([A-Za-z0-9]{1,256})$/.exec(authorization) ?? [];
  const record = id === "" ? undefined : (await readRecord(store, "joinToken", { id }))?.value;
  const shown = createHash("sha256").update(secret).digest();
  const expected = Buffer.from(record?.hash ?? "", "hex");
  if (record?.id !== id || expected.length !== shown.length || !timingSafeEqual(shown, expected))
    return unknown("the join token is not one of this cluster");
  return { kind: "known", principal: { kind: "joiner", group: record.group, token: id, address } };
}

async function rosterEntry(store: ClusterStore, instance: string) {
  if (!isKey(instance) || instance.includes("/")) return undefined;
  const entry = (await readRecord(store, "roster", { instance }))?.value;
  return entry?.instance === instance ? entry : undefined;
}

function gone(instance: string): Authentication<Principal> {
  return { kind: "gone", why: `instance ${instance} has left the cluster` };
}

function unknown(why: string): Authentication<Principal> {
  return { kind: "unknown", why };
}
