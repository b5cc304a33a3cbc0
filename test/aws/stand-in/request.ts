import type { Call } from "./call.ts";
import { protocolOf, Refusal } from "./call.ts";
import { parseParameters, said } from "./parameters.ts";
import { s3Action } from "./s3/action.ts";

export type Heard = Omit<Call, "caller"> & { readonly url: URL };

/** Endpoints that are for the whole world: signed for us-east-1, whatever the caller's region. */
const worldwide = new Set(["iam", "sts", "pricing"]);

/** Which service, region and action a request is for, by its host as AWS names hosts, or by its signature's scope. */
export async function hearRequest(request: Request, usualRegion: string): Promise<Heard> {
  const url = new URL(request.url);
  const body = new Uint8Array(await request.arrayBuffer());
  const { service, region, bucket } = destination(url, request.headers, usualRegion);
  const text = (): string => new TextDecoder().decode(body);
  const common = {
    service,
    region,
    method: request.method,
    headers: request.headers,
    body,
    query: url.searchParams,
    url,
  };
  switch (protocolOf(service)) {
    case "s3": {
      const path = bucket === undefined ? url.pathname : `/${bucket}${url.pathname}`;
      return {
        ...common,
        path,
        parameters: {},
        json: {},
        action: s3Action(request.method, decodeURIComponent(path), url.searchParams, request.headers),
      };
    }
    case "json": {
      const target = request.headers.get("x-amz-target") ?? "";
      const read: unknown = body.length === 0 ? {} : JSON.parse(text());
      return {
        ...common,
        path: "/",
        parameters: {},
        json: typeof read === "object" && read !== null ? (read as Readonly<Record<string, unknown>>) : {},
        action: target.split(".").at(-1) ?? "",
      };
    }
    default: {
      const parameters = parseParameters(body.length > 0 ? text() : url.search.slice(1));
      return { ...common, path: "/", parameters, json: {}, action: said(parameters, "Action") };
    }
  }
}

function destination(
  url: URL,
  headers: Headers,
  usualRegion: string,
): { readonly service: string; readonly region: string; readonly bucket?: string } {
  const host = url.hostname;
  const rest = /^(.*)\.amazonaws\.com$/.exec(host)?.[1];
  if (rest === undefined) {
    // A server on loopback: the signature says what it is for.
    const scope = /Credential=[^/]+\/\d+\/([^/]+)\/([^/]+)\//.exec(headers.get("authorization") ?? "");
    if (scope === null) throw new Refusal("MissingAuthenticationToken", "Request is missing Authentication Token", 403);
    const [, region = usualRegion, service = ""] = scope;
    return { service, region: worldwide.has(service) ? usualRegion : region };
  }
  const s3 = /^(?:(.+)\.)?s3(?:[.-]([a-z]{2}(?:-[a-z]+)+-\d))?$/.exec(rest);
  if (s3 !== null) {
    const [, bucket, region = usualRegion] = s3;
    return { service: "s3", region, ...(bucket === undefined ? {} : { bucket }) };
  }
  const [first = "", second] = rest.replace(/^api\./, "").split(".");
  return { service: first, region: second === undefined || worldwide.has(first) ? usualRegion : second };
}
