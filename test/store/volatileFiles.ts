import type { Random } from "../../src/host/random.ts";
import type { StoreFiles } from "../../src/store/files.ts";

type Inode = { content: Uint8Array; lasting: Uint8Array | undefined };
type NameChange = (names: Map<string, Inode>) => void;

/**
 * A disk that forgets: what a folder holds after a loss of power is what was synced, plus any part of what was not.
 * Content that was not synced is whole, half, or empty; changes of names that were not synced happened or did not, each
 * by itself. `random` decides. Operations are counted over all openings; at the chosen one the power goes (half way
 * through, for a write) and nothing is answered any more.
 */
export class VolatileDisk {
  #names = new Map<string, Inode>();
  #lasting = new Map<string, Inode>();
  #pending: NameChange[] = [];
  #random: Random;
  #left = Number.POSITIVE_INFINITY;
  #dead = false;
  #onDeath: () => void = () => {};

  constructor(random: Random) {
    this.#random = random;
  }

  /** The power will go at this operation from now (1: the very next); resolves when it has. */
  failAt(operation: number): Promise<void> {
    this.#left = operation;
    return new Promise((resolve) => {
      this.#onDeath = resolve;
    });
  }

  /** The power comes back: `lost` says whether it had gone, or only the process was killed. */
  recover(lost: "power" | "process"): void {
    this.#left = Number.POSITIVE_INFINITY;
    this.#dead = false;
    if (lost === "process") return;
    for (const change of this.#pending) if (this.#random.fraction() < 0.5) change(this.#lasting);
    this.#pending = [];
    for (const inode of this.#lasting.values()) {
      const share = this.#random.fraction();
      inode.lasting ??=
        share < 0.3 ? new Uint8Array() : inode.content.slice(0, share < 0.6 ? inode.content.length / 2 : undefined);
      inode.content = inode.lasting;
    }
    this.#names = new Map(this.#lasting);
  }

  /** Changes one byte, or cuts the file, behind everyone's back. */
  damage(name: string, change: (content: Uint8Array) => Uint8Array): void {
    const inode = this.#names.get(name);
    if (inode === undefined) throw new Error(`no file ${name}`);
    inode.content = change(inode.content);
    inode.lasting = inode.content;
  }

  names(): readonly string[] {
    return [...this.#names.keys()];
  }

  /** The folder as one process sees it. */
  files(): StoreFiles {
    const rename = (change: NameChange): void => {
      change(this.#names);
      this.#pending.push(change);
    };
    return {
      place: (name) => `/volatile/${name}`,
      make: () => this.#step(() => {}),
      protect: () => this.#step(() => {}),
      names: () => this.#step(() => [...this.#names.keys()]),
      has: (name) => this.#step(() => this.#names.has(name)),
      read: (name) => this.#step(() => this.#inode(name).content.slice()),
      create: (name) =>
        this.#step(() => {
          const inode: Inode = { content: new Uint8Array(), lasting: undefined };
          rename((names) => names.set(name, inode));
          return {
            write: (bytes) =>
              this.#step(
                () => {
                  inode.content = bytes.slice();
                },
                () => {
                  inode.content = bytes.slice(0, bytes.length / 2);
                },
              ),
            sync: () =>
              this.#step(() => {
                inode.lasting = inode.content;
              }),
            close: () => this.#step(() => {}),
          };
        }),
      rename: (from, to) =>
        this.#step(() => {
          const inode = this.#inode(from);
          rename((names) => {
            names.delete(from);
            names.set(to, inode);
          });
        }),
      link: (from, to) =>
        this.#step(() => {
          if (this.#names.has(to) || !this.#names.has(from)) return false;
          const inode = this.#inode(from);
          rename((names) => names.set(to, inode));
          return true;
        }),
      remove: (name) => this.#step(() => rename((names) => names.delete(name))),
      // What is changed while a sync runs, and it may take long, is not part of it.
      syncFolder: async () => {
        const begun = await this.#step(() => ({
          names: new Map(this.#names),
          changes: this.#pending.slice(),
        }));
        for (let wait = Math.floor(this.#random.fraction() * 8); wait > 0; wait--) await this.#step(() => {});
        await this.#step(() => {
          this.#lasting = begun.names;
          this.#pending = this.#pending.filter((change) => !begun.changes.includes(change));
        });
      },
      close: async () => {},
    };
  }

  #inode(name: string): Inode {
    const inode = this.#names.get(name);
    if (inode === undefined) throw Object.assign(new Error(`ENOENT: ${name}`), { code: "ENOENT" });
    return inode;
  }

  async #step<Result>(work: () => Result, half: () => void = () => {}): Promise<Result> {
    await Promise.resolve();
    if (!this.#dead && --this.#left === 0) {
      this.#dead = true;
      half();
      this.#onDeath();
    }
    // The process is no more: its calls are never answered.
    if (this.#dead) return new Promise<never>(() => {});
    return work();
  }
}
