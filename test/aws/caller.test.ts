import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProofRefused, proveCaller, verifyCaller } from "../../src/host/aws/caller.ts";
import { refused, scriptedFetch } from "./scripted-fetch.ts";

const region = "eu-central-1";
const binding = createHash("sha256").update("a certificate request").digest("hex");
const clock = { now: () => Date.UTC(2026, 10, 21, 12), sleep: async () => {} };
const prove = (for_ = binding) =>
  proveCaller(
    { region, clock, credentials: { accessKeyId: "ASIA", secretAccessKey: "secret", sessionToken: "session" } },
    for_,
  );
const says = (arn: string) => () =>
  new Response(
    `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>${arn}</Arn><Account>012345678901</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`,
  );
const role = "arn:aws:sts::012345678901:assumed-role/demo-control/i-0123456789abcdef0";

describe("an instance's proof of who it is", () => {
  test("is sent to AWS by who verifies it, and AWS's answer counts", async () => {
    const { fetch, sent } = scriptedFetch(says(role));
    expect(await verifyCaller({ region, fetch }, await prove(), binding)).toEqual({
      account: "012345678901",
      role: "demo-control",
      session: "i-0123456789abcdef0",
    });
    expect(sent).toHaveLength(1);
    expect(sent[0]?.url).toBe("https://sts.eu-central-1.amazonaws.com/");
    expect(sent[0]?.headers.get("x-slipway-binding")).toBe(binding);
    expect(new TextDecoder().decode(sent[0]?.body)).toBe("Action=GetCallerIdentity&Version=2011-06-15");
  });

  test("holds no secret", async () => {
    expect(await prove()).not.toContain("secret");
  });

  test("is another one for each thing that it is for", async () => {
    const signature = (proof: string) => /Signature=(\w+)/.exec(proof)?.[1];
    expect(signature(await prove("aa"))).not.toBe(signature(await prove("bb")));
  });

  test("carries to AWS what the verifier wants it bound to, whatever it was made for", async () => {
    const { fetch, sent } = scriptedFetch(refused(403, "SignatureDoesNotMatch"));
    await expect(verifyCaller({ region, fetch }, await prove("aa"), binding)).rejects.toThrow(ProofRefused);
    expect(sent[0]?.headers.get("x-slipway-binding")).toBe(binding);
  });

  test.each([
    ["unreadable", "{", "not readable"],
    ["empty", "{}", "no authorization"],
    [
      "signed without what it is for",
      JSON.stringify({
        authorization: `AWS4-HMAC-SHA256 Credential=A/20261121/${region}/sts/aws4_request, SignedHeaders=host;x-amz-date, Signature=00`,
        "x-amz-date": "20261121T120000Z",
        "x-amz-security-token": "",
      }),
      "not signed with it",
    ],
  ])("that is %s is refused before anyone is asked", async (_, proof, why) => {
    const { fetch, sent } = scriptedFetch(says(role));
    await expect(verifyCaller({ region, fetch }, proof, binding)).rejects.toThrow(why);
    expect(sent).toHaveLength(0);
  });

  test.each([
    "arn:aws:iam::012345678901:user/somebody",
    "arn:aws:iam::012345678901:root",
    "arn:aws:sts::012345678901:federated-user/x",
    "",
  ])("of %s is refused: no instance's role", async (arn) => {
    const { fetch } = scriptedFetch(says(arn));
    await expect(verifyCaller({ region, fetch }, await prove(), binding)).rejects.toThrow(ProofRefused);
  });

  test("that AWS is too busy to judge is not refused: it is asked again later", async () => {
    const { fetch } = scriptedFetch(refused(503, "Throttling"));
    await expect(verifyCaller({ region, fetch }, await prove(), binding)).rejects.not.toThrow(ProofRefused);
  });

  test("of any text whatever changes nothing but the three values in the request", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.dictionary(fc.string(), fc.string()).map((x) => JSON.stringify(x)),
        ),
        async (proof) => {
          const { fetch, sent } = scriptedFetch(says(role));
          await verifyCaller({ region, fetch }, proof, binding).catch(() => undefined);
          expect(sent).toHaveLength(0);
        },
      ),
      { numRuns: 300 },
    );
  });
});
