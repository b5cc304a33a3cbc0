import { type Answer, type Call, Refusal } from "./call.ts";
import type { Place } from "./place.ts";
import { listAt, parseXml, textAt } from "./xml.ts";
import type { Buckets } from "./s3/s3.ts";

/** vCPUs of standard instances, Elastic IPs, VPCs (Service Quotas: their codes). */
const quotaCodes = { vcpus: "L-1216C47A", addresses: "L-0263D0A3", vpcs: "L-F678F1CE" } as const;

/** What the tagging service must know beside EC2's things. */
export type TaggedElsewhere = { readonly buckets: Buckets; readonly stacks: () => readonly Tagged[] };
export type Tagged = { readonly arn: string; readonly tags: ReadonlyMap<string, string> };

/** Services that speak JSON, of which little is asked. */
export async function serveJson(place: Place, call: Call, elsewhere: TaggedElsewhere): Promise<Answer> {
  const { service, action, json } = call;
  const { settings } = place;
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
        throw new Refusal("NoSuchResourceException", "The request failed because the specified quota doesn't exist.");
      return jsonAnswer({ Quota: quota });
    }
    case "tagging GetResources": {
      const found = await matching(place, json, elsewhere);
      return jsonAnswer({
        PaginationToken: "",
        ResourceTagMappingList: found.map(({ arn, tags }) => ({
          ResourceARN: arn,
          Tags: [...tags].map(([Key, Value]) => ({ Key, Value })),
        })),
      });
    }
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
      return service === "logs" ? logs(place, call) : passed(place, call, call.body);
  }
}

function passed({ backend }: Place, call: Call, body: Uint8Array | string): Promise<Answer> {
  return backend.forward({
    service: call.service,
    method: call.method,
    path: "/",
    headers: {
      "content-type": call.headers.get("content-type") ?? "application/x-amz-json-1.1",
      "x-amz-target": call.headers.get("x-amz-target") ?? "",
    },
    body,
  });
}

/** Members of the logs' requests and answers that are moments. */
const moments = new Set([
  "timestamp",
  "startTime",
  "endTime",
  "ingestionTime",
  "creationTime",
  "firstEventTimestamp",
  "lastEventTimestamp",
  "lastIngestionTime",
]);

/** moto keeps the real time and refuses what is too old or too new for it: moments are moved there and back. */
async function logs(place: Place, call: Call): Promise<Answer> {
  const ahead = Date.now() - place.clock.now();
  const answer = await passed(place, call, JSON.stringify(moved(call.json, ahead)));
  const text = typeof answer.body === "string" ? answer.body : new TextDecoder().decode(answer.body);
  if (text === "" || answer.status >= 400) return answer;
  return { ...answer, body: JSON.stringify(moved(JSON.parse(text), -ahead)) };
}

function moved(value: unknown, by: number): unknown {
  if (Array.isArray(value)) return value.map((one) => moved(one, by));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]: [string, unknown]) => [
      key,
      typeof one === "number" && moments.has(key) ? one + by : moved(one, by),
    ]),
  );
}

async function matching(place: Place, json: Call["json"], elsewhere: TaggedElsewhere): Promise<readonly Tagged[]> {
  const filters = (Array.isArray(json["TagFilters"]) ? json["TagFilters"] : []) as readonly {
    readonly Key: string;
    readonly Values?: readonly string[];
  }[];
  const types = Array.isArray(json["ResourceTypeFilters"]) ? json["ResourceTypeFilters"].map(String) : [];
  const all = [
    ...(await ofEc2(place)),
    ...(await ofBuckets(place, elsewhere.buckets)),
    ...(await ofLogGroups(place)),
    ...elsewhere.stacks(),
  ];
  return all.filter(
    ({ arn, tags }) =>
      (types.length === 0 || types.some((type) => isOfType(arn, type))) &&
      filters.every(
        ({ Key, Values = [] }) => tags.has(Key) && (Values.length === 0 || Values.includes(tags.get(Key) ?? "")),
      ),
  );
}

/** `ec2`, or `ec2:instance`. */
function isOfType(arn: string, type: string): boolean {
  const [, , service = "", , , rest = ""] = arn.split(":");
  const [wanted = "", kind] = type.split(":");
  return service === wanted && (kind === undefined || rest.startsWith(`${kind}/`) || service === "s3");
}

/** moto's own search needs packages that are not installed; and what is gone keeps its tags in moto's list. */
async function ofEc2(place: Place): Promise<readonly Tagged[]> {
  const found = new Map<string, Map<string, string>>();
  for (const item of listAt(await place.ask("ec2", "DescribeTags"), "tagSet")) {
    const id = textAt(item, "resourceId");
    const arn = `arn:aws:ec2:${place.region}:${place.account}:${kindOf(id)}/${id}`;
    const tags = found.get(arn) ?? new Map<string, string>();
    tags.set(textAt(item, "key"), textAt(item, "value"));
    found.set(arn, tags);
  }
  return [...found].map(([arn, tags]) => ({ arn, tags }));
}

async function ofBuckets(place: Place, buckets: Buckets): Promise<readonly Tagged[]> {
  const found: Tagged[] = [];
  for (const [name, { account, region }] of buckets) {
    if (account !== place.account || region !== place.region) continue;
    const answer = await place.backend.forward({
      service: "s3",
      method: "GET",
      path: `/${name}?tagging`,
      headers: {},
      body: "",
    });
    if (answer.status >= 400) continue;
    const root = parseXml(typeof answer.body === "string" ? answer.body : new TextDecoder().decode(answer.body));
    const tags = listAt(root, "TagSet").map((tag) => [textAt(tag, "Key"), textAt(tag, "Value")] as const);
    found.push({ arn: `arn:aws:s3:::${name}`, tags: new Map(tags) });
  }
  return found;
}

async function ofLogGroups(place: Place): Promise<readonly Tagged[]> {
  const ask = async (action: string, body: object): Promise<unknown> => {
    const answer = await place.backend.forward({
      service: "logs",
      method: "POST",
      path: "/",
      headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": `Logs_20140328.${action}` },
      body: JSON.stringify(body),
    });
    return JSON.parse(typeof answer.body === "string" ? answer.body : new TextDecoder().decode(answer.body));
  };
  const { logGroups = [] } = (await ask("DescribeLogGroups", {})) as {
    readonly logGroups?: readonly { readonly logGroupName: string }[];
  };
  return Promise.all(
    logGroups.map(async ({ logGroupName }) => {
      const { tags = {} } = (await ask("ListTagsLogGroup", { logGroupName })) as {
        readonly tags?: Readonly<Record<string, string>>;
      };
      const arn = `arn:aws:logs:${place.region}:${place.account}:log-group:${logGroupName}`;
      return { arn, tags: new Map(Object.entries(tags)) };
    }),
  );
}

const kinds: Readonly<Record<string, string>> = {
  eipalloc: "elastic-ip",
  eni: "network-interface",
  i: "instance",
  igw: "internet-gateway",
  lt: "launch-template",
  nat: "natgateway",
  rtb: "route-table",
  sg: "security-group",
  snap: "snapshot",
  subnet: "subnet",
  vol: "volume",
  vpc: "vpc",
  vpce: "vpc-endpoint",
};

function kindOf(id: string): string {
  const prefix = id.split("-")[0] ?? "";
  return kinds[prefix] ?? prefix;
}

function jsonAnswer(body: object): Answer {
  return { status: 200, headers: { "content-type": "application/x-amz-json-1.1" }, body: JSON.stringify(body) };
}
