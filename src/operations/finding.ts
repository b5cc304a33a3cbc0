import type { NodeName } from "../cluster/cluster.ts";
import type { RecordValue } from "../records/table.ts";
import type { Seen } from "./look.ts";
import type { Status } from "./status-shape.ts";

/** One thing that the doctor has to say: who it is about, what it is, and what to do. */
export type Finding = {
  readonly subject: string;
  readonly state: "good" | "warning" | "bad";
  readonly message: string;
  readonly fix?: string;
  /** Last lines of the journal that explain it. */
  readonly log?: readonly string[];
  /** The unit whose journal explains it. */
  readonly failed?: { readonly node: NodeName; readonly unit: string };
};
/** All that the doctor looks at, at one moment. */
export type Examined = {
  readonly seen: Seen;
  readonly status: Status;
  readonly lock: RecordValue<"lock"> | undefined;
  readonly generation: RecordValue<"generation"> | undefined;
};
