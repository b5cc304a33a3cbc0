import { handlerOf } from "./handlers/table.ts";
import type { Resource } from "./stack.ts";
import type { Section, TemplateResource } from "./template.ts";

/** What an operation has done, so that it can be taken back. */
export type Done =
  | { readonly kind: "created"; readonly resource: Resource }
  | {
      readonly kind: "updated";
      readonly resource: Resource;
      readonly before: Section;
      readonly template: TemplateResource;
    }
  | { readonly kind: "replaced"; readonly resource: Resource; readonly old: Resource };

/** Properties whose change makes another resource of it. */
export function replacing(resource: Resource, properties: Section): readonly string[] {
  return (handlerOf(resource.type)?.replacedBy ?? []).filter(
    (name) => JSON.stringify(resource.properties[name]) !== JSON.stringify(properties[name]),
  );
}
