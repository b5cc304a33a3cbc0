/** What became of one thing of the old files. */
export type Row = {
  readonly verdict: "kept" | "replaced" | "dropped";
  /** As the old file names it. */
  readonly what: string;
  /** `file:line`. */
  readonly at: string;
  /** Where it stands now, or what does its work; empty for what has no counterpart. */
  readonly by: string;
  /** What there is to know; empty when nothing is. */
  readonly why: string;
};

/** Collects rows; what was read twice, once for each group, is one row. */
export class Outcome {
  private readonly rows = new Map<string, Row>();

  kept(what: string, at: string, by: string, why = ""): void {
    this.add({ verdict: "kept", what, at, by, why });
  }

  replaced(what: string, at: string, by: string, why = ""): void {
    this.add({ verdict: "replaced", what, at, by, why });
  }

  dropped(what: string, at: string, why: string): void {
    this.add({ verdict: "dropped", what, at, by: "", why });
  }

  /** What was kept is refused by Slipway after all. */
  refused({ what, at }: { readonly what: string; readonly at: string }, why: string): void {
    for (const [key, row] of this.rows) if (row.what === what && row.at === at) this.rows.delete(key);
    this.dropped(what, at, why);
  }

  /** In the order of the files and their lines. */
  list(): readonly Row[] {
    const rows = [...this.rows.values()];
    const files = [...new Set(rows.map(({ at }) => fileOf(at)))];
    return rows.toSorted(
      (a, b) => files.indexOf(fileOf(a.at)) - files.indexOf(fileOf(b.at)) || lineOf(a.at) - lineOf(b.at),
    );
  }

  private add(row: Row): void {
    this.rows.set(`${row.verdict} ${row.what} ${row.at} ${row.by} ${row.why}`, row);
  }
}

function fileOf(at: string): string {
  return at.replace(/:\d+$/, "");
}

function lineOf(at: string): number {
  return Number(/:(\d+)$/.exec(at)?.[1] ?? 0);
}
