// Launching, removing and resting: our clusters against the same by plain commands, one after the other.
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { root } from "../scripts/ready.mjs";

const execute = promisify(execFile);
const seconds = 1000;
const settling = 30 * seconds;
const watched = 60 * seconds;

const run = async (command, words) => (await execute(command, words, { cwd: root, maxBuffer: 1 << 24 })).stdout;
const slipway = (...words) => run(process.execPath, [join(root, "dist/cli.js"), ...words]);

/** Milliseconds that a call takes. */
async function timed(call) {
  const begun = performance.now();
  await call();
  return performance.now() - begun;
}

/** Times `runs` rounds; what is said meanwhile goes to `say`. The agents are watched in the last cluster, if that is asked for. */
export async function clusters({ runs, nodeImage, say, watch }) {
  const name = `bench-${randomBytes(3).toString("hex")}`;
  const folder = await mkdtemp(join(tmpdir(), "slipway-bench-"));
  const file = join(folder, "cluster.yml");
  await writeFile(file, `name: ${name}\ngroups:\n  control: { role: control, count: 3 }\n  worker: { count: 2 }\n`);
  const times = { floor: [], launch: [], cleanup: [], remove: [] };
  const launch = () => timed(() => slipway("launch", file, "--yes", "--quiet"));
  let agents;
  try {
    for (let round = 1; round <= runs; round++) {
      times.floor.push(Number((await run("bash", ["bench/floor/floor.sh", nodeImage, `floor-${name}`])).trim()));
      times.launch.push(await launch());
      times.cleanup.push(await timed(() => slipway("cleanup", name, "--yes", "--quiet")));
      times.launch.push(await launch());
      if (watch && round === runs) agents = await atRest(name, say);
      const containers = (await run("docker", ["ps", "--all", "--quiet", "--filter", `label=slipway.cluster=${name}`]))
        .split("\n")
        .filter(Boolean);
      times.remove.push(await timed(() => run("docker", ["rm", "--force", ...containers])));
      await slipway("cleanup", name, "--yes", "--quiet");
      const last = (list) => `${((list.at(-1) ?? 0) / seconds).toFixed(2)} s`;
      say(
        `round ${round}: floor ${last(times.floor)}, launch ${last(times.launch)}, cleanup ${last(times.cleanup)}, docker rm -f ${last(times.remove)}`,
      );
    }
  } finally {
    await slipway("cleanup", name, "--yes", "--quiet");
    await rm(folder, { recursive: true, force: true });
  }
  return { times, agents };
}

/** Memory and processor of every agent over a minute in which nothing happens. */
async function atRest(name, say) {
  say(`agents at rest: ${(settling + watched) / seconds} s`);
  await sleep(settling);
  const { nodes } = JSON.parse(await slipway("status", name, "--json"));
  const look = () => Promise.all(nodes.map(({ name: node }) => processOf(node)));
  const before = await look();
  const begun = performance.now();
  await sleep(watched);
  const after = await look();
  const elapsed = (performance.now() - begun) / seconds;
  return after.map((now, n) => ({
    node: nodes[n].name.slice(name.length + 1),
    megabytes: now.megabytes,
    percent: ((now.cpu - before[n].cpu) / elapsed) * 100,
  }));
}

/** Of a node's agent: resident memory in MB, and processor time since its start in seconds. */
async function processOf(node) {
  const script =
    'pid=$(systemctl show --property MainPID --value slipway-agent.service) && getconf CLK_TCK && grep VmRSS "/proc/$pid/status" && cat "/proc/$pid/stat"';
  const [ticks, resident, stat] = (await run("docker", ["exec", node, "sh", "-c", script])).split("\n");
  // The program's name may have blanks; what follows it is counted from the state.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return {
    megabytes: Number(/(\d+) kB/.exec(resident)?.[1]) / 1024,
    cpu: (Number(fields[11]) + Number(fields[12])) / Number(ticks),
  };
}
