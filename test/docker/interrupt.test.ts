import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clearAway, clusterFile, docker, leftovers, program, shell, slipway, status, untilTrue } from "./harness.ts";

const name = "svc-cut";
const control = `${name}-control-1`;
const file = clusterFile("");
const text = (workers: number, port: number, more = "") => `name: ${name}
groups:
  control: { role: control, count: 1 }
  worker: { count: ${workers} }
services:
  web: { image: demo/hello, ports: ["${port}:80"] }
${more}`;

type Ended = { readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly seconds: number };
type Running = {
  readonly process: number;
  said(): string;
  /** To the command alone, or, like a terminal does, to all that it started as well. */
  signal(signal: NodeJS.Signals, toAll?: boolean): void;
  readonly ended: Promise<Ended>;
};

/** A command that is still running, in a process group of its own. */
function begin(...words: readonly string[]): Running {
  const child = spawn(process.execPath, [program, ...words], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1" },
  });
  const begun = Date.now();
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (part: string) => (said += part));
  const pid = child.pid ?? 0;
  return {
    process: pid,
    said: () => said,
    signal: (signal, toAll = true) => void process.kill(toAll ? -pid : pid, signal),
    ended: once(child, "close").then(([code, signal]) => ({ code, signal, seconds: (Date.now() - begun) / 1000 })),
  };
}
const launching = () => begin("launch", file.path, "--yes");
const says = (running: Running, what: RegExp) =>
  untilTrue(`it says ${what}`, async () => what.test(running.said()), 60_000);
const since = async (moment: number, ended: Promise<Ended>) => ({ ...(await ended), after: Date.now() - moment });

/** Kills the command with no warning so many milliseconds after its start, unless it has ended by itself. */
async function killAfter(milliseconds: number, ...words: readonly string[]): Promise<void> {
  const running = begin(...words);
  // Every second time what it has started goes on for a moment without it.
  const timer = setTimeout(() => running.signal("SIGKILL", milliseconds % 200 === 0), milliseconds);
  const { signal, code } = await running.ended;
  clearTimeout(timer);
  // On a quick machine it may just have been done.
  expect(signal ?? code, running.said()).toBeOneOf(["SIGKILL", 0]);
}

async function completes(...words: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await slipway(words);
  expect(code, `${stdout}\n${stderr}`).toBe(0);
}

/** What a cluster of so many workers looks like when nothing ever went wrong. */
async function isWhole(workers: number, port: number): Promise<void> {
  const nodes = [control, ...Array.from({ length: workers }, (_, n) => `${name}-worker-${n + 1}`)];
  const volumes = nodes.flatMap((node) => [`volume ${node}-data`, `volume ${node}-docker`]);
  const things = [...nodes, `${name}-gateway`].map((container) => `container ${container}`);
  expect((await leftovers(name)).toSorted()).toEqual(
    [...things, ...volumes, `volume ${name}-store`, `volume ${name}-runtime`, `network ${name}`].toSorted(),
  );
  const seen = await status(name);
  expect(seen).toMatchObject({ state: "ready", services: [{ name: "web", desired: 1, running: 1 }] });
  expect(seen.nodes.map((node) => [node.name, node.state])).toEqual(nodes.map((node) => [node, "ready"]));
  expect(seen.etcd.members.map((member) => [member.name, member.state])).toEqual([[control, "voter"]]);
  expect((await shell(control, "docker node ls --format '{{.Hostname}} {{.Status}}'")).split("\n").toSorted()).toEqual(
    nodes.map((node) => `${node} Ready`),
  );
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
  const plan = await slipway(["plan", file.path, "--exit-code"]);
  expect(plan.code, plan.stdout).toBe(0);
}

const probes = () =>
  docker("ps", "--all", "--quiet", "--no-trunc", "--filter", "label=slipway.part=probe", "--filter", "status=created");
let probe = "";

beforeAll(async () => {
  await clearAway(name);
  probe = await docker("create", "--label", "slipway.part=probe", "demo/hello");
  expect(await probes()).toContain(probe);
});
afterAll(async () => {
  await clearAway(name);
  file.remove();
});

test("a second launch says who holds the lock; Ctrl-C ends the first in a few seconds and says how to go on", async () => {
  file.write(text(1, 8111));
  const first = launching();
  await says(first, /plan: /);
  const second = await slipway(["launch", file.path, "--yes"]);
  expect(second.code, second.stderr).toBe(4);
  expect(second.stderr).toContain(`process ${first.process}`);
  expect(second.stderr).toContain(`launch ${name}`);

  await says(first, /control-1: created/);
  const moment = Date.now();
  first.signal("SIGINT");
  const ended = await since(moment, first.ended);
  expect(ended.code, first.said()).toBe(130);
  expect(ended.after).toBeLessThan(8_000);
  expect(first.said()).toMatch(/interrupted; the state is safe/);
  expect(first.said()).toContain(`launch ${file.path} --yes`);
});

test("a second Ctrl-C ends it at once", async () => {
  const running = launching();
  await says(running, /plan: /);
  running.signal("SIGINT", false);
  const moment = Date.now();
  running.signal("SIGINT", false);
  const ended = await since(moment, running.ended);
  expect(ended.code, running.said()).toBe(130);
  expect(ended.after).toBeLessThan(2_000);
});

test("launch, killed again and again, completes to the same cluster", async () => {
  await clearAway(name);
  for (const moment of [300, 700, 1_100, 1_800, 2_900]) await killAfter(moment, "launch", file.path, "--yes");
  await completes("launch", file.path, "--yes");
  await isWhole(1, 8111);
});

test("so does a launch that changes it", async () => {
  file.write(text(2, 8112));
  for (const moment of [400, 900, 1_500, 2_400]) await killAfter(moment, "launch", file.path, "--yes");
  await completes("launch", file.path, "--yes");
  await isWhole(2, 8112);
});

test("a cleanup killed midway is completed by the same command, and nothing is left", async () => {
  for (const moment of [250, 500, 800]) await killAfter(moment, "cleanup", name, "--yes");
  await completes("cleanup", name, "--yes");
  expect(await leftovers(name)).toEqual([]);
  expect(await status(name)).toMatchObject({ state: "absent" });
});

test("throw-away containers of killed runs are gone, too", async () => {
  expect(await probes()).not.toContain(probe);
});
