/** Where records lie in a bucket, and where the programs that nodes fetch by their sums lie. */
export const recordsFolder = "records/";
export const runtimeFolder = "runtime/";

/**
 * On AWS an instance is known as the id of its role and its own, `AROA….i-…`. In a bucket's keys the dot between them is a
 * colon: then the part is what IAM calls `aws:userid`, and a role's policy can bind a key to the very instance that asks.
 */
const instancePart = /(^|\/)(AROA[A-Z0-9]+)\.(i-[0-9a-f]+)(?=\/|$)/g;

/** The key of a record's object in a bucket. */
export function objectKey(key: string): string {
  return recordsFolder + key.replace(instancePart, "$1$2:$3");
}

/** The record's key of an object; undefined for what is no record. */
export function recordKey(object: string): string | undefined {
  if (!object.startsWith(recordsFolder)) return undefined;
  return object.slice(recordsFolder.length).replace(/(^|\/)(AROA[A-Z0-9]+):(i-[0-9a-f]+)(?=\/|$)/g, "$1$2.$3");
}
