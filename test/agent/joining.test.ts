import { beforeEach, describe, expect, test } from "vitest";
import { type Joined, joining } from "../../src/agent/platforms/files.ts";
import { seededRandom } from "../../src/host/virtual.ts";
import { memoryNode, type MemoryNode } from "./memory-node.ts";

const root = { mode: 0o600, user: "root", group: "root" };
const identity = "/var/lib/slipway/identity.json";
let node: MemoryNode;
let random: ReturnType<typeof seededRandom>;

const set = (path: string, content: string): void => void node.texts.set(path, { content, owner: root });
const start = (): Promise<Joined> =>
  joining({ files: node.ports.files, random, say: node.ports.say, signal: new AbortController().signal });
/** Everything on the machine's disk, on another machine. */
const copyDisk = (): void => set("/sys/class/dmi/id/product_uuid", "another\n");

beforeEach(() => {
  node = memoryNode();
  random = seededRandom(5);
  set("/etc/slipway/bootstrap.json", JSON.stringify({ cluster: "demo", store: "https://10.0.0.5:7443", pin: "p" }));
  set("/etc/slipway/token", "t1.secret\n");
  set("/etc/machine-id", "m1\n");
  set("/sys/class/dmi/id/product_uuid", "d1\n");
});

describe("a machine's identity", () => {
  test("is made once, written before anyone hears of it, and for root only", async () => {
    const first = await start();
    expect(node.texts.get(identity)).toMatchObject({
      content: expect.stringContaining(first.instance),
      owner: { mode: 0o600, user: "root" },
    });
    expect(await start()).toMatchObject({ instance: first.instance, token: first.token });
    expect(first.instance).toMatch(/^i-[a-z0-9-]{1,64}$/);
  });

  test("is another one with another token, until it was let in", async () => {
    const first = await start();
    set("/etc/slipway/token", "t2.secret");
    const second = await start();
    expect(second.instance).not.toBe(first.instance);
    await second.admitted();
    set("/etc/slipway/token", "t3.secret");
    expect((await start()).instance).toBe(second.instance);
  });

  test.each(["/etc/machine-id", "/sys/class/dmi/id/product_uuid"])(
    "that was let in is not taken by a machine with another %s",
    async (path) => {
      const first = await start();
      await first.admitted();
      set(path, "another\n");
      await expect(start()).rejects.toMatchObject({
        name: "OtherMachine",
        message: expect.stringContaining(`which is ${first.instance} of the cluster`),
      });
    },
  );

  test("is written again when a disk was mounted over it", async () => {
    const first = await start();
    await first.admitted();
    node.texts.delete(identity);
    await first.keep();
    expect(await start()).toMatchObject({ instance: first.instance, token: first.token });
  });

  test("that was not let in is made anew on a copy of the disk", async () => {
    const first = await start();
    copyDisk();
    const second = await start();
    expect(second.instance).not.toBe(first.instance);
    expect(second.machine).not.toBe(first.machine);
  });

  test("goes with its disk when a person says so", async () => {
    const first = await start();
    await first.admitted();
    copyDisk();
    const { machine: _, ...rest } = JSON.parse(node.texts.get(identity)?.content ?? "");
    set(identity, JSON.stringify(rest));
    const moved = await start();
    expect(moved).toMatchObject({ instance: first.instance, token: first.token });
    // What was applied to the other machine's system does not count here.
    expect(moved.machine).not.toBe(first.machine);
    set("/sys/class/dmi/id/product_uuid", "a third");
    await expect(start()).rejects.toMatchObject({ name: "OtherMachine" });
  });

  test("needs no hardware that says who it is", async () => {
    node.texts.delete("/sys/class/dmi/id/product_uuid");
    const first = await start();
    await first.admitted();
    expect((await start()).instance).toBe(first.instance);
  });

  test("cannot be had without a token", async () => {
    node.texts.delete("/etc/slipway/token");
    await expect(start()).rejects.toThrow("neither an identity nor a join token");
  });
});
