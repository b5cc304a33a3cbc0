import { describe, expect, it } from "vitest";
import type { Asked } from "../../src/operations/pointed.ts";
import { run } from "./fakeWorld.ts";

const file = `name: demo
os: debian
groups: { control: { count: 1 }, worker: { count: 1 } }
files: { store: "https://10.0.0.5:7443" }
`;
const runtime = { agent: "a".repeat(64), node: { x86_64: "b".repeat(64), aarch64: "c".repeat(64) } };
const seen: Asked = { kind: "seen", value: { store: "https://10.0.0.5:7443", pin: "d".repeat(64), runtime } };
const unknown: Asked = { kind: "unknown", why: "no store answers" };

const render = (answer: Asked, ...more: readonly string[]) =>
  run(["render", "--group", "worker", ...more], {
    files: { "cluster.yml": file },
    handedOut: ["demo"],
    operations: { pointed: async () => async () => answer },
  });

describe("render", () => {
  it("points at the store that there is, by its real sums", async () => {
    const { code, stdout, stderr } = await render(seen, "--token", "t1.secret");
    expect(code).toBe(0);
    for (const value of ["https://10.0.0.5:7443", "d".repeat(64), "a".repeat(64), "b".repeat(64), "t1.secret"])
      expect(stdout).toContain(value);
    expect(stdout).not.toContain("0".repeat(64));
    expect(stderr).not.toContain("placeholder");
  });

  it("names what is left to say", async () => {
    expect((await render(seen)).stderr).toContain(
      "note: placeholders: token (slipway store token create worker; --token)\n",
    );
  });

  it("says why it knows nothing, and what is made up", async () => {
    const { code, stdout, stderr } = await render(unknown, "--pin", "e".repeat(64));
    expect(code).toBe(0);
    expect(stdout).toContain("https://store.example:7443");
    expect(stderr).toContain(
      "note: no store answers\nplaceholders: store (--store), token (slipway store token create worker; --token), the programs' sums (slipway store serve, slipway launch --on files)\n",
    );
    expect(JSON.parse((await render(unknown, "--json")).stdout)).toMatchObject({
      placeholders: ["store", "pin", "token", "the programs' sums"],
    });
    expect(JSON.parse((await render(seen, "--json")).stdout)).toMatchObject({ placeholders: ["token"] });
  });

  it("lets words go before what the store says", async () => {
    const { stdout } = await render(seen, "--store", "https://10.9.9.9:1", "--pin", "e".repeat(64));
    expect(stdout).toContain("https://10.9.9.9:1");
    expect(stdout).toContain("e".repeat(64));
    expect(stdout).not.toContain("d".repeat(64));
  });

  it("asks nobody for the machine config itself", async () => {
    const asking = async () => () => Promise.reject(new Error("nobody was to ask"));
    const { code, stderr } = await run(["render", "--group", "worker", "--format", "agent"], {
      files: { "cluster.yml": file },
      handedOut: ["demo"],
      operations: { pointed: asking },
    });
    expect(code).toBe(0);
    expect(stderr).not.toContain("placeholder");
  });
});
