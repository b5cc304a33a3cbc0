import { IAMClient, ListRolesCommand, SimulatePrincipalPolicyCommand } from "@aws-sdk/client-iam";
import type { Caller } from "./caller.ts";
import { pages, type ClientSettings } from "./settings.ts";

/** The calls of IAM that Slipway makes. */
export function iam(settings: () => ClientSettings, call: Caller) {
  const client = (): IAMClient => new IAMClient(settings());
  return {
    /** Names of the roles under a path. */
    roles: async (PathPrefix: string): Promise<readonly string[]> =>
      (
        await pages(
          (Marker) =>
            call("iam:ListRoles", "safe", () =>
              client().send(new ListRolesCommand({ PathPrefix, ...(Marker === undefined ? {} : { Marker }) })),
            ),
          ({ Roles, Marker }) => ({ items: Roles, next: Marker }),
        )
      ).flatMap(({ RoleName }) => RoleName ?? []),
    /** Those of the actions that the caller may not do, as far as IAM's simulation sees. */
    denied: async (arn: string, actions: readonly string[]): Promise<readonly string[]> =>
      (
        await pages(
          (Marker) =>
            call("iam:SimulatePrincipalPolicy", "safe", () =>
              client().send(
                new SimulatePrincipalPolicyCommand({
                  PolicySourceArn: arn,
                  ActionNames: [...actions],
                  MaxItems: 1_000,
                  ...(Marker === undefined ? {} : { Marker }),
                }),
              ),
            ),
          ({ EvaluationResults, Marker }) => ({ items: EvaluationResults, next: Marker }),
        )
      ).flatMap(({ EvalActionName, EvalDecision }) =>
        EvalDecision === "explicitDeny" || EvalDecision === "implicitDeny" ? (EvalActionName ?? []) : [],
      ),
  };
}
export type Iam = ReturnType<typeof iam>;
