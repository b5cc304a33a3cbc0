/** What writes a whole cluster for an engine of AWS's; pure, and loaded only when it is asked for. */
export async function templates() {
  const { compile } = await import("./aws/compile.ts");
  const { prettyTemplate: pretty } = await import("./aws/cloudformation.ts");
  const { readFacts, noFacts } = await import("./aws/facts.ts");
  return { compile, pretty, readFacts, noFacts };
}
