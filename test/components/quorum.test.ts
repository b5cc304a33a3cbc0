import { describe, expect, it } from "vitest";
import { guard, quorumOf, type QuorumChange, type QuorumMember } from "../../src/components/quorum.ts";
import { seen, unknown, type Seen } from "../../src/components/reconciler.ts";

const answers: readonly Seen<boolean>[] = [seen(true), seen(false), unknown("no answer")];

/** Every set of up to seven voters, as how many are healthy, not healthy, unknown; with and without a learner. */
function* sets(): Generator<readonly QuorumMember[]> {
  for (let healthy = 0; healthy <= 7; healthy++) {
    for (let ill = 0; healthy + ill <= 7; ill++) {
      for (let dark = 0; healthy + ill + dark <= 7; dark++) {
        const kinds = [
          ...Array<number>(healthy).fill(0),
          ...Array<number>(ill).fill(1),
          ...Array<number>(dark).fill(2),
        ];
        const voters = kinds.map((kind, at) => ({
          id: `v${at}`,
          voter: true,
          healthy: answers[kind] ?? seen(false),
        }));
        yield voters;
        for (const answer of answers) yield [...voters, { id: "l", voter: false, healthy: answer }];
      }
    }
  }
}

const well = (member: QuorumMember): boolean => member.healthy.kind === "seen" && member.healthy.value;

describe("the guard, for every set of up to seven voters", () => {
  const kinds = ["stop", "replace", "remove", "promote"] as const;
  it.each(kinds)("%s never leaves less than a majority of healthy voters", (kind) => {
    let allowed = 0;
    let refused = 0;
    for (const members of sets()) {
      for (const target of members) {
        const verdict = guard(seen(members), { kind, id: target.id });
        if (!verdict.allowed) {
          refused++;
          expect(verdict.why).not.toBe("");
          continue;
        }
        if (!target.voter && kind !== "promote") continue;
        if (target.voter && kind === "promote") continue;
        allowed++;
        const after = members.filter(
          (member) => (member.voter || kind === "promote") && !(kind === "remove" && member === target),
        );
        const left = after.filter((member) => well(member) && !(kind !== "promote" && member === target));
        expect(left.length).toBeGreaterThanOrEqual(quorumOf(after.length));
        if (kind !== "promote") expect(members.every((member) => member.voter)).toBe(true);
      }
    }
    expect(allowed).toBeGreaterThan(50);
    expect(refused).toBeGreaterThan(50);
  });

  it("lets the dead go whenever there is a quorum and no other change in flight", () => {
    for (const members of sets()) {
      const voters = members.filter((member) => member.voter);
      const dead = voters.find((member) => !well(member));
      if (
        dead === undefined ||
        voters.length !== members.length ||
        voters.filter(well).length < quorumOf(voters.length)
      )
        continue;
      expect(guard(seen(members), { kind: "remove", id: dead.id })).toEqual({ allowed: true });
    }
  });
});

describe("the guard's answers", () => {
  const voters = (...flags: readonly (boolean | undefined)[]): Seen<readonly QuorumMember[]> =>
    seen(
      flags.map((flag, at) => ({
        id: `v${at}`,
        voter: true,
        healthy: flag === undefined ? unknown("no answer") : seen(flag),
      })),
    );
  const learner: QuorumMember = { id: "l", voter: false, healthy: seen(true) };
  const plus = (members: Seen<readonly QuorumMember[]>): Seen<readonly QuorumMember[]> =>
    members.kind === "seen" ? seen([...members.value, learner]) : members;
  const cases: readonly (readonly [string, Seen<readonly QuorumMember[]>, QuorumChange, string])[] = [
    ["who could not look, waits", unknown("timeout"), { kind: "stop", id: "v0" }, "unknown"],
    ["one of three may stop", voters(true, true, true), { kind: "stop", id: "v0" }, "allowed"],
    ["not while another is down", voters(true, false, true), { kind: "stop", id: "v0" }, "quorum"],
    ["not while another is unknown", voters(true, undefined, true), { kind: "stop", id: "v0" }, "quorum"],
    ["the one that is down may", voters(true, false, true), { kind: "replace", id: "v1" }, "allowed"],
    ["not while a learner catches up", plus(voters(true, true, true)), { kind: "stop", id: "v0" }, "in-flight"],
    ["the learner itself may", plus(voters(true, true, true)), { kind: "stop", id: "l" }, "allowed"],
    ["the only one: its owner's word is needed", voters(true), { kind: "stop", id: "v0" }, "only-voter"],
    ["one of two: the same", voters(true, true), { kind: "stop", id: "v0" }, "only-voter"],
    ["two shrink to one", voters(true, true), { kind: "remove", id: "v0" }, "allowed"],
    ["the last one is never removed", voters(true), { kind: "remove", id: "v0" }, "only-voter"],
    ["nothing moves without a quorum", voters(true, false, false), { kind: "remove", id: "v1" }, "quorum"],
    ["one becomes two", plus(voters(true)), { kind: "promote", id: "l" }, "allowed"],
    ["what is no member may go", voters(true, true, true), { kind: "replace", id: "other" }, "allowed"],
    ["what is no member cannot be promoted", voters(true), { kind: "promote", id: "other" }, "unknown"],
  ];
  it.each(cases)("%s", (_, members, change, expected) => {
    const verdict = guard(members, change);
    expect(verdict.allowed ? "allowed" : verdict.because).toBe(expected);
  });
});
