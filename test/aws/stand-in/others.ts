import { type Answer, type Call, Refusal, xml } from "./call.ts";
import { readAnswer } from "./moto.ts";
import { type Parameters, said, texts } from "./parameters.ts";
import type { Place } from "./place.ts";
import { listAt, shapeXml, textAt } from "./xml.ts";

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
  return xml(
    200,
    shapeXml(
      "SimulatePrincipalPolicyResponse",
      {
        SimulatePrincipalPolicyResult: {
          IsTruncated: false,
          EvaluationResults: texts(parameters, "ActionNames").map((action) => ({
            EvalActionName: action,
            EvalResourceName: texts(parameters, "ResourceArns")[0] ?? "*",
            EvalDecision: settings.denied.has(action) ? "implicitDeny" : "allowed",
            MatchedStatements: [],
            MissingContextValues: [],
          })),
        },
        ResponseMetadata: { RequestId: "stand-in" },
      },
      "member",
    ),
  );
}

/** vCPUs of standard instances, Elastic IPs, VPCs (Service Quotas: their codes). */
export const quotaCodes = { vcpus: "L-1216C47A", addresses: "L-0263D0A3", vpcs: "L-F678F1CE" } as const;

/** Services that speak JSON, of which little is asked. */
export async function serveJson(place: Place, call: Call): Promise<Answer> {
  const { service, action, json, settings } = { ...call, settings: place.settings };
  const quotas = [
    {
      ServiceCode: "ec2",
      QuotaCode: quotaCodes.vcpus,
      QuotaName: "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances",
      Value: settings.quotas.vcpus,
    },
    {
      ServiceCode: "ec2",
      QuotaCode: quotaCodes.addresses,
      QuotaName: "EC2-VPC Elastic IPs",
      Value: settings.quotas.addresses,
    },
    { ServiceCode: "vpc", QuotaCode: quotaCodes.vpcs, QuotaName: "VPCs per Region", Value: settings.quotas.vpcs },
  ];
  switch (`${service} ${action}`) {
    case "servicequotas ListServiceQuotas":
    case "servicequotas ListAWSDefaultServiceQuotas":
      return jsonAnswer({ Quotas: quotas.filter(({ ServiceCode }) => ServiceCode === json["ServiceCode"]) });
    case "servicequotas GetServiceQuota":
    case "servicequotas GetAWSDefaultServiceQuota": {
      const quota = quotas.find(({ QuotaCode }) => QuotaCode === json["QuotaCode"]);
      if (quota === undefined)
        throw new Refusal(
          "NoSuchResourceException",
          "The request failed because the specified quota doesn't exist.",
          400,
        );
      return jsonAnswer({ Quota: quota });
    }
    case "tagging GetResources":
      return jsonAnswer({ PaginationToken: "", ResourceTagMappingList: await tagged(place, json) });
    case "pricing GetProducts":
      // No price is known here; who asks must live without.
      return jsonAnswer({ FormatVersion: "aws_v1", PriceList: [] });
    case "ssm StartSession":
      return jsonAnswer({
        SessionId: "stand-in",
        TokenValue: "none",
        StreamUrl: `wss://ssmmessages.${place.region}.amazonaws.com/v1/data-channel/stand-in`,
      });
    default:
      return place.backend.forward({
        service,
        method: call.method,
        path: "/",
        headers: {
          "content-type": call.headers.get("content-type") ?? "application/x-amz-json-1.1",
          "x-amz-target": call.headers.get("x-amz-target") ?? "",
        },
        body: call.body,
      });
  }
}

/** EC2's things by their tags; moto's own search needs services that are not installed. */
async function tagged(place: Place, json: Readonly<Record<string, unknown>>): Promise<readonly object[]> {
  const filters = Array.isArray(json["TagFilters"]) ? json["TagFilters"] : [];
  const wanted = filters.map((one: { readonly Key: string; readonly Values?: readonly string[] }) => one);
  const found = new Map<string, Map<string, string>>();
  for (const item of listAt(await place.backend.ask("ec2", "DescribeTags"), "tagSet")) {
    const kind = textAt(item, "resourceType") || kindOf(textAt(item, "resourceId"));
    const arn = `arn:aws:ec2:${place.region}:${place.account}:${kind}/${textAt(item, "resourceId")}`;
    const tags = found.get(arn) ?? new Map<string, string>();
    tags.set(textAt(item, "key"), textAt(item, "value"));
    found.set(arn, tags);
  }
  return [...found]
    .filter(([, tags]) =>
      wanted.every(
        ({ Key, Values = [] }) => tags.has(Key) && (Values.length === 0 || Values.includes(tags.get(Key) ?? "")),
      ),
    )
    .map(([ResourceARN, tags]) => ({ ResourceARN, Tags: [...tags].map(([Key, Value]) => ({ Key, Value })) }));
}

function kindOf(id: string): string {
  const kinds: Readonly<Record<string, string>> = {
    i: "instance",
    vol: "volume",
    eni: "network-interface",
    sg: "security-group",
    rtb: "route-table",
    igw: "internet-gateway",
    lt: "launch-template",
    eipalloc: "elastic-ip",
    nat: "natgateway",
    vpce: "vpc-endpoint",
  };
  const prefix = id.split("-")[0] ?? "";
  return kinds[prefix] ?? prefix;
}

function jsonAnswer(body: object): Answer {
  return { status: 200, headers: { "content-type": "application/x-amz-json-1.1" }, body: JSON.stringify(body) };
}
