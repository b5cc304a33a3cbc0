import { expect, test } from "vitest";
import { cleanup } from "../../../src/operations/cleanup.ts";
import { launch } from "../../../src/operations/launch.ts";
import { start } from "../../../src/operations/start.ts";
import { status } from "../../../src/operations/status.ts";
import { stop } from "../../../src/operations/stop.ts";
import { plainValue } from "../../../src/targets/aws/cloudformation.ts";
import { operatorPolicy } from "../../../src/targets/aws/policy/policy.ts";
import { compiled } from "../scenarios.ts";
import type { Recorded } from "../stand-in/call.ts";
import { demo, example, operatorOn } from "./operator.ts";
import { useFleet } from "./started-fleet.ts";

const started = useFleet();

/** Whether it is the store's own: records, and lists of them. */
const isOfStore = ({ service, action, path }: Recorded): boolean =>
  service === "s3" && (action === "ListObjectsV2" || path.includes("/records/"));

/** The operator's calls since the given one. */
const since = (from: number): readonly Recorded[] =>
  started.standIn.calls.slice(from).filter(({ caller }) => caller.endsWith("user/operator"));

/** What IAM calls what S3 was asked for. */
const s3Actions: Readonly<Record<string, string>> = {
  DeleteObjects: "DeleteObjectVersion",
  HeadObject: "GetObject",
  ListObjectVersions: "ListBucketVersions",
  ListObjectsV2: "ListBucket",
  PutBucketEncryption: "PutEncryptionConfiguration",
  PutBucketLifecycleConfiguration: "PutLifecycleConfiguration",
  PutPublicAccessBlock: "PutBucketPublicAccessBlock",
};
const iamName = ({ service, action }: Recorded): string =>
  service === "s3" ? `s3:${s3Actions[action] ?? action}` : `${service === "tagging" ? "tag" : service}:${action}`;

const cluster = example(["count: 2", "count: 3"]);

function allowed(purpose: "launch" | "operate" | "cleanup"): ReadonlySet<string> {
  const policy = JSON.stringify(plainValue(operatorPolicy(cluster, compiled(cluster).graph, {}, purpose)));
  return new Set([...policy.matchAll(/"([a-z0-9-]+:[A-Za-z]+)"/g)].map(([, action = ""]) => action));
}

test("a cluster of three and three takes at most 60 calls to launch and 5 to look at, and no call that its policy lacks", async () => {
  const { standIn } = started;
  const begun = standIn.clock.now();
  await launch(operatorOn(standIn).context, { cluster });
  const launching = since(0);
  expect(standIn.clock.now() - begun).toBeGreaterThan(200_000);
  expect(launching.filter((call) => !isOfStore(call)).length).toBeLessThanOrEqual(60);
  expect([...new Set(launching.map(iamName))].filter((action) => !allowed("launch").has(action))).toEqual([]);

  let from = standIn.calls.length;
  expect((await status(operatorOn(standIn).context, { cluster: demo })).state).toBe("ready");
  expect(since(from).filter((call) => !isOfStore(call)).length).toBeLessThanOrEqual(5);

  from = standIn.calls.length;
  await stop(operatorOn(standIn).context, { cluster: demo, nodes: [], force: false, grace: 30 });
  await start(operatorOn(standIn).context, { cluster: demo, nodes: [], timeout: 600_000 });
  await status(operatorOn(standIn).context, { cluster: demo });
  expect([...new Set(since(from).map(iamName))].filter((action) => !allowed("operate").has(action))).toEqual([]);

  from = standIn.calls.length;
  await cleanup(operatorOn(standIn).context, { cluster: demo });
  expect([...new Set(since(from).map(iamName))].filter((action) => !allowed("cleanup").has(action))).toEqual([]);
});
