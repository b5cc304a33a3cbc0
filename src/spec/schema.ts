import * as z from "zod";
import { clusterFile } from "./cluster.ts";

/** JSON Schema of cluster.yml, from which editors complete words and show descriptions. */
export function editorSchema(): object {
  const schema = z.toJSONSchema(clusterFile, {
    io: "input",
    // The version that editors know best.
    target: "draft-7",
    // What a field takes is in its description's meta; zod itself cannot look into a transformation.
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema }) => {
      const short = z.globalRegistry.get(zodSchema)?.["short"];
      delete jsonSchema["short"];
      delete jsonSchema.propertyNames;
      // A section whose keys are all optional may be left empty: `docker:`.
      if (jsonSchema.type === "object" && jsonSchema.required === undefined)
        Object.assign(jsonSchema, { type: ["object", "null"] });
      if (!isSchema(short)) return;
      const { description, ...long } = jsonSchema;
      for (const key of Object.keys(jsonSchema)) delete jsonSchema[key];
      Object.assign(jsonSchema, {
        ...(description === undefined ? {} : { description }),
        anyOf: [short, long],
      });
    },
  });
  return { ...schema, title: "Slipway cluster" };
}

function isSchema(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
