import { type Answer, type Call } from "./call.ts";
import { readAnswer } from "./moto.ts";
import { type Parameters, said, texts } from "./parameters.ts";
import type { Place } from "./place.ts";
import { queryAnswer } from "./query.ts";
import { textAt } from "./xml.ts";

/** IAM: moto's, and what the layer must know of it. */
export type Iam = {
  serve(call: Call): Promise<Answer>;
  /** Milliseconds since a profile had its role; `undefined`: there is none. */
  profileAge(profile: string): number | undefined;
  roleOf(profile: string): { readonly name: string; readonly id: string } | undefined;
};

export function iamOf(place: Place): Iam {
  const profiles = new Map<string, { readonly since: number; readonly role: string }>();
  const roles = new Map<string, string>();
  return {
    roleOf(profile) {
      const name = profiles.get(profile)?.role;
      const id = name === undefined ? undefined : roles.get(name);
      return name === undefined || id === undefined ? undefined : { name, id };
    },
    profileAge(profile) {
      const since = profiles.get(profile)?.since;
      return since === undefined ? undefined : place.clock.now() - since;
    },
    async serve(call) {
      if (call.action === "SimulatePrincipalPolicy") return simulated(place, call.parameters);
      const answer = await place.backend.forward({
        service: "iam",
        method: "POST",
        path: "/",
        headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
        body: call.body,
      });
      const name = said(call.parameters, "InstanceProfileName");
      if (answer.status >= 300) return answer;
      const role = said(call.parameters, "RoleName");
      if (call.action === "AddRoleToInstanceProfile") profiles.set(name, { since: place.clock.now(), role });
      if (call.action === "DeleteInstanceProfile") profiles.delete(name);
      if (call.action === "CreateRole")
        roles.set(role, textAt(readAnswer(answer, "iam", call.action), "CreateRoleResult", "Role", "RoleId"));
      return answer;
    },
  };
}

/** Everything is allowed but what a test denies; moto's own has a hole. */
function simulated({ settings }: Place, parameters: Parameters): Answer {
  return queryAnswer("SimulatePrincipalPolicy", {
    IsTruncated: false,
    EvaluationResults: texts(parameters, "ActionNames").map((action) => ({
      EvalActionName: action,
      EvalResourceName: texts(parameters, "ResourceArns")[0] ?? "*",
      EvalDecision: settings.denied.has(action) ? "implicitDeny" : "allowed",
      MatchedStatements: [],
      MissingContextValues: [],
    })),
  });
}
