import type { Format } from "./format.ts";

/** What the agent reads from the store: the model itself, with every origin. */
export const agent: Format = {
  name: "agent",
  systems: ["debian", "ubuntu", "flatcar", "fedora-coreos"],
  render: (machine) => ({ text: `${JSON.stringify(machine, undefined, 2)}\n`, problems: [] }),
};
