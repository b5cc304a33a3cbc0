import { describe, expect, test } from "vitest";
import { imds } from "../../src/host/aws/imds.ts";
import { type Answer, dropped, scriptedFetch, type Sent } from "./scripted-fetch.ts";

const document = {
  instanceId: "i-0123456789abcdef0",
  accountId: "012345678901",
  region: "eu-central-1",
  availabilityZone: "eu-central-1a",
  privateIp: "10.0.1.11",
};
const expiration = Date.UTC(2026, 10, 21, 18);

/** The metadata service as EC2 documents it: every read needs a session token that it gave. */
function service({ role = "demo-control", tokens = ["t1", "t2"] } = {}) {
  const given: string[] = [];
  let valid = "";
  const answer = ({ method, url, headers }: Sent): Response => {
    const path = new URL(url).pathname.replace("/latest/", "");
    if (method === "PUT" && path === "api/token") {
      valid = tokens[given.length] ?? "none";
      given.push(headers.get("x-aws-ec2-metadata-token-ttl-seconds") ?? "");
      return new Response(valid);
    }
    if (headers.get("x-aws-ec2-metadata-token") !== valid) return new Response("", { status: 401 });
    if (path === "dynamic/instance-identity/document") return Response.json(document);
    if (path === "meta-data/iam/security-credentials/" && role !== "") return new Response(`${role}\n`);
    if (role !== "" && path === `meta-data/iam/security-credentials/${role}`)
      return Response.json({
        AccessKeyId: "ASIA",
        SecretAccessKey: "secret",
        Token: "session",
        Expiration: new Date(expiration).toISOString(),
      });
    return new Response("", { status: 404 });
  };
  return { answer, given, forget: () => (valid = "somebody else's") };
}
function asked(script: readonly Answer[], start = Date.UTC(2026, 10, 21, 12)) {
  let now = start;
  const { fetch, sent } = scriptedFetch(...script);
  const clock = { now: () => now, sleep: async (milliseconds: number) => void (now += milliseconds) };
  return { metadata: imds({ clock, fetch }), sent, pass: (milliseconds: number) => void (now += milliseconds) };
}

describe("an instance's metadata service", () => {
  test("is asked with a session token, one for many questions", async () => {
    const { answer, given } = service();
    const { metadata } = asked([answer]);
    expect(await metadata.identity()).toEqual({
      instance: document.instanceId,
      account: document.accountId,
      region: document.region,
      zone: document.availabilityZone,
      address: document.privateIp,
    });
    expect(await metadata.get("meta-data/nothing")).toBeUndefined();
    expect(given).toEqual(["21600"]);
  });

  test("gives another token where the old one is not known any more", async () => {
    const { answer, given, forget } = service();
    const { metadata } = asked([answer]);
    await metadata.identity();
    forget();
    expect((await metadata.identity()).instance).toBe(document.instanceId);
    expect(given).toHaveLength(2);
  });

  test("gives the role's credentials, again five minutes before they end", async () => {
    const { answer } = service();
    const { metadata, sent, pass } = asked([answer]);
    expect(await metadata.credentials(false)).toEqual({
      accessKeyId: "ASIA",
      secretAccessKey: "secret",
      sessionToken: "session",
    });
    const before = sent.length;
    pass(expiration - Date.UTC(2026, 10, 21, 12) - 5 * 60_000 - 1);
    await metadata.credentials(false);
    expect(sent.length).toBe(before);
    pass(2);
    await metadata.credentials(false);
    expect(sent.length).toBeGreaterThan(before);
  });

  test("without a role says what is missing", async () => {
    const { answer } = service({ role: "" });
    await expect(asked([answer]).metadata.credentials(false)).rejects.toThrow("names no instance profile");
  });

  test("that does not answer is asked four times, and no more", async () => {
    const { metadata, sent } = asked([dropped]);
    await expect(metadata.get("meta-data/x")).rejects.toThrow("fetch failed");
    expect(sent).toHaveLength(4);
  });
});
