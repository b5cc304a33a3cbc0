import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll } from "vitest";
import { ensureJudges } from "../../scripts/judges.mjs";
import { awsRequester } from "../../src/host/aws/request.ts";
import { systemClock } from "../../src/host/clock.ts";
import { systemRandom } from "../../src/host/random.ts";
import { objectKey, recordKey } from "../../src/records/objects.ts";
import { s3Store } from "../../src/store/s3.ts";
import { storeContract } from "../store/contract.ts";

// Moto's S3 answers conditional requests as AWS documents them; where it cannot be had, `npm test` says why.
const judge = (await ensureJudges())["moto_server"];
let server: ChildProcess | undefined;
let endpoint = "";

const request = awsRequester({
  region: "eu-central-1",
  credentials: async () => ({ accessKeyId: "AKIAEXAMPLE", secretAccessKey: "example" }),
  clock: systemClock,
  random: systemRandom,
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}

beforeAll(async () => {
  if (judge.path === undefined) return;
  const port = await freePort();
  endpoint = `http://127.0.0.1:${port}`;
  server = spawn(judge.path, ["--host", "127.0.0.1", "--port", String(port)], { stdio: "ignore" });
  const answers = async (): Promise<boolean> => {
    try {
      return (await fetch(endpoint)).status < 500;
    } catch (error) {
      if (error instanceof TypeError) return false;
      throw error;
    }
  };
  for (const end = Date.now() + 60_000; !(await answers()); await pause(100))
    if (Date.now() > end || server.exitCode !== null) throw new Error("moto_server does not answer");
}, 90_000);
afterAll(async () => {
  if (server === undefined || server.exitCode !== null) return;
  const ended = once(server, "exit");
  server.kill();
  await ended;
});

const contract = (): void =>
  storeContract(
    "a bucket",
    async () => {
      const url = `${endpoint}/${`test-${systemRandom.hex(6)}`}`;
      const body =
        "<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>";
      const made = await request({ service: "s3", method: "PUT", url, body });
      if (made.status !== 200) throw new Error(`no bucket: ${made.status}`);
      const names = { object: objectKey, key: recordKey };
      return { store: s3Store({ url, request, random: systemRandom, names }), close: async () => {} };
    },
    5,
  );
if (judge.path !== undefined || process.env["CI"] !== undefined) contract();
