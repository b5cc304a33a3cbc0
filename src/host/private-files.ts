import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import writeFileAtomic from "write-file-atomic";

/** Files that hold secrets of this machine's user. */
export interface PrivateFiles {
  /** Writes a file with mode 0600 into a folder that is made with, or set to, mode 0700; gives back its path. */
  write(folder: string, name: string, content: string): Promise<string>;
}

export const systemPrivateFiles: PrivateFiles = {
  async write(folder, name, content) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
    const path = join(folder, name);
    await writeFileAtomic(path, content, { mode: 0o600 });
    return path;
  },
};
