import { describe, expect, test } from "vitest";
import { applyMachine, drifted, found } from "../../src/agent/apply.ts";
import {
  emptyMachine,
  type MachineConfig,
  type MachineFile,
  type MachineUnit,
  type Origin,
} from "../../src/machine/machine.ts";
import { memoryNode } from "./memory-node.ts";

const origin: Origin = { kind: "component", component: "a" };
const file = (path: string, content = "x", mode = "0644"): MachineFile => ({
  path,
  contents: { kind: "text", text: content },
  mode,
  user: "root",
  group: "root",
  origin,
});
const unit = (name: string, fields: Partial<MachineUnit> = {}): MachineUnit => ({
  name,
  dropIns: [],
  state: "on",
  origin,
  ...fields,
});
const machine = (fields: Partial<MachineConfig>): MachineConfig => ({ ...emptyMachine, ...fields });
const service = (text: string): string => `[Service]\nExecStart=${text}\n`;
const units = "/etc/systemd/system";

const whole = machine({
  directories: [{ path: "/etc/app", mode: "0755", user: "root", group: "root", origin }],
  files: [file("/etc/app/settings")],
  links: [{ path: "/etc/app/link", target: "/srv", origin }],
  units: [
    unit("app.service", {
      content: service("/bin/app"),
      dropIns: [{ name: "10.conf", content: "[Service]\nNice=1\n", origin }],
    }),
  ],
});

describe("applying a machine config", () => {
  test("files before units, texts before systemd reads them, links before what needs them", async () => {
    const { ports, calls, states } = memoryNode();
    await applyMachine(ports, emptyMachine, whole);
    expect(calls).toEqual([
      "folder /etc/app",
      "write /etc/app/settings",
      "link /etc/app/link",
      `write ${units}/app.service`,
      `write ${units}/app.service.d/10.conf`,
      "enable app.service",
      "reload",
      "start app.service",
    ]);
    expect(states.get("app.service")).toMatchObject({ active: "active", enabled: "enabled" });
  });

  test("the same again does nothing", async () => {
    const { ports, calls } = memoryNode();
    await applyMachine(ports, whole, structuredClone(whole));
    expect(calls).toEqual([]);
  });

  test("only what changed is touched: a file alone restarts nothing", async () => {
    const { ports, calls } = memoryNode();
    await applyMachine(ports, whole, { ...whole, files: [file("/etc/app/settings", "y"), file("/etc/app/more")] });
    expect(calls).toEqual(["write /etc/app/settings", "write /etc/app/more"]);
  });

  test("a changed unit is restarted and no other", async () => {
    const { ports, calls } = memoryNode();
    const before = { ...whole, units: [...whole.units, unit("other.service", { content: service("/bin/other") })] };
    await applyMachine(ports, emptyMachine, before);
    calls.length = 0;
    await applyMachine(ports, before, {
      ...before,
      units: [
        unit("app.service", { content: service("/bin/new") }),
        unit("other.service", { content: service("/bin/other") }),
      ],
    });
    expect(calls).toEqual([
      `remove ${units}/app.service.d/10.conf`,
      `write ${units}/app.service`,
      "reload",
      "restart app.service",
    ]);
  });

  test("what the new config has not is stopped and taken away", async () => {
    const { ports, calls, states, texts } = memoryNode();
    await applyMachine(ports, emptyMachine, whole);
    calls.length = 0;
    await applyMachine(ports, whole, emptyMachine);
    expect(calls).toEqual([
      "remove /etc/app/settings",
      "remove /etc/app/link",
      "stop app.service",
      "disable app.service",
      `remove ${units}/app.service`,
      `remove ${units}/app.service.d/10.conf`,
      "reload",
    ]);
    expect(states.get("app.service")).toMatchObject({ active: "inactive", enabled: "disabled" });
    expect([...texts.keys()]).toEqual([]);
  });

  test.each<[MachineUnit["state"], MachineUnit["state"]]>([
    ["on", "off"],
    ["on", "masked"],
    ["off", "on"],
    ["off", "masked"],
    ["masked", "on"],
    ["masked", "off"],
  ])("a unit goes from %s to %s", async (from, to) => {
    const { ports, states } = memoryNode();
    await applyMachine(ports, emptyMachine, machine({ units: [unit("cron.service", { state: from })] }));
    await applyMachine(
      ports,
      machine({ units: [unit("cron.service", { state: from })] }),
      machine({ units: [unit("cron.service", { state: to })] }),
    );
    const now = states.get("cron.service");
    expect([now?.active, now?.masked]).toEqual([to === "on" ? "active" : "inactive", to === "masked"]);
    if (to !== "masked") expect(now?.enabled).toBe(to === "on" ? "enabled" : "disabled");
  });

  test("a masked unit that the new config does not name can start again", async () => {
    const { ports, states } = memoryNode();
    const masked = machine({ units: [unit("cron.service", { state: "masked" })] });
    await applyMachine(ports, emptyMachine, masked);
    await applyMachine(ports, masked, emptyMachine);
    expect(states.get("cron.service")?.masked).toBe(false);
  });

  test("a file that becomes a link is a link", async () => {
    const { ports, links, texts } = memoryNode();
    const before = machine({ files: [file("/etc/a")] });
    const after = machine({ links: [{ path: "/etc/a", target: "/srv/a", origin }] });
    await applyMachine(ports, emptyMachine, before);
    await applyMachine(ports, before, after);
    expect([texts.has("/etc/a"), links.get("/etc/a")]).toEqual([false, "/srv/a"]);
    await applyMachine(ports, after, before);
    expect([texts.has("/etc/a"), links.get("/etc/a")]).toEqual([true, undefined]);
  });
});

