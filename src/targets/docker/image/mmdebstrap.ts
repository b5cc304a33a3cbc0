/** What the base is made of: the part of a recipe that this command reads. */
type Ingredients = {
  readonly architecture: string;
  readonly packages: readonly string[];
  readonly debian: { readonly suite: string };
};

/** What keeps documentation and translations out, and lets dpkg write without waiting for the disk. */
const dpkgOptions = [
  "path-exclude=/usr/share/doc/*",
  "path-exclude=/usr/share/man/*",
  "path-exclude=/usr/share/info/*",
  "path-exclude=/usr/share/locale/*",
  "force-unsafe-io",
];

/** What `apt-get indextargets` is asked for each archive, for `debianSources`. */
export const sourceFormat = "$(ORIGIN)|$(CODENAME)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)";

/**
 * The package sources of the suite that apt on this machine is configured for, as lines of a sources.list;
 * none when it is another distribution or suite, then mmdebstrap's own default holds.
 */
export function debianSources(targets: string, suite: string): readonly string[] {
  const lines = new Set<string>();
  for (const line of targets.split("\n")) {
    const [origin, codename = "", uri = "", release = "", component] = line.split("|");
    const ours = codename === suite || codename.startsWith(`${suite}-`);
    if (origin === "Debian" && component === "main" && ours && !codename.endsWith("-backports"))
      lines.add(`deb ${uri} ${release} main`);
  }
  return [...lines].some((line) => line.endsWith(` ${suite} main`)) ? [...lines] : [];
}

/** The words of the mmdebstrap that writes the base's tar archive to its standard output. */
export function mmdebstrapCommand(
  recipe: Ingredients,
  sources: readonly string[],
  proxies: readonly string[],
): readonly [string, ...string[]] {
  return [
    "mmdebstrap",
    "--verbose",
    "--variant=minbase",
    "--format=tar",
    `--architectures=${recipe.architecture}`,
    `--include=${recipe.packages.join(",")}`,
    '--aptopt=APT::Install-Recommends "false"',
    '--aptopt=Acquire::Languages "none"',
    '--aptopt=Acquire::Retries "3"',
    ...proxies.map((proxy) => `--aptopt=${proxy}`),
    ...dpkgOptions.map((option) => `--dpkgopt=${option}`),
    // These two are this machine's, not a node's.
    '--customize-hook=rm -f "$1/etc/hostname" "$1/etc/resolv.conf"',
    recipe.debian.suite,
    "-",
    ...sources,
  ];
}
