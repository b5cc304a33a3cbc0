// Builds the example service's image, demo/hello, from the node image: no registry is asked.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), "examples/hello");

export const helloImage = "demo/hello";
/** Hash of what the image was made of, so that it is built again only when that has changed. */
const label = "slipway.example";

/** Makes sure that the engine has `demo/hello`; gives whether it was built just now. */
export async function ensureHello({ nodeImage, log = (line) => console.error(line) }) {
  const hash = createHash("sha256").update(nodeImage);
  for (const name of readdirSync(folder).sort()) hash.update(`\0${name}\0`).update(readFileSync(join(folder, name)));
  const wanted = hash.digest("hex");
  if ((await labelOf(helloImage)) === wanted) return { image: helloImage, built: false };
  log(`building ${helloImage} from ${nodeImage}`);
  const { stdout: context } = await run("docker", ["context", "show"]).catch(() => ({
    stdout: "default",
  }));
  await run(
    "docker",
    ["build", "--tag", helloImage, "--label", `${label}=${wanted}`, "--build-arg", `NODE_IMAGE=${nodeImage}`, folder],
    {
      // Of several BuildKit builders only the context's own sees the node image.
      env: { ...process.env, BUILDX_BUILDER: context.trim(), BUILDX_NO_DEFAULT_ATTESTATIONS: "1" },
      maxBuffer: 16 * 1024 * 1024,
    },
  );
  return { image: helloImage, built: true };
}

async function labelOf(image) {
  try {
    const { stdout } = await run("docker", [
      "image",
      "inspect",
      "--format",
      `{{index .Config.Labels "${label}"}}`,
      image,
    ]);
    return stdout.trim();
  } catch (error) {
    if (/no such image/i.test(String(error.stderr))) return undefined;
    throw error;
  }
}
