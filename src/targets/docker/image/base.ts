import type { Engine } from "../engine.ts";
import { bootstrap } from "./bootstrap.ts";
import { buildImage } from "./build.ts";
import { imageLabels } from "./engine.ts";
import { type Recipe, baseImageTag, recipeText } from "./recipe.ts";
import { type Attempt, ImageError, type Workshop, stoppable, why } from "./workshop.ts";

/** Where Docker's official images can be had; a digest makes them one and the same. */
const registries = ["docker.io/library", "public.ecr.aws/docker/library", "mirror.gcr.io/library"];

/** Pulls the stock Debian from the first registry that has it; gives the name it was pulled by. */
async function pullDebian(workshop: Workshop, recipe: Recipe, attempts: Attempt[]): Promise<string | undefined> {
  for (const registry of registries) {
    const image = `${registry}/${recipe.debian.image}`;
    try {
      workshop.say(`debian: pulling ${image}`);
      await workshop.processes.stream(["docker", "pull", image], () => undefined, {
        firstLineWithin: 15_000,
        timeout: 60_000,
        ...stoppable(workshop.signal),
      });
      return image;
    } catch (error) {
      workshop.signal?.throwIfAborted();
      attempts.push({ what: `docker pull ${image}`, why: why(error) });
    }
  }
  return undefined;
}

/**
 * Makes sure of the image below the node image: a stock Debian with the packages on top, or the same made
 * from a package mirror. Throws `ImageError` when neither can be had.
 */
export async function ensureBase(engine: Engine, workshop: Workshop, recipe: Recipe): Promise<string> {
  const tag = baseImageTag(recipe);
  if ((await imageLabels(engine, tag, workshop.signal)) !== undefined) {
    workshop.say(`debian: ${tag} is there`);
    return tag;
  }
  const attempts: Attempt[] = [];
  const stock = await pullDebian(workshop, recipe, attempts);
  if (stock !== undefined) {
    try {
      const files = [{ path: "packages.txt", content: recipeText(recipe, "packages.txt"), mode: 0o644 }];
      const labels = { "slipway.debian": stock };
      await buildImage(workshop, {
        tag,
        subject: "debian",
        dockerfile: recipeText(recipe, "debian.Dockerfile"),
        arguments: { DEBIAN: stock },
        labels,
        files,
      });
      return tag;
    } catch (error) {
      workshop.signal?.throwIfAborted();
      attempts.push({ what: `docker build on ${stock}`, why: why(error) });
    }
  }
  workshop.say("debian: no registry can be reached; trying a package mirror");
  try {
    await bootstrap(workshop, recipe, tag);
    return tag;
  } catch (error) {
    workshop.signal?.throwIfAborted();
    attempts.push({ what: "mmdebstrap from a Debian package mirror", why: why(error) });
  }
  throw new ImageError(
    "There is no Debian to build the node image on:",
    attempts,
    "Give this machine access to a registry or a Debian mirror (a proxy, if one is needed), or set SLIPWAY_NODE_IMAGE to a node image that the engine has or can pull.",
  );
}
