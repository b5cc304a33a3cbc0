import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type EngineProbe,
  RightsError,
  capabilityNames,
  commandProbe,
  findRights,
  readBoundingSet,
} from "../../src/targets/docker/capabilities.ts";
import { failure, pretended } from "./workshop.ts";

const all = (1n << 38n) - 1n;
const known = capabilityNames(all);
const without = (...names: readonly string[]): readonly string[] => known.filter((name) => !names.includes(name));

/** An engine that gives the allowed capabilities and no privileged containers; counts its trials. */
function confined(allowed: readonly string[], bounding: bigint | undefined): EngineProbe & { trials: number } {
  return {
    trials: 0,
    async refusal(rights) {
      this.trials++;
      if (rights.kind === "privileged") return "unable to apply caps: operation not permitted";
      return rights.add.every((name) => allowed.includes(name))
        ? undefined
        : "unable to apply caps: operation not permitted";
    },
    boundingSet: async () => bounding,
  };
}

describe("rights", () => {
  test("are all of them on an engine that runs privileged containers", async () => {
    const probe: EngineProbe = { refusal: async () => undefined, boundingSet: async () => 0n };
    expect(await findRights(probe)).toEqual({ kind: "privileged" });
  });

  test("are this machine's bounding set where the engine is as confined as we are", async () => {
    // Every bit but the 24th, SYS_RESOURCE, and those after 37, which older engines do not know.
    const probe = confined(without("SYS_RESOURCE"), 0x1fffeffffffn);
    expect(await findRights(probe)).toEqual({
      kind: "capabilities",
      add: without("SYS_RESOURCE"),
      missing: ["SYS_RESOURCE"],
    });
    expect(probe.trials).toBe(2);
  });

  test("are found by trial where the engine is elsewhere, or gives less than this machine has", async () => {
    for (const bounding of [undefined, all]) {
      const probe = confined(without("SYS_RESOURCE", "SYS_TIME"), bounding);
      expect(await findRights(probe)).toEqual({
        kind: "capabilities",
        add: without("SYS_RESOURCE", "SYS_TIME"),
        missing: ["SYS_RESOURCE", "SYS_TIME"],
      });
      expect(probe.trials).toBeLessThan(20);
    }
  });

  test("are exactly what any engine gives", async () => {
    const needed = ["SYS_ADMIN", "NET_ADMIN", "MKNOD", "SYS_CHROOT", "SETPCAP"];
    await fc.assert(
      fc.asyncProperty(fc.subarray([...known]), fc.option(fc.bigInt({ min: 0n, max: all })), async (given, guess) => {
        const allowed = known.filter((name) => given.includes(name) || needed.includes(name));
        const rights = await findRights(confined(allowed, guess === null ? undefined : all));
        expect(rights).toEqual({
          kind: "capabilities",
          add: allowed,
          missing: known.filter((name) => !allowed.includes(name)),
        });
      }),
    );
  });

  test("that are too few for systemd and Docker are an error that names what is missing and why", async () => {
    const found = findRights(confined(without("SYS_ADMIN", "MKNOD", "SYSLOG"), undefined));
    await expect(found).rejects.toThrow(RightsError);
    await expect(found).rejects.toThrow(/operation not permitted.*capabilities SYS_ADMIN, MKNOD, without/);
  });
});

test("the bounding set is read from a process's status", () => {
  expect(readBoundingSet("Name:\tcat\nCapBnd:\t000001fffeffffff\nCapAmb:\t0\n")).toBe(0x1fffeffffffn);
  expect(capabilityNames(0x1fffeffffffn)).toEqual(without("SYS_RESOURCE"));
  expect(readBoundingSet("Name:\tcat\n")).toBeUndefined();
});

describe("a trial", () => {
  test("runs a throw-away container with no network and pulls nothing", async () => {
    const { programs, ran } = pretended(async () => "");
    const probe = commandProbe(programs, "slipway/node:1");
    expect(await probe.refusal({ kind: "capabilities", add: ["SYS_ADMIN"] })).toBeUndefined();
    expect(ran[0]).toMatch(
      /^docker run --rm --network=none --pull=never --label=slipway\.part=probe --entrypoint=\/bin\/true --cap-add=SYS_ADMIN --security-opt=.* slipway\/node:1$/,
    );
  });

  test("that the engine refuses gives its words", async () => {
    const { programs } = pretended(async (command) => {
      throw failure(
        command,
        126,
        "docker: Error response from daemon: unable to apply caps: operation not permitted: unknown\n\nRun 'docker run --help' for more information",
      );
    });
    expect(await commandProbe(programs, "i").refusal({ kind: "privileged" })).toBe(
      "unable to apply caps: operation not permitted: unknown",
    );
  });

  test.each([
    "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.",
    "docker: Error response from daemon: No such image: i:latest",
  ])("is no answer when %s", async (said) => {
    const { programs } = pretended(async (command) => {
      throw failure(command, 125, said);
    });
    await expect(commandProbe(programs, "i").refusal({ kind: "privileged" })).rejects.toThrow(said);
  });
});
