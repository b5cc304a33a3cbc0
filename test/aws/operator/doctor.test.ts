import { expect, test, vi } from "vitest";
import { doctor } from "../../../src/operations/doctor.ts";
import { exampleParameters, flatcarImage, launched, rested } from "../stand-in/example.ts";
import { useStandIn } from "../stand-in/started.ts";
import { demo, operatorOn } from "./operator.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const started = useStandIn();
const day = 86_400_000;

/** What the doctor says of a subject. */
async function said(
  subject: RegExp,
  options: { readonly expires?: number } = {},
): Promise<readonly (readonly string[])[]> {
  const { findings } = await doctor(operatorOn(started.standIn, options).context, { cluster: demo });
  return findings
    .filter((one) => subject.test(one.subject))
    .map(({ state, message, fix = "" }) => [state, message, fix]);
}

test("images that may vanish or have, quotas that are nearly taken, and credentials that end are spoken of in time", async () => {
  const { standIn } = started;
  expect(exampleParameters.map(({ ParameterValue }) => ParameterValue)).toContain(flatcarImage);
  expect(await rested(standIn, await launched(standIn))).toBe("CREATE_COMPLETE");
  const { images } = standIn.place().ec2;
  const at = images.findIndex(({ id }) => id === flatcarImage);
  const change = (more: object): void => {
    const one = images[at];
    if (one !== undefined) images[at] = { ...one, ...more };
  };
  const renewed = "slipway launch FILE --refresh images; or another one in aws: { images: … }, where the file names it";

  expect(await said(/^image$/)).toEqual([]);
  const [[state, message] = []] = await said(/^quotas$/);
  expect([state, message]).toEqual(["good", expect.stringMatching(/^taken: \d+ of \d+ vCPUs of running on-demand/)]);

  const iso = (later: number): string => new Date(standIn.clock.now() + later).toISOString();
  change({ deprecated: iso(40 * day) });
  expect(await said(/^image$/)).toEqual([]);
  const soon = iso(20 * day);
  change({ deprecated: soon });
  expect(await said(/^image$/)).toEqual([
    ["warning", expect.stringContaining(`will be deprecated from ${soon}: its owner may take it away`), renewed],
  ]);
  change({ deprecated: iso(-day) });
  expect(await said(/^image$/)).toEqual([["warning", expect.stringContaining("has been deprecated since"), renewed]]);
  change({ state: "deregistered" });
  expect(await said(/^image$/)).toEqual([
    [
      "bad",
      expect.stringMatching(
        `^${flatcarImage}, from which nodes start, is .*: a node that is replaced does not come back$`,
      ),
      renewed,
    ],
  ]);

  Object.assign(standIn.settings.quotas, { vpcs: 2 });
  expect((await said(/^quota$/))[0]).toEqual([
    "warning",
    expect.stringContaining("of 2 VPCs in a region are taken"),
    expect.stringContaining("--quota-code L-F678F1CE --desired-value 4"),
  ]);

  expect((await said(/^AWS$/))[0]?.[0]).toBe("good");
  expect(await said(/^AWS$/, { expires: standIn.clock.now() + 12 * 60_000 })).toEqual([
    ["warning", expect.stringMatching(/for 12 minutes more: a launch takes longer$/), "log in again"],
  ]);

  standIn.settings.denied.add("ec2:DescribeImages");
  expect(await said(/^image$/)).toEqual([["warning", expect.stringContaining("not looked at"), expect.any(String)]]);
});
