/** What a node container may do: all, or what the engine can give piece by piece. */
export type Rights =
  | { readonly kind: "privileged" }
  | { readonly kind: "capabilities"; readonly add: readonly string[]; readonly missing: readonly string[] };
