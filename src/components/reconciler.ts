/** What a look brought back. Could not look is not "is not there": absence is a seen value. */
export type Seen<T> = { readonly kind: "seen"; readonly value: T } | { readonly kind: "unknown"; readonly why: string };

/** Why something waits, for people; `log` holds the journal lines that explain it. */
export type Reason = { readonly text: string; readonly log?: readonly string[] };

/** What a reconciler does next: one act, or nothing until the world changes, or nothing at all. */
export type Next<Act> =
  | { readonly kind: "act"; readonly act: Act }
  | { readonly kind: "wait"; readonly why: Reason }
  | { readonly kind: "settled" };

/** One concern of a node, brought to rest by looking, deciding and acting again and again; `Node` are its ports to the outside. */
export interface Reconciler<View, Act, Node> {
  /** Its name in a node's phase. */
  readonly phase: string;
  look(node: Node): Promise<View>;
  /** Pure: tests and simulations run this very function. */
  next(view: View): Next<Act>;
  /** Idempotent: it may be killed anywhere and is decided again from a fresh look. */
  perform(act: Act, node: Node): Promise<void>;
}

/** A look that brought a value back; `undefined` as a value means "it is not there". */
export function seen<T>(value: T): Seen<T> {
  return { kind: "seen", value };
}

/** A look that failed, and why. */
export function unknown(why: string): Seen<never> {
  return { kind: "unknown", why };
}

/** The decision to do something. */
export function act<Act>(does: Act): Next<Act> {
  return { kind: "act", act: does };
}

/** The decision to wait for the world, with the reason that people read. */
export function wait(text: string, log?: readonly string[]): Next<never> {
  return { kind: "wait", why: log === undefined ? { text } : { text, log } };
}

/** The decision that nothing is left to do. */
export const settled: Next<never> = { kind: "settled" };
