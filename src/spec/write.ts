import { stringify } from "yaml";

/** Values as YAML 1.2 text that reads back to the same; maps are blocks, and long lines are not folded. */
export function yamlText(value: unknown): string {
  return stringify(value, {
    version: "1.2",
    schema: "core",
    lineWidth: 0,
    aliasDuplicateObjects: false,
  });
}
