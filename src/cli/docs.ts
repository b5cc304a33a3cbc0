type Example = readonly [line: string, what: string];

/** A verb's help: what it does, and examples that can be pasted; `usage` where the generated line would not do. */
export function docs(brief: string, description: string, examples: readonly Example[], usage?: string) {
  const widest = Math.max(...examples.map(([line]) => line.length));
  const shown = examples.map(([line, what]) => `  slipway ${line.padEnd(widest)}  # ${what}`);
  return {
    brief,
    fullDescription: [description, "", "EXAMPLES", ...shown].join("\n"),
    ...(usage === undefined ? {} : { customUsage: [usage] }),
  };
}
