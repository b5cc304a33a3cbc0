import { type Party, type Principal, type RecordName, records } from "../../src/records/table.ts";

/** A key of a record kind, its braces filled with these values and otherwise with their own names. */
export function sampleKey(name: RecordName, parts: Readonly<Record<string, string>> = {}): string {
  return records[name].key.replaceAll(/\{(\w+)\}/g, (_, part: string) => parts[part] ?? `some-${part}`);
}

const instance = (
  by: "identity" | "certificate",
  role: "control" | "worker",
  name: string,
  group: string,
): Extract<Principal, { kind: "instance" }> => ({
  kind: "instance",
  by,
  instance: name,
  group,
  role,
});

/** Principals by a name that says who they are. */
export const principals = {
  operator: { kind: "operator" },
  gateway: { kind: "gateway" },
  joiner: { kind: "joiner", group: "web", token: "t1", address: "10.0.0.9" },
  control: instance("certificate", "control", "c1", "control"),
  controlIdentity: instance("identity", "control", "c1", "control"),
  worker: instance("certificate", "worker", "w1", "web"),
  workerIdentity: instance("identity", "worker", "w1", "web"),
} as const satisfies Record<string, Principal>;
export type PrincipalName = keyof typeof principals;
export const principalNames: readonly PrincipalName[] = [
  "operator",
  "gateway",
  "joiner",
  "control",
  "controlIdentity",
  "worker",
  "workerIdentity",
];

/**
 * The parties that a principal is of, written out by hand as the oracle: `mine` says that the key names its own
 * instance and group (or none), else it names another's.
 */
export function partiesOf(principal: PrincipalName, name: RecordName, mine: boolean): readonly Party[] {
  const key: string = records[name].key;
  const own = mine || !key.includes("{instance}");
  const ownGroup = mine && key.includes("{group}");
  switch (principal) {
    case "operator":
      return ["operator"];
    case "gateway":
      return ["gateway"];
    case "joiner":
      return ["joiner"];
    case "control":
    case "worker":
      return [principal, ...(own ? (["own"] as const) : []), ...(ownGroup ? (["own-group"] as const) : [])];
    case "controlIdentity":
      return ["control-identity", ...(own ? (["own-identity"] as const) : [])];
    case "workerIdentity":
      return own ? ["own-identity"] : [];
  }
}
