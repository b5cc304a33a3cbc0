import type { TypedPositionalParameter } from "@stricli/core";
import type { CliContext } from "./context.ts";
import { proposals } from "./proposals.ts";

/** NAME: a cluster, or the file that describes it. */
export const clusterWord: TypedPositionalParameter<string | undefined, CliContext> = {
  parse: String,
  optional: true,
  placeholder: "name",
  brief: "cluster, or its file (default: that of ./cluster.yml, else the only one)",
  proposeCompletions(this: CliContext, partial: string) {
    return proposals(this.world, partial, "clusters");
  },
};

/** FILE: a description of a cluster. */
export const fileWord: TypedPositionalParameter<string | undefined, CliContext> = {
  parse: String,
  optional: true,
  placeholder: "file",
  brief: "file that describes the cluster (default: ./cluster.yml)",
};

/** Any number of words: a cluster first, if it is named, then nodes, groups or `all`. */
export const nodeWords = {
  kind: "array",
  parameter: {
    parse: String,
    placeholder: "name|node|group",
    brief: "cluster, nodes, groups or all (default: all nodes of the cluster that is meant)",
    proposeCompletions(this: CliContext, partial: string) {
      return proposals(this.world, partial, "nodes");
    },
  },
} as const;
