import type { AwsFacts } from "./aws/facts/facts.ts";

export type Facts = AwsFacts;

/** What writes a whole cluster for an engine of AWS's; pure, and loaded only when it is asked for. */
export async function templates() {
  const { compile } = await import("./aws/compile.ts");
  const { plainValue, prettyTemplate: pretty } = await import("./aws/cloudformation.ts");
  const { readFacts, noFacts } = await import("./aws/facts/facts.ts");
  const { offlinePlan } = await import("./aws/offline.ts");
  const { nodePolicy, operatorPolicy } = await import("./aws/policy/policy.ts");
  return { compile, pretty, plainValue, readFacts, noFacts, nodePolicy, operatorPolicy, offlinePlan };
}
