import type { Output } from "../world.ts";

/** A part of the terminal that is drawn again and again. */
export type Live = {
  readonly show: (text: string) => void;
  /** Lines that stay, above what is drawn. */
  readonly above: (text: string) => void;
  /** Leaves what was drawn last and gives the cursor back; may be called twice. */
  readonly close: (keep: boolean) => void;
};

/**
 * Opens it on a stream that is a terminal; log-update solves wrapping, wide characters and the height, and gives the
 * cursor back however the process ends.
 */
export async function openLive(output: Output): Promise<Live> {
  const { createLogUpdate } = await import("log-update");
  const log = createLogUpdate(output);
  let open = true;
  return {
    show: (text) => {
      if (open) log(text);
    },
    above: (text) => (open ? log.persist(text) : void output.write(`${text}\n`)),
    close: (keep) => {
      if (!open) return;
      open = false;
      if (!keep) log.clear();
      log.done();
    },
  };
}
