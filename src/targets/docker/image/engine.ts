import { ProcessError, type Processes } from "../../../host/processes.ts";
import type { Architecture } from "../../../components/etcd/release.ts";
import { ImageError, stoppable, why } from "./workshop.ts";

export type Labels = Readonly<Partial<Record<string, string>>>;

/** The architecture of the engine that the docker command uses; throws `ImageError` when none answers. */
export async function engineArchitecture(processes: Processes, signal: AbortSignal | undefined): Promise<Architecture> {
  const command = ["docker", "version", "--format", "{{.Server.Arch}}"] as const;
  let found: string;
  try {
    found = (await processes.run([...command], { timeout: 30_000, ...stoppable(signal) })).stdout.trim();
  } catch (error) {
    signal?.throwIfAborted();
    throw new ImageError(
      "No Docker engine answers:",
      [{ what: command.join(" "), why: why(error) }],
      "Start Docker, or point DOCKER_HOST or the docker context at an engine.",
    );
  }
  if (found === "amd64" || found === "arm64") return found;
  throw new ImageError(`The Docker engine runs on ${found}:`, [], "Node images exist for amd64 and arm64.");
}

/** The labels of an image that the engine has; undefined when it has none of that name. */
export async function imageLabels(
  processes: Processes,
  image: string,
  signal: AbortSignal | undefined,
): Promise<Labels | undefined> {
  try {
    const { stdout } = await processes.run(
      ["docker", "image", "inspect", "--format", "{{json .Config.Labels}}", image],
      { timeout: 30_000, ...stoppable(signal) },
    );
    const labels: unknown = JSON.parse(stdout);
    if (typeof labels !== "object" || labels === null) return {};
    return Object.fromEntries(
      Object.entries(labels).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
    );
  } catch (error) {
    if (error instanceof ProcessError && /no such image/i.test(error.stderr)) return undefined;
    throw error;
  }
}
