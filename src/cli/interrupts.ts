import { setMaxListeners } from "node:events";

/** The ends that an interrupt reaches: of the process, or of a test. */
export type InterruptEnds = {
  /** Says that the state is safe and how to go on, and ends the process with 130 at once. */
  readonly leave: () => void;
  /** Calls back after so many milliseconds, unless the process has ended by itself. */
  readonly after: (milliseconds: number, call: () => void) => void;
};

/** How long an interrupted operation may take to stop in good order, in milliseconds. */
export const patience = 5000;

/**
 * What Ctrl-C does: the first aborts the signal, so that the operation stops between two steps; the second, or an
 * operation that does not stop, ends the process at once.
 */
export function interrupts(ends: InterruptEnds) {
  const controller = new AbortController();
  // As many as there are nodes wait for it side by side; that is no leak.
  setMaxListeners(0, controller.signal);
  let lent = false;
  return {
    signal: controller.signal,
    interrupt: (): void => {
      // A program that we run on our own terminal gets the same signal, and decides.
      if (lent) return;
      if (controller.signal.aborted) return ends.leave();
      controller.abort(new Error("interrupted"));
      ends.after(patience, ends.leave);
    },
    /** While another program has the terminal, interrupts are its own. */
    async whileLent<T>(work: () => Promise<T>): Promise<T> {
      lent = true;
      try {
        return await work();
      } finally {
        lent = false;
      }
    },
  };
}
