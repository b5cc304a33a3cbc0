import { systemClock } from "../../src/host/clock.ts";
import { systemRandom } from "../../src/host/random.ts";
import { awsRequester } from "../../src/host/aws/request.ts";
import { s3Store } from "../../src/store/s3.ts";
import { storeContract } from "../store/contract.ts";

const names = {
  object: (key: string) => `records/${key}`,
  key: (object: string) => (object.startsWith("records/") ? object.slice(8) : undefined),
};
const endpoint = process.env["MOTO"] ?? "http://127.0.0.1:5555";
storeContract(
  "s3",
  async () => {
    const request = awsRequester({
      region: "eu-central-1",
      credentials: async () => ({ accessKeyId: "AKIAEXAMPLE", secretAccessKey: "secret" }),
      clock: systemClock,
      random: systemRandom,
    });
    const bucket = `test-${systemRandom.hex(6)}`;
    const made = await request({
      service: "s3",
      method: "PUT",
      url: `${endpoint}/${bucket}`,
      body: "<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>",
    });
    if (made.status !== 200) throw new Error(new TextDecoder().decode(made.body));
    return {
      store: s3Store({ url: `${endpoint}/${bucket}`, request, random: systemRandom, names }),
      close: async () => {},
    };
  },
  5,
);
