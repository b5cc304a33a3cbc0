import type { Change, Outlook } from "../../plan/plan.ts";
import { neutral } from "./neutral.ts";
import { counted } from "./sentence.ts";
import type { Theme } from "./theme.ts";

const looks = {
  create: ["+", "good"],
  update: ["~", "warning"],
  replace: ["±", "bad"],
  delete: ["-", "bad"],
  unclear: ["?", "warning"],
} as const;

/** Whether a change takes something away or interrupts it; what it does is to be agreed to. */
export function loses({ action, nodes }: Change): boolean {
  return action === "delete" || action === "replace" || action === "unclear" || nodes.restarted.length > 0;
}

/** What would change, one line each, with the reason and what it does to nodes; then what there is to know of the whole. */
export function planText(cluster: string, changes: readonly Change[], theme: Theme, outlook?: Outlook): string {
  const more = outlookLines(outlook, changes.length);
  if (changes.length === 0) return [`${cluster}: nothing to change`, ...more, ""].join("\n");
  const widest = Math.max(...changes.map(({ kind, name }) => kind.length + name.length + 1));
  const lines = changes.map((change) => {
    const [mark, style] = looks[change.action];
    const subject = `${change.kind} ${change.name}`.padEnd(widest);
    return `${theme.paint(style, `${theme.unicode || mark !== "±" ? mark : "!"} ${change.action.padEnd(7)}`)} ${subject}  ${neutral(change.reason)}${effect(change)}${cost(change)}`.trimEnd();
  });
  return [`${theme.paint("strong", cluster)}: ${counted(changes.length, "change")}`, ...lines, ...more, ""].join("\n");
}

function cost({ monthly }: Change): string {
  return monthly === undefined ? "" : `; $${monthly.toFixed(2)} a month`;
}

function outlookLines(outlook: Outlook | undefined, changes: number): readonly string[] {
  if (outlook === undefined) return [];
  const { monthly, calls, notes } = outlook;
  return [
    ...(monthly === undefined ? [] : [`about $${monthly.toFixed(2)} a month in all`]),
    ...(calls === undefined || changes === 0 ? [] : [`about ${calls} calls of AWS's API`]),
    ...notes.map((note) => neutral(note, 500)),
  ];
}

/** Nodes that the change restarts or replaces beside the one that it is about. */
function effect({ name, nodes }: Change): string {
  const parts = [
    ["restarts", nodes.restarted.filter((node) => node !== name)],
    ["replaces", nodes.replaced.filter((node) => node !== name)],
  ] as const;
  return parts
    .filter(([, names]) => names.length > 0)
    .map(([verb, names]) => `; ${verb} ${names.join(", ")}`)
    .join("");
}
