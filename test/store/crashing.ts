import { writeSync } from "node:fs";
import { diskStore } from "../../src/store/disk.ts";
import { folderFiles, type NewFile, type StoreFiles } from "../../src/store/files.ts";
import { workload } from "./workload.ts";

// A process of its own: does the workload on a real disk, says each line as it happens, and kills itself at one call of the disk.
const [folder = "", at = "", round = ""] = process.argv.slice(2);
let left = Number(at);

/** Before the chosen call everything ends; `half` is what of the call had happened by then. */
async function reach(half: () => Promise<void> = async () => {}): Promise<void> {
  if (--left !== 0) return;
  await half();
  process.kill(process.pid, "SIGKILL");
  await new Promise<never>(() => {});
}

const real = folderFiles(folder);
const reaching =
  <Words extends unknown[], Result>(call: (...words: Words) => Promise<Result>) =>
  async (...words: Words): Promise<Result> => {
    await reach();
    return call(...words);
  };
const files: StoreFiles = {
  place: real.place,
  make: reaching(real.make),
  protect: reaching(real.protect),
  names: reaching(real.names),
  has: reaching(real.has),
  read: reaching(real.read),
  rename: reaching(real.rename),
  link: reaching(real.link),
  remove: reaching(real.remove),
  syncFolder: reaching(real.syncFolder),
  close: real.close,
  async create(name) {
    await reach();
    const file = await real.create(name);
    const written: NewFile = {
      async write(bytes) {
        await reach(() => file.write(bytes.subarray(0, bytes.length / 2)));
        await file.write(bytes);
      },
      sync: reaching(file.sync),
      close: reaching(file.close),
    };
    return written;
  },
};

const store = await diskStore(folder, { files });
await workload(store, Number(round), (said) => writeSync(1, `${JSON.stringify(said)}\n`));
await store.close();
