import type { Output } from "../world.ts";
import type { View } from "./view.ts";

/** One JSON object per event and line. */
export function ndjsonView(output: Output): View {
  return {
    listen: (event) => void output.write(`${JSON.stringify(event)}\n`),
    close: () => undefined,
  };
}
