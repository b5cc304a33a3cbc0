import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeRecord } from "../../src/records/access.ts";
import { authorise, checkWrite } from "../../src/records/authorisation.ts";
import { type Party, type Principal, type RecordName, records } from "../../src/records/table.ts";
import type { StoreVerb } from "../../src/store/caller.ts";
import { isKey } from "../../src/store/store.ts";
import { partiesOf, principalNames, principals, sampleKey } from "./sample.ts";

// The keys of an object that is written out in the source.
const names = Object.keys(records) as readonly RecordName[];
const may = (principal: Principal, verb: StoreVerb, key: string): boolean => authorise(principal, verb, key).allowed;

describe("every record kind, principal and verb is as the table says", () => {
  const cases = names.flatMap((name) =>
    principalNames.flatMap((principal) => [true, false].map((mine) => ({ name, principal, mine }))),
  );

  test.each(cases)("$name: $principal (own: $mine)", ({ name, principal: who, mine }) => {
    const principal: Principal = principals[who];
    const own = principal.kind === "instance" && mine ? { instance: principal.instance, group: principal.group } : {};
    const key = sampleKey(name, own);
    const { read, write, how }: { read: readonly Party[]; write: readonly Party[]; how: string } = records[name];
    const parties = partiesOf(who, name, mine);
    const reads = parties.some((party) => read.includes(party));
    const writes = parties.some((party) => write.includes(party));
    expect({
      get: may(principal, "get", key),
      create: may(principal, "create", key),
      update: may(principal, "update", key),
      delete: may(principal, "delete", key),
    }).toEqual({
      get: reads,
      create: writes,
      update: writes && how === "conditional",
      delete: who === "operator",
    });
    if (reads) expect(may(principal, "list", key), "who may read a key may list it").toBe(true);
  });

  test("no key is of two kinds, and every key is a key", () => {
    for (const name of names) {
      expect(isKey(sampleKey(name))).toBe(true);
      const alike = names.filter((other) =>
        new RegExp(`^${records[other].key.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(sampleKey(name)),
      );
      expect(alike).toEqual([name]);
    }
  });
});

describe("refusals by name", () => {
  const { operator, gateway, control, controlIdentity, worker, workerIdentity } = principals;
  const controlKeys = names.map((name) => sampleKey(name)).filter((key) => key.startsWith("control/"));
  const verbs: readonly StoreVerb[] = ["get", "create", "update", "delete"];

  test("keys outside the table are refused for everyone", () => {
    for (const key of [
      "other",
      "control",
      "control/issuers",
      "control/issuers/a/b",
      "nodes",
      "roster/a/b",
      "lock/a",
      "revisions/r/groups",
      "Cluster",
    ]) {
      for (const who of principalNames)
        for (const verb of verbs) expect(may(principals[who], verb, key), `${who} ${verb} ${key}`).toBe(false);
    }
  });

  test("a worker reads, lists and writes nothing of the control group", () => {
    expect(controlKeys.length).toBeGreaterThanOrEqual(4);
    for (const key of controlKeys)
      for (const verb of verbs) expect(may(worker, verb, key), `${verb} ${key}`).toBe(false);
    for (const prefix of [
      "control/",
      "control",
      "contro",
      "control/issuers/",
      "control/swarm-token",
      "services/",
      "journal/",
      "lock",
    ]) {
      expect(may(worker, "list", prefix), prefix).toBe(false);
    }
  });

  test("a worker without a certificate reads nothing of the control group", () => {
    for (const key of controlKeys)
      for (const verb of verbs) expect(may(workerIdentity, verb, key), `${verb} ${key}`).toBe(false);
  });

  test("the gateway reads what it admits machines by, and nothing else of the control group", () => {
    expect(controlKeys.filter((key) => may(gateway, "get", key))).toEqual([sampleKey("joinToken")]);
    for (const verb of ["create", "update", "delete"] as const)
      for (const key of controlKeys) expect(may(gateway, verb, key), `${verb} ${key}`).toBe(false);
  });

  test("who shows a join token may ask to join, once, and reads nothing", () => {
    const { joiner } = principals;
    expect(names.filter((name) => may(joiner, "create", sampleKey(name)))).toEqual(["join"]);
    for (const name of names)
      for (const verb of ["get", "update", "delete", "list"] as const)
        expect(may(joiner, verb, sampleKey(name)), `${verb} ${name}`).toBe(false);
    expect(may(joiner, "list", "")).toBe(false);
  });

  test("a control instance without a certificate reads the issuing authorities and no other secret", () => {
    expect(controlKeys.filter((key) => may(controlIdentity, "get", key))).toEqual([sampleKey("issuer")]);
    expect(may(controlIdentity, "get", sampleKey("workerToken"))).toBe(false);
  });

  test("nobody writes another instance's records", () => {
    const foreign = names.filter((name) => records[name].write.some((party: Party) => party.startsWith("own")));
    expect(foreign).toEqual(["registration", "request", "etcdClaim", "etcdJoined", "node"]);
    for (const name of foreign) {
      for (const who of [control, controlIdentity, worker, workerIdentity]) {
        for (const verb of ["create", "update", "delete"] as const)
          expect(may(who, verb, sampleKey(name, { instance: "x9" })), `${name} ${verb}`).toBe(false);
      }
    }
  });

  test("an identity alone touches its bootstrap, registration, request and certificate, and what all may know", () => {
    const own = { instance: workerIdentity.instance, group: workerIdentity.group };
    const readable = names.filter((name) => may(workerIdentity, "get", sampleKey(name, own)));
    expect(readable).toEqual(["cluster", "generation", "root", "bootstrap", "registration", "request", "certificate"]);
    const writable = names.filter((name) => may(workerIdentity, "create", sampleKey(name, own)));
    expect(writable).toEqual(["registration", "request"]);
    const foreign = names.filter((name) => may(workerIdentity, "get", sampleKey(name, { instance: "x9" })));
    expect(foreign).toEqual(["cluster", "generation", "root"]);
  });

  test("nobody but the operator deletes anything, not even its own", () => {
    const others: readonly Principal[] = [gateway, principals.joiner, control, controlIdentity, worker, workerIdentity];
    for (const name of names) {
      for (const who of others) {
        const own = who.kind === "instance" ? { instance: who.instance, group: who.group } : {};
        expect(may(who, "delete", sampleKey(name, own)), name).toBe(false);
      }
      expect(may(operator, "delete", sampleKey(name)), name).toBe(true);
    }
  });

  test("what is written once is changed by nobody, the operator included", () => {
    const once = names.filter((name) => records[name].how === "once");
    expect(once.length).toBeGreaterThan(5);
    for (const name of once)
      for (const who of principalNames)
        expect(may(principals[who], "update", sampleKey(name)), `${who} ${name}`).toBe(false);
  });

  test("an instance reads the revision of its own group and of no other", () => {
    expect(may(worker, "get", "revisions/r1/groups/web")).toBe(true);
    expect(may(worker, "get", "revisions/r1/groups/control")).toBe(false);
    expect(may(control, "get", "revisions/r1/groups/web")).toBe(false);
    expect(may(worker, "list", "revisions/r1/groups/w")).toBe(true);
    expect(may(worker, "list", "revisions/r1/groups/c")).toBe(false);
  });

  test("a refusal says who may not do what", () => {
    expect(authorise(worker, "get", "control/swarm-token")).toEqual({
      allowed: false,
      why: "worker w1 may not get control/swarm-token",
    });
    expect(authorise(workerIdentity, "list", "nodes/")).toEqual({
      allowed: false,
      why: "worker w1 (without a certificate) may not list nodes/",
    });
  });
});

describe("lists", () => {
  test("a prefix is forbidden exactly when no readable key can begin with it", () => {
    const part = fc.constantFrom("c1", "w1", "x9", "web", "control", "some");
    const anyKey = fc
      .tuple(fc.constantFrom(...names), part, part, part)
      .map(([name, instance, group, other]) =>
        records[name].key.replaceAll(/\{(\w+)\}/g, (_, one: string) =>
          one === "instance" ? instance : one === "group" ? group : other,
        ),
      );
    fc.assert(
      fc.property(fc.constantFrom(...principalNames), anyKey, fc.nat(60), (who, key, length) => {
        const principal: Principal = principals[who];
        if (may(principal, "get", key))
          expect(may(principal, "list", key.slice(0, length)), `${who} ${key.slice(0, length)}`).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test("an instance may list what begins with its own name, and not what begins with another's", () => {
    expect(may(principals.worker, "list", "nodes/w")).toBe(true);
    expect(may(principals.worker, "list", "nodes/w1")).toBe(true);
    expect(may(principals.worker, "list", "nodes/w2")).toBe(false);
    expect(may(principals.worker, "list", "nodes/w1/")).toBe(false);
    expect(may(principals.workerIdentity, "list", "registrations/g/w1")).toBe(true);
    expect(may(principals.workerIdentity, "list", "registrations/g/x9")).toBe(false);
    expect(may(principals.control, "list", "registrations//")).toBe(false);
  });
});

describe("what may be written", () => {
  const { operator, control, worker, workerIdentity } = principals;
  const registration = {
    instance: "w1",
    node: "demo-web-1",
    group: "web",
    role: "worker",
    address: "10.0.0.9",
    nonce: "n",
    time: 1,
  };
  const key = "registrations/g/w1";

  test("a record that fits and names its writer", () => {
    expect(checkWrite(workerIdentity, key, encodeRecord(registration))).toEqual({ kind: "good" });
    expect(checkWrite(worker, key, encodeRecord(registration))).toEqual({ kind: "good" });
  });

  test.each([
    ["instance", { instance: "w2" }],
    ["role", { role: "control" }],
    ["group", { group: "control" }],
  ])("never one whose %s is not the writer's", (field, change) => {
    const check = checkWrite(worker, key, encodeRecord({ ...registration, ...change }));
    expect(check).toMatchObject({
      kind: "forbidden",
      why: expect.stringContaining(`${field} says`),
    });
  });

  test("a control instance claims in no other's name", () => {
    const claim = (instance: string): Uint8Array => encodeRecord({ instance, epoch: 1, nonce: "n" });
    expect(checkWrite(control, "formation/g/swarm/claim", claim("c1"))).toEqual({ kind: "good" });
    expect(checkWrite(control, "formation/g/swarm/claim", claim("c2"))).toMatchObject({
      kind: "forbidden",
    });
  });

  test("a join names its own instance and its own token", () => {
    const { joiner } = principals;
    const join = { instance: "i-1", token: "t1", address: "10.0.0.9", tokenHash: "0".repeat(64), nonce: "n" };
    expect(checkWrite(joiner, "joins/i-1", encodeRecord(join))).toEqual({ kind: "good" });
    expect(checkWrite(joiner, "joins/i-2", encodeRecord(join))).toMatchObject({ kind: "forbidden" });
    expect(checkWrite(joiner, "joins/i-1", encodeRecord({ ...join, token: "t2" }))).toMatchObject({
      kind: "forbidden",
    });
  });

  test.each([
    ["an address that is none", { address: "10.0.0.9; reboot" }],
    ["a text for a sum", { tokenHash: "0".repeat(65) }],
    ["a nonce that fills the disk", { nonce: "n".repeat(65) }],
    ["an instance of no such form", { instance: "x".repeat(200) }],
  ])("never a join with %s", (_, change) => {
    const join = { instance: "i-1", token: "t1", address: "10.0.0.9", tokenHash: "0".repeat(64), nonce: "n" };
    expect(checkWrite(principals.joiner, "joins/i-1", encodeRecord({ ...join, ...change }))).toMatchObject({
      kind: "invalid",
    });
  });

  test("the operator writes of any instance", () => {
    const roster = {
      instance: "w1",
      node: "demo-web-1",
      group: "web",
      role: "worker",
      address: "",
      state: "present",
      tokenHash: "",
      since: 1,
      nonce: "n",
    };
    expect(checkWrite(operator, "roster/w1", encodeRecord(roster))).toEqual({ kind: "good" });
  });

  test.each([
    ["not JSON", new TextEncoder().encode("{")],
    ["not UTF-8", Uint8Array.from([0x22, 0xff, 0x22])],
    ["nothing", new Uint8Array()],
    ["another shape", encodeRecord({ instance: "w1" })],
    ["a field of the wrong type", encodeRecord({ ...registration, time: "now" })],
    ["null", encodeRecord(null)],
  ])("%s is invalid", (_, value) => {
    expect(checkWrite(worker, key, value)).toMatchObject({ kind: "invalid" });
    expect(checkWrite(operator, key, value)).toMatchObject({ kind: "invalid" });
  });
});
