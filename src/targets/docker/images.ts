import { spawn } from "node:child_process";
import type { NodeName } from "../../cluster/cluster.ts";
import type { Clock } from "../../host/clock.ts";
import { loadedName } from "../../components/swarm/image.ts";
import { ProcessError, type Processes } from "../../host/processes.ts";

/** How long a new node's own engine may take to come up, milliseconds. */
const engineUp = 120_000;

/** Ids of those of the references that lie on the engine itself. */
export async function localImages(
  processes: Processes,
  references: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const reference of new Set(references)) {
    const { code, stdout, stderr } = await processes.run(
      ["docker", "image", "inspect", "--format", "{{.Id}}", "--", reference],
      { accept: [0, 1] },
    );
    if (code === 0) found.set(reference, stdout.trim());
    else if (!/no such image/i.test(stderr))
      throw new ProcessError(["docker", "image", "inspect", reference], code, stderr, "could not look at an image");
  }
  return found;
}

/** Whether the node's own engine has an image of this name; `undefined`: its engine is not up yet. */
async function has(processes: Processes, node: NodeName, reference: string): Promise<boolean | undefined> {
  const asked = await processes.run(
    ["docker", "exec", node, "docker", "image", "inspect", "--format", "ok", "--", reference],
    { accept: [0, 1, 126, 127], timeout: 30_000 },
  );
  if (asked.code === 0) return true;
  return /no such image/i.test(asked.stderr) ? false : undefined;
}

/** One image through a pipe from the engine into the node's engine; no file in between. */
function send(reference: string, node: NodeName, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const from = spawn("docker", ["save", reference], { stdio: ["ignore", "pipe", "pipe"], signal });
    const to = spawn("docker", ["exec", "-i", node, "docker", "load", "--quiet"], {
      stdio: ["pipe", "ignore", "pipe"],
      signal,
    });
    let said = "";
    for (const child of [from, to]) {
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        said = (said + text).slice(-2_000);
      });
      child.on("error", reject);
    }
    // When the load ends early, its exit code tells why.
    to.stdin.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") reject(error);
    });
    from.stdout.pipe(to.stdin);
    const ends: (number | null)[] = [];
    const ended = (code: number | null): void => {
      ends.push(code);
      if (ends.length < 2) return;
      if (ends.every((end) => end === 0)) resolve();
      else
        reject(
          new ProcessError(["docker", "save", reference], undefined, said, `could not load the image into ${node}`),
        );
    };
    from.on("close", ended);
    to.on("close", ended);
  });
}

/** Loads a local image, under a name of its own, into the nodes that lack it; waits for engines that are not up yet. */
export async function loadImage(
  processes: Processes,
  clock: Clock,
  reference: string,
  id: string,
  nodes: readonly NodeName[],
  signal: AbortSignal,
): Promise<readonly NodeName[]> {
  const loaded: NodeName[] = [];
  const name = loadedName(reference, id);
  await Promise.all(
    nodes.map(async (node) => {
      const deadline = clock.now() + engineUp;
      for (;;) {
        signal.throwIfAborted();
        const there = await has(processes, node, name);
        if (there === true) return;
        if (there === false) break;
        if (clock.now() > deadline)
          throw new Error(`the engine of ${node} did not come up within ${engineUp / 1000} s`);
        await clock.sleep(300, signal);
      }
      await send(reference, node, signal);
      await processes.run(["docker", "exec", node, "docker", "image", "tag", "--", reference, name], {
        timeout: 30_000,
        signal,
      });
      loaded.push(node);
    }),
  );
  return loaded;
}
