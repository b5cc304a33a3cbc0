import type { Cluster, Group } from "../../../cluster/cluster.ts";
import { objectKey, runtimeFolder } from "../../../records/objects.ts";
import { records, type Party, type RecordKind, type RecordName } from "../../../records/table.ts";
import { tagNames } from "../../../records/tags.ts";
import { storeArn } from "./store.ts";
import type { Properties, Value } from "./value.ts";

/** One statement of an IAM policy that allows. */
export type Statement = {
  readonly sid: string;
  readonly actions: readonly string[];
  readonly resources: readonly Value[];
  readonly condition?: Properties;
};

export function document(statements: readonly Statement[]): Properties {
  return {
    Version: "2012-10-17",
    Statement: statements.map(({ sid, actions, resources, condition }) => ({
      Sid: sid,
      Effect: "Allow",
      Action: [...actions],
      Resource: resources.length === 1 && resources[0] !== undefined ? resources[0] : [...resources],
      ...(condition === undefined ? {} : { Condition: condition }),
    })),
  };
}

/** Names of the file mean themselves in a policy, also where IAM would see a wildcard or a variable. */
export function policyText(text: string): string {
  return text.replaceAll(/[$*?]/g, (found) => `\${${found}}`);
}

/**
 * Which parties a role's instances are, of whatever instance a record speaks. A control member is its disk, not the machine
 * of the day, so that its own records bear another's name.
 */
const played: Readonly<Record<Group["role"], readonly Party[]>> = {
  control: ["control", "control-identity", "own", "own-identity"],
  worker: ["worker"],
};

/** What a gateway keeps on other targets, and control nodes on AWS: who is there, under which name. */
const keptByControl: ReadonlySet<RecordName> = new Set(["roster", "bootstrap", "nodeName"]);

/** What a record's key is for a group, where its parties have a part in it; undefined where they have none. */
function keyFor(name: RecordName, parties: readonly Party[], group: Group): string | undefined {
  const { key } = records[name];
  const keeps = group.role === "control" && keptByControl.has(name) && parties.includes("gateway");
  const whole = keeps || parties.some((party) => played[group.role].includes(party));
  const own = parties.some((party) => party === "own" || party === "own-identity");
  const inGroup = parties.includes("own-group");
  if (!whole && !own && !inGroup) return undefined;
  // A role has all that is its role's; else only what bears its own name.
  return objectKey(
    key.replaceAll(/\{(\w+)\}/g, (_, part: string) => {
      if (!whole && part === "instance") return "${aws:userid}";
      return !whole && part === "group" ? policyText(group.name) : "*";
    }),
  );
}

function keysFor(group: Group, party: "read" | "write", how?: RecordKind["how"]): readonly string[] {
  // The table's keys are the records' names.
  const keys = (Object.keys(records) as RecordName[])
    .filter((name) => how === undefined || records[name].how === how)
    .flatMap((name) => keyFor(name, records[name][party], group) ?? []);
  return [...new Set(keys)].toSorted();
}

/**
 * What a group's nodes may do with the store, from the table of records: read, create, and change what they have read. Nobody
 * deletes. Creating asks for `If-None-Match`, changing for `If-Match`, so that even a stolen credential overwrites nothing blindly.
 */
export function storeStatements(group: Group): readonly Statement[] {
  const read = keysFor(group, "read");
  const changed = keysFor(group, "write", "conditional");
  return [
    { sid: "ReadRecords", actions: ["s3:GetObject"], resources: read.map(storeArn) },
    {
      sid: "CreateRecords",
      actions: ["s3:PutObject"],
      resources: keysFor(group, "write").map(storeArn),
      condition: { Null: { "s3:if-none-match": "false" } },
    },
    {
      sid: "ChangeRecords",
      actions: ["s3:PutObject"],
      resources: changed.map(storeArn),
      condition: { Null: { "s3:if-match": "false" } },
    },
    // Without it a record that is not there looks like one that may not be read.
    {
      sid: "ListRecords",
      actions: ["s3:ListBucket"],
      resources: [storeArn("")],
      condition: { StringLike: { "s3:prefix": [...new Set(read.map((key) => listed(key)))] } },
    },
    { sid: "FetchPrograms", actions: ["s3:GetObject"], resources: [storeArn(`${runtimeFolder}*`)] },
  ];
}

/** A folder's keys are listed by its name; a key without a folder by itself. */
function listed(key: string): string {
  const star = key.indexOf("*");
  return star === -1 ? key : `${key.slice(0, star)}*`;
}

/** Only what bears this cluster's tag. */
export function taggedOurs(cluster: Cluster, more: Readonly<Record<string, string>> = {}): Properties {
  return {
    StringEquals: {
      [`aws:ResourceTag/${tagNames.cluster}`]: cluster.name,
      ...Object.fromEntries(Object.entries(more).map(([name, value]) => [`aws:ResourceTag/${name}`, value])),
    },
  };
}
