import { afterAll, beforeAll } from "vitest";
import { ensureJudges } from "../../scripts/judges.mjs";
import { awsRequester } from "../../src/host/aws/request.ts";
import { systemClock } from "../../src/host/clock.ts";
import { systemRandom } from "../../src/host/random.ts";
import { objectKey, recordKey } from "../../src/records/objects.ts";
import { s3Store } from "../../src/store/s3.ts";
import { borrowedMoto } from "../aws/stand-in/started.ts";
import { storeContract } from "../store/contract.ts";

// Moto's S3 answers conditional requests as AWS documents them; where it cannot be had, `npm test` says why.
const judge = (await ensureJudges())["moto_server"];
let moto: Awaited<ReturnType<typeof borrowedMoto>> | undefined;

const request = awsRequester({
  region: "eu-central-1",
  credentials: async () => ({ accessKeyId: "AKIAEXAMPLE", secretAccessKey: "example" }),
  clock: systemClock,
  random: systemRandom,
});

beforeAll(async () => {
  if (judge.path !== undefined) moto = await borrowedMoto();
}, 90_000);
afterAll(() => moto?.end());

const contract = (): void =>
  storeContract(
    "a bucket",
    async () => {
      const url = `${moto?.endpoint ?? ""}/${`test-${systemRandom.hex(6)}`}`;
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
