/** A program that judges texts: where it is, or why it is not. */
export type Judge =
  | { readonly path: string; readonly missing?: never }
  | { readonly path?: never; readonly missing: string };
export type JudgeName =
  | "ignition-validate"
  | "ignition-validate-fedora"
  | "ignition"
  | "cfn-lint"
  | "checkov"
  | "moto_server"
  | "coreos-cloudinit-judge"
  | "cloud-init"
  | "shellcheck"
  | "systemd-analyze";

/** Installs what is not there yet; `log` hears one line for each thing done. */
export function ensureJudges(options?: {
  readonly log?: (line: string) => void;
}): Promise<Readonly<Record<JudgeName, Judge>>>;

/** The same for the programs that Slipway is measured against. */
export function ensurePeers(options?: {
  readonly log?: (line: string) => void;
}): Promise<Readonly<Record<"butane" | "cdk", Judge>>>;
