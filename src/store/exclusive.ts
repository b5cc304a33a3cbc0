import type { ProcessOwner } from "../host/owner.ts";
import type { Random } from "../host/random.ts";
import type { StoreFiles } from "./files.ts";
import { StoreError } from "./store.ts";

/** The sole right to a folder, until it is released or another process takes it from one that it believes gone. */
export interface FolderRight {
  /** Throws `closed` when another process has taken the folder over. */
  check(): Promise<void>;
  release(): Promise<void>;
}

export type ExclusiveOptions = {
  readonly files: StoreFiles;
  readonly random: Random;
  readonly owner: ProcessOwner;
  readonly processAlive: (owner: ProcessOwner) => boolean;
};

type Claim = { readonly owner: ProcessOwner; readonly released: boolean };

const decoder = new TextDecoder("utf-8", { fatal: true });
const encoder = new TextEncoder();

/**
 * Claims are files `owner.1`, `owner.2`, …: the highest one owns. A claim is made whole under its name by link(2),
 * which only one process can do, and only where the claim below it is released or its process gone; so there is no
 * moment at which a stale claim is away and two may take its place.
 *
 * A process of another boot or process namespace (a container that was killed and started again) cannot be looked at
 * and counts as gone; should it live, `check` tells it before it acknowledges another write.
 */
export async function claimFolder(options: ExclusiveOptions): Promise<FolderRight> {
  const { files, random, owner } = options;
  for (;;) {
    const before = await claimNumbers(files);
    const highest = Math.max(0, ...before);
    if (highest > 0) await refuseLiving(options, `owner.${highest}`);
    const mine = highest + 1;
    const draft = `${random.hex(8)}.temp`;
    await write(files, draft, { owner, released: false });
    const linked = await files.link(draft, `owner.${mine}`);
    await files.remove(draft);
    if (!linked) continue;
    const now = await claimNumbers(files);
    if (now.some((number) => number > mine)) {
      // We slept while this very number was claimed, given up and its claim removed.
      await files.remove(`owner.${mine}`);
      continue;
    }
    for (const number of now) if (number < mine) await files.remove(`owner.${number}`);
    return rightOf(options, mine);
  }
}

async function claimNumbers(files: StoreFiles): Promise<readonly number[]> {
  return (await files.names()).map(numberOf).filter((number) => number !== undefined);
}

function rightOf({ files, random, owner }: ExclusiveOptions, number: number): FolderRight {
  return {
    async check() {
      if (!(await files.has(`owner.${number}`)))
        throw new StoreError("closed", `another process has taken over ${files.place("")}`);
    },
    async release() {
      // The claim stays, marked: were it removed, its number could be claimed twice.
      if (!(await files.has(`owner.${number}`))) return;
      const draft = `${random.hex(8)}.temp`;
      await write(files, draft, { owner, released: true });
      await files.rename(draft, `owner.${number}`);
    },
  };
}

async function refuseLiving({ files, owner, processAlive }: ExclusiveOptions, name: string): Promise<void> {
  const claim = await read(files, name);
  if (claim === undefined || claim.released || claim.owner.host !== owner.host || !processAlive(claim.owner)) return;
  throw new StoreError(
    "closed",
    `${files.place("")} is in use by process ${claim.owner.process} of ${claim.owner.user} on ${claim.owner.host}`,
  );
}

/** The claim, or `undefined` when it went while we looked (someone above it has claimed). */
async function read(files: StoreFiles, name: string): Promise<Claim | undefined> {
  if (!(await files.has(name))) return undefined;
  let claim: unknown;
  try {
    claim = JSON.parse(decoder.decode(await files.read(name)));
  } catch (error) {
    if (!(await files.has(name))) return undefined;
    throw new StoreError("invalid", `${files.place(name)} is damaged; remove it if no other process uses the folder`, {
      cause: error,
    });
  }
  if (isClaim(claim)) return claim;
  throw new StoreError("invalid", `${files.place(name)} is not a claim; remove it if no other process uses the folder`);
}

function isClaim(claim: unknown): claim is Claim {
  return (
    typeof claim === "object" &&
    claim !== null &&
    "released" in claim &&
    typeof claim.released === "boolean" &&
    "owner" in claim &&
    typeof claim.owner === "object" &&
    claim.owner !== null &&
    "host" in claim.owner &&
    typeof claim.owner.host === "string" &&
    "process" in claim.owner &&
    typeof claim.owner.process === "number" &&
    "started" in claim.owner &&
    typeof claim.owner.started === "string" &&
    "user" in claim.owner &&
    typeof claim.owner.user === "string"
  );
}

async function write(files: StoreFiles, name: string, claim: Claim): Promise<void> {
  const file = await files.create(name);
  try {
    await file.write(encoder.encode(JSON.stringify(claim)));
    await file.sync();
  } finally {
    await file.close();
  }
}

function numberOf(name: string): number | undefined {
  const digits = /^owner\.([1-9]\d{0,14})$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
