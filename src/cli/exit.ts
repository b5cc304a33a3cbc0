/** Every exit code of the program; scripts rely on them. */
export const exits = {
  done: 0,
  failed: 1,
  /** Wrong usage, or an invalid file. */
  wrong: 2,
  /** `plan --exit-code` found changes. */
  changes: 3,
  /** Someone else holds the cluster's lock. */
  locked: 4,
  /** Ended by a signal; the state is safe. */
  interrupted: 130,
} as const;
export type Exit = keyof typeof exits;

/** The words of stricli's own codes: an unknown verb is −5, an unreadable argument −4. */
const ofStricli: Readonly<Record<number, Exit>> = { 0: "done", [-4]: "wrong", [-5]: "wrong" };

/** What stricli's code means for us; anything else that it answers is a failure. */
export function exitOfStricli(code: number): Exit {
  return ofStricli[code] ?? "failed";
}
