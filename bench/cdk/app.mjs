// Synthesises a template that stands in a file already, resource by resource: the least that CDK can have to do for the same
// stack. Without its command line, which starts this as a process of its own.
import { readFileSync } from "node:fs";
import { App, CfnCondition, CfnOutput, CfnParameter, CfnResource, Fn, Stack } from "aws-cdk-lib";

const [file, out] = process.argv.slice(2);
const template = JSON.parse(readFileSync(file, "utf8"));
const app = new App({ outdir: out, analyticsReporting: false });
const stack = new Stack(app, "demo");
for (const [id, { Type: type, Default: usual, AllowedPattern: allowedPattern }] of Object.entries(template.Parameters))
  new CfnParameter(stack, id, { type, default: usual, allowedPattern });
for (const [
  id,
  {
    "Fn::Equals": [{ Ref: parameter }, value],
  },
] of Object.entries(template.Conditions))
  new CfnCondition(stack, id, { expression: Fn.conditionEquals(Fn.ref(parameter), value) });
const made = new Map();
for (const [id, { Type: type, Properties: properties }] of Object.entries(template.Resources))
  made.set(id, new CfnResource(stack, id, { type, properties }));
for (const [id, { DependsOn: others = [] }] of Object.entries(template.Resources))
  for (const other of others) made.get(id).addDependency(made.get(other));
for (const [id, { Value: value }] of Object.entries(template.Outputs))
  new CfnOutput(stack, id, { value: JSON.stringify(value) });
app.synth();
