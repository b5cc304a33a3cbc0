import type { Architecture } from "../../../components/etcd/release.ts";
import { at, textAt, textsAt } from "../../../host/answer.ts";
import { type Engine, orAbsent } from "../engine.ts";
import { ImageError, stoppable, why } from "./workshop.ts";

export type Labels = Readonly<Partial<Record<string, string>>>;

/** The engine's architecture; throws `ImageError` when none answers. */
export async function engineArchitecture(engine: Engine, signal: AbortSignal | undefined): Promise<Architecture> {
  const path = "/version";
  let found: string;
  try {
    found = textAt(await engine.call("say its version", "GET", path, stoppable(signal)), "Arch");
  } catch (error) {
    signal?.throwIfAborted();
    throw new ImageError(
      "No Docker engine answers:",
      [{ what: `GET ${path}`, why: why(error) }],
      "Start Docker, or point DOCKER_HOST or the docker context at an engine.",
    );
  }
  if (found === "amd64" || found === "arm64") return found;
  throw new ImageError(`The Docker engine runs on ${found}:`, [], "Node images exist for amd64 and arm64.");
}

/** The labels of an image that the engine has; undefined when it has none of that name. */
export async function imageLabels(
  engine: Engine,
  image: string,
  signal: AbortSignal | undefined,
): Promise<Labels | undefined> {
  const path = `/images/${encodeURI(image)}/json`;
  const found = await orAbsent(engine.call(`look at the image ${image}`, "GET", path, stoppable(signal)));
  return found === undefined ? undefined : textsAt(at(found, "Config"), "Labels");
}
