// From a clean clone to a running cluster: sets up what is missing, launches examples/swarm.yml (or the file that is
// named), and shows what there is. A cluster that runs already is brought to its file and otherwise left alone.
import { get } from "node:http";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { ensureImages, ensureProgram, output, show, slipway } from "./ready.mjs";

const file = process.argv[2] ?? "examples/swarm.yml";
const begun = Date.now();
const say = (line) => process.stdout.write(`${line}\n`);
const stage = (title) => say(`\n== ${title} (${Math.round((Date.now() - begun) / 1000)} s)`);

/** Something that a person can mend; the message says how. */
class DemoError extends Error {}

try {
  await demo();
} catch (error) {
  process.stderr.write(`\nerror: ${error instanceof DemoError ? error.message : String(error?.message ?? error)}\n`);
  process.exitCode = 1;
}

async function demo() {
  say(
    "The demo makes a cluster of five nodes on this machine's Docker, and a web page on it. What is missing is installed:",
  );
  say("  1. slipway's libraries (npm ci, into node_modules/) and its bundle (into dist/)");
  say("  2. a Docker engine (apt-get install docker.io, as root on Debian or Ubuntu; else it tells you what to run)");
  say("  3. two Docker images: the node image (Debian with systemd, Docker and etcd) and demo/hello");

  stage("libraries and bundle");
  await ensureProgram();
  say("there");

  stage("Docker engine and images");
  const { version, nodeImage } = await ensureImages(say);
  say(`Docker ${version}, node image ${nodeImage}`);

  stage(`${slipway} check ${file}`);
  if ((await show([slipway, "check", file])) !== 0) throw new DemoError(`mend ${file} and run this again`);
  const { resolved: cluster } = JSON.parse(await output([slipway, "check", file, "--json", "--resolved"]));
  await refuseTakenPorts(cluster);

  stage(`${slipway} launch ${file} --yes`);
  if ((await show([slipway, "launch", file, "--yes"])) !== 0)
    throw new DemoError(`the launch failed; to try again: npm run demo`);

  stage(`${slipway} status ${cluster.name}`);
  await show([slipway, "status", cluster.name]);

  const status = JSON.parse(await output([slipway, "status", cluster.name, "--json"]));
  const pages = status.services.flatMap((service) => service.addresses);
  for (const address of pages) {
    stage(address);
    say(`${address} answers: "${await titleOf(address)}"`);
  }

  say(`\nDone in ${Math.round((Date.now() - begun) / 1000)} s. To look around:`);
  say(`  ${slipway} status ${cluster.name}`);
  say(`  ${slipway} exec ${cluster.name}-control-1 -- etcdctl member list`);
  say(`  ${slipway} exec ${cluster.name}-control-1 -- docker node ls`);
  say(`  ${slipway} logs ${cluster.name}        # journals of all nodes`);
  say(`To remove it all:`);
  say(`  ${slipway} cleanup ${cluster.name} --yes`);
  if (pages.length > 0) say(`The page: ${pages[0]}`);
}

/** A port of this machine that something else holds would stop the launch late; a cluster of ours may hold it. */
async function refuseTakenPorts(cluster) {
  const ours = await output(["docker", "ps", "--quiet", "--filter", `label=slipway.cluster=${cluster.name}`]);
  if (ours.trim() !== "") return;
  for (const port of cluster.services.flatMap((service) => service.ports.map(({ published }) => published))) {
    const taken = await new Promise((resolve) => {
      const server = createServer();
      server.once("error", (error) => resolve(error.code === "EADDRINUSE"));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(false)));
    });
    if (!taken) continue;
    const by = (await output(["docker", "ps", "--filter", `publish=${port}`, "--format", "{{.Names}}"])).trim();
    throw new DemoError(
      `port ${port} of this machine is taken${by === "" ? "" : ` by the container ${by}`}; free it, or copy ${file}, change the port there, and run: npm run demo -- COPY`,
    );
  }
}

/** The page's title; the page may take some seconds to follow the service. */
async function titleOf(address) {
  const deadline = Date.now() + 30_000;
  for (;;) {
    try {
      const text = await page(address);
      return /<title>(.*?)<\/title>/s.exec(text)?.[1]?.trim() ?? text.slice(0, 60).trim();
    } catch (error) {
      if (Date.now() > deadline)
        throw new DemoError(`${address} does not answer: ${error.message}; see: ${slipway} doctor`);
      await sleep(200);
    }
  }
}

/** Over node:http, which tells when a connection ends half way; fetch may wait for ever then. */
function page(address) {
  return new Promise((resolve, reject) => {
    const request = get(address, { agent: false, timeout: 5000 }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        response.statusCode === 200
          ? resolve(Buffer.concat(chunks).toString("utf8"))
          : reject(new Error(`HTTP ${response.statusCode}`)),
      );
      response.on("close", () => reject(new Error("the connection ended half way")));
    });
    request.on("timeout", () => request.destroy(new Error("no answer within 5 s")));
    request.on("error", reject);
  });
}
