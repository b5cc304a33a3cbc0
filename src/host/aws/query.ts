import { parseXml, XmlElement } from "@rgrove/parse-xml";
import { AwsError, type AwsRequester, errorOf } from "./request.ts";

/** One element of an answer in XML. */
export type Element = {
  /** The text at the end of a way of names; empty where there is none. */
  text(...way: readonly string[]): string;
  /** The entries of the list at the end of a way: EC2 calls each `item`, the older query services `member`. */
  list(...way: readonly string[]): readonly Element[];
};

/** Parameters of a call; `undefined` is left out. */
export type Parameters = Readonly<Record<string, string | number | undefined>>;

/** One of AWS's query services: a call by its name, the answer as it came. Throws an `AwsError` with AWS's own code. */
export type AwsQuery = (action: string, parameters?: Parameters) => Promise<Element>;

export type QueryService = { readonly service: string; readonly version: string; readonly endpoint: string };

/** The versions of the services' interfaces (AWS, API reference of each: "Version"). */
const versions = {
  autoscaling: "2011-01-01",
  cloudformation: "2010-05-15",
  ec2: "2016-11-15",
  sts: "2011-06-15",
} as const;

/** `domain` is what the metadata service calls `services/domain`: amazonaws.com outside of China. */
export function queryService(name: keyof typeof versions, region: string, domain = "amazonaws.com"): QueryService {
  return { service: name, version: versions[name], endpoint: `https://${name}.${region}.${domain}/` };
}

/** Calls a service that takes forms and answers in XML. */
export function awsQuery({ service, version, endpoint }: QueryService, request: AwsRequester): AwsQuery {
  return async (action, parameters = {}) => {
    const said = Object.entries(parameters).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name, String(value)]],
    );
    const answer = await request({
      service,
      method: "POST",
      url: endpoint,
      headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
      body: new URLSearchParams([["Action", action], ["Version", version], ...said]).toString(),
    });
    if (answer.status === 200) return elementOf(rootOf(answer.body, `${service}:${action}`));
    const { code, message } = errorOf(answer);
    const forbidden = answer.status === 401 || answer.status === 403;
    const text = `${service}:${action} was refused: ${code || answer.status} ${message}`.trimEnd();
    throw new AwsError(forbidden ? "forbidden" : "invalid", code, text);
  };
}

/**
 * All pages of a call, each put to `entries`. A page that says that the list goes on but not where is an error: what is on
 * it must never look like what is not there.
 */
export async function allPages<Entry>(
  page: (token: string | undefined) => Promise<Element>,
  entries: (page: Element) => readonly Entry[],
  tokenOf: (page: Element) => string,
): Promise<readonly Entry[]> {
  const found: Entry[] = [];
  let token: string | undefined;
  for (let pages = 0; pages < mostPages; pages++) {
    const one = await page(token);
    found.push(...entries(one));
    token = tokenOf(one);
    if (token === "") return found;
  }
  throw new AwsError("invalid", "", `a list of AWS has more than ${mostPages} pages`);
}

const mostPages = 1_000;

function rootOf(body: Uint8Array, what: string): XmlElement {
  try {
    const { root } = parseXml(new TextDecoder().decode(body));
    if (root === null) throw new Error("it is empty");
    return root;
  } catch (error) {
    throw new AwsError("invalid", "", `the answer to ${what} is not readable: ${String(error)}`, { cause: error });
  }
}

function elementOf(element: XmlElement): Element {
  const at = (way: readonly string[]): XmlElement | undefined =>
    way.reduce<XmlElement | undefined>((one, name) => (one === undefined ? undefined : childOf(one, name)), element);
  return {
    text: (...way) => at(way)?.text ?? "",
    list: (...way) => {
      const there = at(way);
      if (there === undefined) return [];
      return there.children.flatMap((child) =>
        child instanceof XmlElement && (child.name === "item" || child.name === "member") ? [elementOf(child)] : [],
      );
    },
  };
}

function childOf(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((child): child is XmlElement => child instanceof XmlElement && child.name === name);
}
