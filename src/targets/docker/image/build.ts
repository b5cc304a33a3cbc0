import { condense } from "./progress.ts";
import { type Workshop, answer, stoppable } from "./workshop.ts";

type ContextFile = { readonly path: string; readonly mode: number } & (
  | { readonly content: string }
  | { readonly from: string }
);

/** One `docker build`. */
export type Build = {
  readonly tag: string;
  /** What progress lines begin with. */
  readonly subject: string;
  readonly dockerfile: string;
  readonly arguments: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly files: readonly ContextFile[];
};

/** The words of the docker command; the same for the classic builder and for BuildKit. */
export function buildCommand(build: Build, context: string): readonly [string, ...string[]] {
  return [
    "docker",
    "build",
    "--tag",
    build.tag,
    ...Object.entries(build.arguments).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
    ...Object.entries(build.labels).flatMap(([name, value]) => ["--label", `${name}=${value}`]),
    context,
  ];
}

/** Builds an image from a Dockerfile and files that are gathered in a directory for the while. */
export async function buildImage(workshop: Workshop, build: Build): Promise<void> {
  const place = await workshop.disk.workplace();
  try {
    await workshop.disk.write(`${place.path}/Dockerfile`, build.dockerfile, 0o644);
    for (const file of build.files) {
      if ("content" in file) await workshop.disk.write(`${place.path}/${file.path}`, file.content, file.mode);
      else await workshop.disk.copy(file.from, `${place.path}/${file.path}`, file.mode);
    }
    // Of several BuildKit builders only the one named like the context sees and keeps the engine's own images.
    const context = await answer(workshop, ["docker", "context", "show"]);
    await workshop.processes.stream(buildCommand(build, place.path), condense(build.subject, workshop), {
      environment: {
        BUILDKIT_PROGRESS: "plain",
        BUILDX_NO_DEFAULT_ATTESTATIONS: "1",
        BUILDX_BUILDER: context ?? "default",
      },
      timeout: 600_000,
      ...stoppable(workshop.signal),
    });
  } finally {
    await place.remove();
  }
}
