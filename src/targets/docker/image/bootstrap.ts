import { ProcessError } from "../../../host/processes.ts";
import { debianSources, mmdebstrapCommand, sourceFormat } from "./mmdebstrap.ts";
import { condense } from "./progress.ts";
import type { Recipe } from "./recipe.ts";
import { type Workshop, answer, stoppable } from "./workshop.ts";

/** Sees to it that mmdebstrap is there; installs it where this is root on a Debian or Ubuntu. */
async function ensureMmdebstrap(workshop: Workshop): Promise<void> {
  if ((await answer(workshop, ["mmdebstrap", "--version"])) !== undefined) return;
  const user = await answer(workshop, ["id", "-u"]);
  if ((await answer(workshop, ["apt-get", "--version"])) === undefined)
    throw new Error("mmdebstrap is not installed and there is no apt-get to install it with");
  const command = [
    "apt-get",
    "install",
    "--yes",
    "--no-install-recommends",
    "mmdebstrap",
    "debian-archive-keyring",
  ] as const;
  if (user !== "0") throw new Error(`mmdebstrap is not installed; run: sudo ${command.join(" ")}`);
  workshop.say("debian: installing mmdebstrap on this machine (apt-get install mmdebstrap debian-archive-keyring)");
  const options = {
    environment: { DEBIAN_FRONTEND: "noninteractive" },
    timeout: 180_000,
    ...stoppable(workshop.signal),
  };
  try {
    await workshop.processes.run([...command], options);
  } catch (error) {
    if (!(error instanceof ProcessError)) throw error;
    // The package lists are old or were never fetched.
    await workshop.processes.run(["apt-get", "update"], options);
    await workshop.processes.run([...command], options);
  }
}

/** Makes the base image from a Debian package mirror with mmdebstrap; gives it the tag only when it is whole. */
export async function bootstrap(workshop: Workshop, recipe: Recipe, tag: string): Promise<void> {
  await ensureMmdebstrap(workshop);
  const native = await answer(workshop, ["dpkg", "--print-architecture"]);
  if (native !== recipe.architecture)
    throw new Error(`this machine is ${native ?? "not a Debian"} and the engine ${recipe.architecture}`);
  const targets =
    (await answer(workshop, ["apt-get", "indextargets", "--format", sourceFormat, "Created-By: Packages"])) ?? "";
  const proxies =
    (await answer(workshop, [
      "apt-config",
      "dump",
      "--no-empty",
      "--format",
      '%f "%v"%n',
      "Acquire::http::Proxy",
      "Acquire::https::Proxy",
    ])) ?? "";
  const command = mmdebstrapCommand(
    recipe,
    debianSources(targets, recipe.debian.suite),
    proxies.split("\n").filter((line) => line !== ""),
  );
  workshop.say(
    `debian: making ${recipe.debian.suite} with ${recipe.packages.length} packages and what they need, by mmdebstrap`,
  );
  let id: string | undefined;
  const condensed = condense("debian", workshop);
  const heard = (line: string): void => {
    // The import's only line is the new image's id.
    if (/^sha256:[0-9a-f]{64}$/.test(line)) id = line;
    else condensed(line);
  };
  await workshop.processes.pipe(
    command,
    ["docker", "import", "--change", "LABEL slipway.debian=mmdebstrap", "-"],
    heard,
    { timeout: 600_000, ...stoppable(workshop.signal) },
  );
  if (id === undefined) throw new Error("docker import gave no image id");
  await workshop.processes.run(["docker", "tag", id, tag], stoppable(workshop.signal));
}
