import type { Clock } from "../../host/clock.ts";
import type { AtExit, Output } from "../world.ts";
import { frame } from "./frame.ts";
import { openLive } from "./live.ts";
import { isTold, linesOf } from "./plain.ts";
import { advance, noProgress } from "./progress.ts";
import type { Theme } from "./theme.ts";
import { mustBeSeen, type View } from "./view.ts";

/** Milliseconds from one drawing to the next; never more than ten a second. */
const pace = 120;

/** Nodes side by side, drawn again as they go on; what must be seen stays above. */
export async function terminalView(output: Output, theme: Theme, clock: Clock, atExit: AtExit): Promise<View> {
  const live = await openLive(output, atExit);
  const ended = new AbortController();
  let progress = noProgress;

  const draw = (): void => {
    if (progress.title === "" && progress.now === undefined) return;
    live.show(frame(progress, clock.now(), { columns: output.columns || 80, rows: output.rows || 24 }, theme));
  };
  const drawing = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      draw();
      await clock.sleep(pace, ended.signal);
    }
  };
  void drawing();

  return {
    listen: (event) => {
      progress = advance(progress, event);
      if (mustBeSeen(event) && !isTold(event)) live.above(linesOf(event, theme).join("\n"));
    },
    close: () => {
      if (ended.signal.aborted) return;
      ended.abort();
      draw();
      live.close(true);
    },
  };
}
