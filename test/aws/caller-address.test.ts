import { expect, test } from "vitest";
import { publicAddress } from "../../src/targets/aws/facts/public-address.ts";
import { seededRandom, virtualClock } from "../../src/host/virtual.ts";
import { openSession } from "../../src/targets/aws/clients/session.ts";
import { callerFor } from "../../src/targets/aws/facts/caller.ts";
import { describeFacts } from "../../src/targets/aws/facts/gather.ts";
import { awsCluster, compiled, templateOf } from "./scenarios.ts";

const text =
  "name: demo\ngroups: { control: { count: 1, role: control } }\naws: { allow_ssh_from: [caller, 198.51.100.0/24] }\n";
const asking = awsCluster(text);
const silent = awsCluster(text.replace("caller, ", ""));

/** A world that answers with these, one after the other, and notes who is asked. */
function answering(...answers: readonly (() => Response)[]) {
  const asked: string[] = [];
  const clock = virtualClock(0);
  const fetch = async (url: string | URL | Request): Promise<Response> => {
    asked.push(url instanceof Request ? url.url : String(url));
    const answer = answers[Math.min(asked.length, answers.length) - 1];
    if (answer === undefined) throw new Error("nobody is there");
    return answer();
  };
  return { asked, clock, fetch: fetch as typeof globalThis.fetch };
}

const says =
  (body: string, status = 200) =>
  () =>
    new Response(body, { status });

test("whoever asks hears the public address, by https, once", async () => {
  const world = answering(says("203.0.113.7\n"));
  // 203.0.113.0/24 is for documentation, and so not public.
  await expect(ended(world)).rejects.toThrow("is no public IPv4 address");
  const real = answering(says("8.8.4.4\n"));
  expect(await publicAddress(real)).toBe("8.8.4.4");
  expect(real.asked).toEqual(["https://checkip.amazonaws.com/"]);
});

/** Its pauses pass by themselves. */
async function ended(world: ReturnType<typeof answering>): Promise<string> {
  const found = publicAddress(world);
  const done = found.then(
    () => true,
    () => true,
  );
  for (let turn = 0; turn < 20; turn++) {
    await world.clock.advance(1_000);
    await Promise.resolve();
  }
  await done;
  return found;
}

test.each([
  ["an error", says("busy", 503), "it says 503"],
  ["a page", says("<html>log in to the hotel's network</html>"), "is no public IPv4 address"],
  ["a private address", says("10.0.0.5"), "is no public IPv4 address"],
  ["a network", says("8.8.4.0/24"), "is no public IPv4 address"],
  ["an address of IPv6", says("2001:db8::1"), "is no public IPv4 address"],
  ["a short form", says("8.8"), "is no public IPv4 address"],
])("%s is no answer, and after three of them it says so", async (_, answer, why) => {
  const world = answering(answer);
  await expect(ended(world)).rejects.toThrow(why);
  expect(world.asked).toHaveLength(3);
});

test("one that is busy is asked again", async () => {
  const world = answering(says("", 503), says("8.8.4.4"));
  expect(await ended(world)).toBe("8.8.4.4");
});

test("is asked only where the file says caller, and not again while it is pinned", async () => {
  const world = answering(says("8.8.4.4"));
  const session = openSession({
    fetch: world.fetch,
    clock: world.clock,
    random: seededRandom(1),
    region: "eu-central-1",
  });
  expect(await callerFor(session, silent, undefined)).toBeUndefined();
  expect(await callerFor(session, asking, "8.8.8.8/32")).toBe("8.8.8.8/32");
  expect(world.asked).toEqual([]);
  expect(await callerFor(session, asking, undefined)).toBe("8.8.4.4/32");
});

test("where nobody tells it, the error says what to write instead", async () => {
  const world = answering();
  const session = openSession({
    fetch: world.fetch,
    clock: world.clock,
    random: seededRandom(1),
    region: "eu-central-1",
  });
  const found = callerFor(session, asking, undefined);
  const failed = expect(found).rejects.toMatchObject({
    message: expect.stringMatching(
      /^aws\.allow_ssh_from: .*does not tell this machine's public address: nobody is there/,
    ),
    next: "allow_ssh_from: 203.0.113.7/32 in the file, with your own address",
  });
  for (let turn = 0; turn < 10; turn++) await world.clock.advance(1_000);
  await failed;
});

test("stands in the template as a parameter, with its fact as the default, and in the plan", () => {
  const rule = { "Fn::GetAtt": ["EveryNode", "GroupId"] };
  const known = templateOf(compiled(asking, { caller: "8.8.4.4/32" }));
  expect(known.Parameters["CallerAddress"]).toMatchObject({ Type: "String", Default: "8.8.4.4/32" });
  expect(known.Resources["EveryNodeTcp22FromCaller"]?.Properties).toMatchObject({
    GroupId: rule,
    CidrIp: { Ref: "CallerAddress" },
    FromPort: 22,
    ToPort: 22,
  });
  // Nobody was asked: whoever launches it says it.
  expect(templateOf(compiled(asking)).Parameters["CallerAddress"]).not.toHaveProperty("Default");
  expect(templateOf(compiled(silent, { caller: "8.8.4.4/32" })).Parameters).not.toHaveProperty("CallerAddress");
  expect(describeFacts({ caller: "8.8.4.4/32" }, 0, 0).join("\n")).toContain("ssh from 8.8.4.4/32");
});
