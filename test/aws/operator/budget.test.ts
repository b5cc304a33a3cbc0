import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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

type Calls = Readonly<Record<"launch" | "seconds" | "status" | "same", number>>;
const root = join(import.meta.dirname, "../../..");

/** What docs/benchmarks.md says is what was counted; a busy machine makes a look more or less. UPDATE_GOLDENS=1 writes it down. */
function recorded(counted: Calls): void {
  const path = join(root, "bench/aws-calls.json");
  if (process.env["UPDATE_GOLDENS"] === "1") writeFileSync(path, `${JSON.stringify(counted, undefined, 2)}\n`);
  const known = JSON.parse(readFileSync(path, "utf8")) as Calls;
  for (const what of ["launch", "status", "same"] as const)
    expect(Math.abs(counted[what] - known[what]), `${what}: ${counted[what]}`).toBeLessThanOrEqual(2);
  const said =
    /(\d+) for a launch \((\d+) s of AWS's time\), (\d+) for `status`, (\d+) for a\s+launch that changes nothing/.exec(
      readFileSync(join(root, "docs/benchmarks.md"), "utf8"),
    );
  expect(said?.slice(1).map(Number)).toEqual([known.launch, known.seconds, known.status, known.same]);
}

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
  const seconds = (standIn.clock.now() - begun) / 1_000;
  expect(seconds).toBeGreaterThan(200);
  expect(launching.filter((call) => !isOfStore(call)).length).toBeLessThanOrEqual(60);
  expect([...new Set(launching.map(iamName))].filter((action) => !allowed("launch").has(action))).toEqual([]);

  let from = standIn.calls.length;
  expect((await status(operatorOn(standIn).context, { cluster: demo })).state).toBe("ready");
  const looking = since(from);
  expect(looking.filter((call) => !isOfStore(call)).length).toBeLessThanOrEqual(5);

  from = standIn.calls.length;
  expect((await launch(operatorOn(standIn).context, { cluster })).changes).toBe(0);
  const [launched, looked, same] = [launching, looking, since(from)].map(
    (all) => all.filter((call) => !isOfStore(call)).length,
  );
  recorded({ launch: launched ?? 0, seconds: 10 * Math.round(seconds / 10), status: looked ?? 0, same: same ?? 0 });

  from = standIn.calls.length;
  await stop(operatorOn(standIn).context, { cluster: demo, nodes: [], force: false, grace: 30 });
  await start(operatorOn(standIn).context, { cluster: demo, nodes: [], timeout: 600_000 });
  await status(operatorOn(standIn).context, { cluster: demo });
  expect([...new Set(since(from).map(iamName))].filter((action) => !allowed("operate").has(action))).toEqual([]);

  from = standIn.calls.length;
  await cleanup(operatorOn(standIn).context, { cluster: demo });
  expect([...new Set(since(from).map(iamName))].filter((action) => !allowed("cleanup").has(action))).toEqual([]);
});
