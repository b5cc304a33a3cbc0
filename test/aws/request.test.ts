import { describe, expect, test } from "vitest";
import { awsRequester, type AwsPorts } from "../../src/host/aws/request.ts";
import { seededRandom } from "./seeded.ts";
import { type Answer, dropped, refused, scriptedFetch } from "./scripted-fetch.ts";

const good = () => new Response("fine");
const request = {
  service: "ec2",
  method: "POST",
  url: "https://ec2.eu-central-1.amazonaws.com/",
  body: "Action=X",
} as const;

function asking(script: readonly Answer[], ports: Partial<AwsPorts> = {}) {
  const { fetch, sent } = scriptedFetch(...script);
  const pauses: number[] = [];
  const asked: boolean[] = [];
  let now = Date.UTC(2026, 10, 21, 12);
  const send = awsRequester({
    region: "eu-central-1",
    credentials: async (anew) => {
      asked.push(anew);
      return { accessKeyId: anew ? "AKIDNEW" : "AKIDOLD", secretAccessKey: "secret", sessionToken: "session" };
    },
    clock: {
      now: () => now,
      sleep: async (milliseconds) => {
        pauses.push(milliseconds);
        now += milliseconds;
      },
    },
    random: seededRandom(7),
    fetch,
    ...ports,
  });
  return { send, sent, pauses, asked };
}
const signature = (headers: Headers | undefined) => headers?.get("authorization") ?? "";

describe("a request to AWS", () => {
  test("is signed for its service, region and day, with the session's token", async () => {
    const { send, sent } = asking([good]);
    const answer = await send(request);
    expect([answer.status, answer.repeated]).toEqual([200, false]);
    expect(signature(sent[0]?.headers)).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDOLD\/20261121\/eu-central-1\/ec2\/aws4_request, SignedHeaders=\S+, Signature=[0-9a-f]{64}$/,
    );
    expect(sent[0]?.headers.get("x-amz-security-token")).toBe("session");
    expect(sent[0]?.headers.get("x-amz-date")).toBe("20261121T120000Z");
  });

  test.each([
    ["throttled", refused(400, "RequestLimitExceeded")],
    ["told to slow down", refused(503, "SlowDown")],
    ["answered by a broken server", refused(500, "InternalError")],
    ["in conflict with another write", refused(409, "ConditionalRequestConflict")],
    ["not answered", dropped],
  ])("that is %s is sent again after a pause, and says so", async (_, answer) => {
    const { send, sent, pauses } = asking([answer, answer, good]);
    const last = await send(request);
    expect([last.status, last.repeated, sent.length]).toEqual([200, true, 3]);
    expect(pauses).toHaveLength(2);
    expect(pauses.every((pause) => pause >= 0 && pause <= 400)).toBe(true);
  });

  test("is sent five times at most, and the error names AWS's reason", async () => {
    const { send, sent } = asking([refused(503, "Throttling")]);
    await expect(send(request)).rejects.toMatchObject({
      kind: "unreachable",
      code: "Throttling",
      message: "ec2 of AWS is busy: Throttling: because",
    });
    expect(sent).toHaveLength(5);
    const silent = asking([dropped]);
    await expect(silent.send(request)).rejects.toMatchObject({
      message: "ec2 of AWS did not answer: other side closed",
    });
    expect(silent.sent).toHaveLength(5);
  });

  test("that is refused comes back as it is, at once", async () => {
    const { send, sent } = asking([refused(403, "AccessDenied")]);
    expect((await send(request)).status).toBe(403);
    expect(sent).toHaveLength(1);
  });

  test("is signed with new credentials when the old ones have expired, once", async () => {
    const { send, sent, asked } = asking([refused(400, "ExpiredToken"), good]);
    expect((await send(request)).status).toBe(200);
    expect(asked).toEqual([false, true]);
    expect(signature(sent[1]?.headers)).toContain("Credential=AKIDNEW/");
    const hopeless = asking([refused(400, "ExpiredToken")]);
    expect((await hopeless.send(request)).status).toBe(400);
    expect(hopeless.sent).toHaveLength(2);
  });

  test("is signed by AWS's clock when this machine's is wrong, and so are those that follow", async () => {
    const theirs = "Sat, 21 Nov 2026 13:00:00 GMT";
    const { send, sent } = asking([refused(403, "RequestTimeTooSkewed", { date: theirs }), good]);
    expect((await send(request)).status).toBe(200);
    await send(request);
    expect(sent.map(({ headers }) => headers.get("x-amz-date"))).toEqual([
      "20261121T120000Z",
      "20261121T130000Z",
      "20261121T130000Z",
    ]);
  });

  test("is not sent any more once its signal is aborted", async () => {
    const { send, sent } = asking([good], { signal: AbortSignal.abort() });
    await expect(send(request)).rejects.toMatchObject({ kind: "closed" });
    expect(sent).toHaveLength(0);
  });
});