describe("what was changed behind our back", () => {
  const broken: readonly [string, string, (node: ReturnType<typeof memoryNode>) => void][] = [
    [
      "an edited file",
      "/etc/app/settings: was edited",
      ({ texts }) =>
        texts.set("/etc/app/settings", { content: "z", owner: { mode: 0o644, user: "root", group: "root" } }),
    ],
    ["a file that is gone", "/etc/app/settings: is gone", ({ texts }) => texts.delete("/etc/app/settings")],
    [
      "a mode",
      "/etc/app/settings: has another mode or owner",
      ({ texts }) =>
        texts.set("/etc/app/settings", { content: "x", owner: { mode: 0o666, user: "root", group: "root" } }),
    ],
    [
      "an owner",
      "/etc/app/settings: has another mode or owner",
      ({ texts }) =>
        texts.set("/etc/app/settings", { content: "x", owner: { mode: 0o644, user: "etcd", group: "root" } }),
    ],
    ["a link", "/etc/app/link: leads elsewhere", ({ links }) => links.set("/etc/app/link", "/tmp")],
    [
      "a unit's text",
      `${units}/app.service: was edited`,
      ({ texts }) =>
        texts.set(`${units}/app.service`, {
          content: "[Service]",
          owner: { mode: 0o644, user: "root", group: "root" },
        }),
    ],
    [
      "a drop-in",
      `${units}/app.service.d/10.conf: is gone`,
      ({ texts }) => texts.delete(`${units}/app.service.d/10.conf`),
    ],
    [
      "a stopped unit",
      "app.service: is stopped",
      ({ states }) => states.set("app.service", { active: "inactive", enabled: "enabled", masked: false }),
    ],
  ];

  test("is nothing after it was applied", async () => {
    const { ports } = memoryNode();
    await applyMachine(ports, emptyMachine, whole);
    expect(await drifted(ports, whole)).toEqual([]);
  });

  test.each(broken)("%s is seen, and put back by what is found", async (_, line, change) => {
    const node = memoryNode();
    await applyMachine(node.ports, emptyMachine, whole);
    change(node);
    expect(await drifted(node.ports, whole)).toEqual([line]);
    node.calls.length = 0;
    await applyMachine(node.ports, await found(node.ports, whole, whole), whole);
    expect(await drifted(node.ports, whole)).toEqual([]);
    expect(node.states.get("app.service")?.active).toBe("active");
    // Its folders are made again, which changes nothing; else only what differed was touched.
    const touched = node.calls.filter((call) => !call.startsWith("folder "));
    expect(touched.length).toBeGreaterThan(0);
    expect(touched.every((call) => call.includes("app") || call === "reload")).toBe(true);
    if (line.startsWith("/etc/app/")) expect(touched.every((call) => call.includes("/etc/app/"))).toBe(true);
  });

  test("a oneshot that has done its work is well, and a masked unit that was unmasked is not", async () => {
    const { ports, states } = memoryNode();
    const config = machine({
      units: [
        unit("once.service", { content: "[Service]\nType=oneshot\nExecStart=/bin/true\n" }),
        unit("cron.service", { state: "masked" }),
      ],
    });
    await applyMachine(ports, emptyMachine, config);
    states.set("once.service", { active: "inactive", enabled: "enabled", masked: false });
    states.set("cron.service", { active: "inactive", enabled: "enabled", masked: false });
    expect(await drifted(ports, config)).toEqual(["cron.service: is not masked"]);
    await applyMachine(ports, await found(ports, config, config), config);
    expect(await drifted(ports, config)).toEqual([]);
  });

  test("a unit that should be off and runs is seen, and stopped again", async () => {
    const { ports, states } = memoryNode();
    const config = machine({ units: [unit("cron.service", { state: "off" })] });
    await applyMachine(ports, emptyMachine, config);
    states.set("cron.service", { active: "active", enabled: "enabled", masked: false });
    expect(await drifted(ports, config)).toEqual(["cron.service: is started"]);
    await applyMachine(ports, await found(ports, config, config), config);
    expect(await drifted(ports, config)).toEqual([]);
  });
});
