import type { NodeName } from "../../cluster/cluster.ts";
import { loadedName } from "../../components/swarm/image.ts";
import { textAt } from "../../host/answer.ts";
import type { Clock } from "../../host/clock.ts";
import { EngineError, orAbsent, type Engine } from "./engine.ts";
import { exec } from "./exec.ts";

/** How long a new node's own engine may take to come up, milliseconds. */
const engineUp = 120_000;

/** Ids of those of the references that lie on the engine itself. */
export async function localImages(engine: Engine, references: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const reference of new Set(references)) {
    const image = await orAbsent(
      engine.call(`look at the image ${reference}`, "GET", `/images/${encodeURI(reference)}/json`),
    );
    if (image !== undefined) found.set(reference, textAt(image, "Id"));
  }
  return found;
}

type World = { readonly engine: Engine; readonly clock: Clock; readonly signal: AbortSignal };

/** Whether the node's own engine has an image of this name; `undefined`: its engine is not up yet. */
async function has({ engine, signal }: World, node: NodeName, reference: string): Promise<boolean | undefined> {
  const late = AbortSignal.timeout(30_000);
  try {
    const asked = await exec(engine, node, ["docker", "image", "inspect", "--format", "ok", "--", reference], {
      signal: AbortSignal.any([signal, late]),
    });
    if (asked.code === 0) return true;
    return /no such image/i.test(asked.stderr) ? false : undefined;
  } catch (error) {
    signal.throwIfAborted();
    // The container is just being restarted, or its engine is silent.
    if (late.aborted || (error instanceof EngineError && error.status === 409)) return undefined;
    throw error;
  }
}

/** One image through a pipe from the engine into the node's engine, and its name there; no file in between. */
async function send({ engine, signal }: World, reference: string, name: string, node: NodeName): Promise<void> {
  const input = await engine.stream(`save the image ${reference}`, `/images/${encodeURI(reference)}/get`);
  const load = 'docker load --quiet && docker image tag -- "$0" "$1"';
  const { code, stderr } = await exec(engine, node, ["sh", "-c", load, reference, name], { input, signal });
  if (code !== 0) throw new Error(`could not load the image ${reference} into ${node}: ${stderr.trim()}`);
}

/** Loads a local image, under a name of its own, into the nodes that lack it; waits for engines that are not up yet. */
export async function loadImage(
  world: World,
  reference: string,
  id: string,
  nodes: readonly NodeName[],
): Promise<readonly NodeName[]> {
  const { clock, signal } = world;
  const loaded: NodeName[] = [];
  const name = loadedName(reference, id);
  await Promise.all(
    nodes.map(async (node) => {
      const deadline = clock.now() + engineUp;
      for (;;) {
        signal.throwIfAborted();
        const there = await has(world, node, name);
        if (there === true) return;
        if (there === false) break;
        if (clock.now() > deadline)
          throw new Error(`the engine of ${node} did not come up within ${engineUp / 1000} s`);
        await clock.sleep(300, signal);
      }
      await send(world, reference, name, node);
      loaded.push(node);
    }),
  );
  return loaded;
}
