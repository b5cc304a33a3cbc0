import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { objectKey, recordKey } from "../../src/records/objects.ts";

describe("records in a bucket", () => {
  test("an instance's part of a key is what IAM calls aws:userid", () => {
    expect(objectKey("nodes/AROA2EXAMPLE.i-0abc")).toBe("records/nodes/AROA2EXAMPLE:i-0abc");
    expect(objectKey("formation/1/etcd/claims/AROA2EXAMPLE.i-0abc")).toBe(
      "records/formation/1/etcd/claims/AROA2EXAMPLE:i-0abc",
    );
    expect(objectKey("cluster")).toBe("records/cluster");
  });

  test("what is no record has no key", () => {
    expect(recordKey("runtime/0123")).toBeUndefined();
  });

  test("every key comes back from its object's", () => {
    const part = fc.oneof(
      fc.stringMatching(/^[a-z0-9.-]{1,12}$/),
      fc.stringMatching(/^AROA[A-Z0-9]{1,8}\.i-[0-9a-f]{1,8}$/),
    );
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
        expect(recordKey(objectKey(parts.join("/")))).toBe(parts.join("/"));
      }),
    );
  });
});
