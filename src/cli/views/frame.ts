import { stripVTControlCharacters } from "node:util";
import { duration } from "./duration.ts";
import { neutral } from "./neutral.ts";
import type { NodeProgress, Progress } from "./progress.ts";
import type { Theme } from "./theme.ts";

type Size = { readonly columns: number; readonly rows: number };

const spinner = {
  unicode: ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"],
  ascii: ["|", "/", "-", "\\"],
} as const;
const marks = {
  unicode: { ready: "✓", failed: "✗", removed: "-" },
  ascii: { ready: "+", failed: "x", removed: "-" },
} as const;

/** What the terminal shows at one moment: a line for the whole, one per node and service, never more than fits. */
export function frame(progress: Progress, now: number, size: Size, theme: Theme): string {
  const spin = spinnerAt(now, theme);
  const nodes = [...progress.nodes].map(([name, node]) => nodeLine(name, node, now, spin, theme));
  const services = [...progress.services].map(([name, { running, desired, ready, note }]) => {
    const count = ready && desired === 0 ? "" : ` ${running} of ${desired}`;
    const mark = ready ? theme.paint("good", marks[alphabet(theme)].ready) : spin;
    return `${mark} service ${name}${count}${note === undefined ? "" : `  ${theme.paint("quiet", neutral(note))}`}`;
  });
  const head =
    progress.title === ""
      ? []
      : [theme.paint("strong", progress.title), theme.paint("quiet", duration(now - progress.started))];
  if (progress.now !== undefined) head.push(neutral(progress.now));
  const lines = [head.join("  "), ...fitting([...nodes, ...services], Math.max(1, size.rows - 2))];
  return lines.map((line) => cut(line, size.columns - 1, theme)).join("\n");
}

function alphabet(theme: Theme): "unicode" | "ascii" {
  return theme.unicode ? "unicode" : "ascii";
}

function spinnerAt(now: number, theme: Theme): string {
  const frames = spinner[alphabet(theme)];
  return frames[Math.floor(now / 100) % frames.length] ?? "";
}

function nodeLine(name: string, node: NodeProgress, now: number, spin: string, theme: Theme): string {
  const mark = node.state === "working" ? spin : marks[alphabet(theme)][node.state];
  const painted =
    node.state === "ready" ? theme.paint("good", mark) : node.state === "failed" ? theme.paint("bad", mark) : mark;
  const reason = node.reason === undefined ? "" : `  ${neutral(node.reason)}`;
  const time = node.state === "working" ? `  ${theme.paint("quiet", duration(now - node.since))}` : "";
  return `${painted} ${name}  ${neutral(node.phase)}${time}${reason}`;
}

/** On a low terminal the lines that are done make room for the others. */
function fitting(lines: readonly string[], most: number): readonly string[] {
  if (lines.length <= most) return lines;
  const left = lines.length - most + 1;
  return [...lines.slice(left), `… and ${left} more`];
}

/** A line that wraps would make the redraw count wrong. */
function cut(line: string, columns: number, theme: Theme): string {
  const plain = stripVTControlCharacters(line);
  if (plain.length <= columns) return line;
  return `${plain.slice(0, Math.max(0, columns - 1))}${theme.unicode ? "…" : "~"}`;
}
