/** Put in by the build. */
declare const slipwayVersion: string;

/** The version of this program; `0.0.0-source` where it runs from its sources. */
export const version = typeof slipwayVersion === "string" ? slipwayVersion : "0.0.0-source";
