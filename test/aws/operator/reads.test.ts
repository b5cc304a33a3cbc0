import { expect, test, vi } from "vitest";
import { status } from "../../../src/operations/status.ts";
import { launched, rested } from "../stand-in/example.ts";
import { useStandIn } from "../stand-in/started.ts";
import { demo, operatorOn } from "./operator.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const started = useStandIn();

test("status asks AWS for stack and instances, and reads nothing of the store twice", async () => {
  const { standIn } = started;
  expect(await rested(standIn, await launched(standIn))).toBe("CREATE_COMPLETE");
  const asked: { readonly url: string; readonly body: string }[] = [];
  const client = standIn.client();
  const noting = Object.assign(Object.create(client) as typeof client, {
    fetch: async (input: string | URL | Request, init?: RequestInit) => {
      const request = new Request(input, init);
      asked.push({ url: request.url, body: await request.clone().text() });
      return client.fetch(request);
    },
  });
  const { context } = operatorOn(standIn, { client: noting });
  expect((await status(context, { cluster: demo })).nodes).toHaveLength(5);
  const isStore = ({ url }: { readonly url: string }): boolean => url.includes(".s3.");
  expect(
    asked
      .filter((one) => !isStore(one))
      .map(({ body }) => /Action=(\w+)/.exec(body)?.[1])
      .toSorted(),
  ).toEqual(["DescribeInstances", "DescribeStacks"]);
  const reads = asked.filter(isStore).map(({ url }) => url);
  expect(reads.length).toBeGreaterThan(5);
  expect(reads.filter((one, index) => reads.indexOf(one) !== index)).toEqual([]);
});
