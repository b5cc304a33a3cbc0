import { describe, expect, it } from "vitest";
import type { CleanupInput } from "../../src/operations/cleanup.ts";
import type { Change } from "../../src/plan/plan.ts";
import { run, type Setting } from "./fakeWorld.ts";

const file =
  "name: demo\ntarget: aws\ngroups: { control: { role: control, count: 1 }, worker: { count: 1 } }\naws: { region: eu-central-1 }\n";
const files = { "cluster.yml": file };

function change(kind: string, name: string): Change {
  return { id: name, action: "delete", kind, name, reason: "cleanup", nodes: { restarted: [], replaced: [] } };
}

describe("plan --offline", () => {
  it("shows all that there would be, with what it costs, and asks nobody", async () => {
    const { code, stdout } = await run(["plan", "--offline", "--json"], { files });
    expect(code).toBe(0);
    const planned = JSON.parse(stdout) as {
      cluster: string;
      forecast: string;
      changes: readonly { action: string; name: string; monthly?: number }[];
      outlook: { monthly: number; notes: readonly string[] };
    };
    expect([planned.cluster, planned.forecast]).toEqual(["demo", "computed"]);
    expect(new Set(planned.changes.map(({ action }) => action))).toEqual(new Set(["create"]));
    expect(planned.changes.find(({ name }) => name === "ControlNode1")?.monthly).toBeGreaterThan(10);
    expect(planned.outlook.monthly).toBeGreaterThan(30);
    expect(planned.outlook.notes[0]).toBe("nothing was asked of AWS: what is there already is not seen");
    expect((await run(["plan", "--offline", "--exit-code"], { files })).code).toBe(3);
  });

  it("takes facts from a file, and says at which line they contradict it", async () => {
    const facts = { ...files, "facts.json": '{ "region": "eu-west-1" }' };
    const { code, stderr } = await run(["plan", "--offline", "--facts", "facts.json"], { files: facts });
    expect(code).toBe(2);
    expect(stderr).toContain("cluster.yml:4:16: error: the facts are of eu-west-1, the file is for eu-central-1");
  });

  it("is refused for a cluster that is not on AWS", async () => {
    const { code, stderr } = await run(["plan", "--offline", "--on", "docker"], { files });
    expect([code, stderr]).toEqual([2, expect.stringContaining("next: slipway plan --on aws --offline")]);
  });
});

describe("cleanup on AWS", () => {
  const all = [change("stack", "demo"), change("volume", "vol-1"), change("bucket", "b")];

  /** A cleanup that notes what it is given; `says` is what a person types, and whether the data goes too. */
  function asked(says: string, data?: boolean) {
    const did: CleanupInput[] = [];
    const questions: string[] = [];
    const setting: Setting = {
      files,
      terminal: true,
      onAws: ["demo"],
      operations: {
        preview: async () => async () => all,
        cleanup: async () => async (_, input) => {
          did.push(input);
          const kept = [{ kind: "volume", name: "vol-1", data: true as const, monthly: 2.4 }];
          return { removed: 1, left: [], ...(input.keepData === true ? { kept } : {}) };
        },
      },
      prompts: {
        text: async (question) => (questions.push(question), says),
        confirm: async (question) => (questions.push(question), data),
      },
    };
    return { did, questions, setting };
  }

  it("is agreed to by the cluster's name, and its data apart", async () => {
    const { did, questions, setting } = asked("demo", true);
    const { code, stdout, stderr } = await run(["cleanup"], setting);
    expect([code, did]).toEqual([0, [{ cluster: "demo", keepData: false }]]);
    expect(questions).toEqual(["Remove demo? Its name, to agree:", "Its data too (disks, snapshots, store: 2)?"]);
    expect(stderr).toContain("1 stack, 1 volume, 1 bucket");
    expect(stdout).toBe("removed 1 object; 0 left, $0.00/h\n");
  });

  it("keeps the data where only the rest is agreed to, and names it with its price and what becomes of it", async () => {
    const { did, setting } = asked("demo", false);
    const { stdout } = await run(["cleanup"], setting);
    expect(did).toEqual([{ cluster: "demo", keepData: true }]);
    expect(stdout).toBe(
      "removed 1 object; kept, for $2.40 a month by list prices, and what lies in the store:\n  volume vol-1  $2.40 a month\nnext: slipway launch FILE goes on with them; slipway cleanup demo --on aws removes them\n",
    );
  });

  it.each([
    ["another name", "", undefined],
    ["nothing at the second question", "demo", undefined],
  ])("does nothing at %s", async (_, says, data) => {
    const { did, setting } = asked(says, data);
    const { code, stderr } = await run(["cleanup"], setting);
    expect([code, did]).toEqual([1, []]);
    expect(stderr).toContain("nothing was done");
  });

  it("names --yes where nobody can be asked", async () => {
    const { did, setting } = asked("demo", true);
    const { code, stderr } = await run(["cleanup"], { ...setting, terminal: false });
    expect([code, did]).toEqual([2, []]);
    expect(stderr).toContain("slipway cleanup --yes");
  });
});
