import { Agent, request } from "node:http";
import { type Answer, Refusal } from "./call.ts";
import type { StandInClock } from "./clock.ts";
import { flattened, type Given } from "./parameters.ts";
import { at, type Element, parseXml, textAt } from "./xml.ts";

/** moto_server, a process beside the tests: what the layer lets through, it answers. */
export interface Moto {
  readonly endpoint: string;
  /** Empty again. */
  reset(): Promise<void>;
  forward(asked: Asked): Promise<Answer>;
  /** How often it was asked for anything but a look. */
  readonly changes: number;
  /** Ends the connections to it. */
  leave(): void;
}

export type Asked = {
  readonly service: string;
  readonly region: string;
  readonly account: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
};

/**
 * A moto that runs. What one look saw is what the next one sees, as long as nothing of that service was asked to change:
 * most looks are such.
 */
export function motoAt(endpoint: string): Moto {
  const { port } = new URL(endpoint);
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const catalogue = new Map<string, Answer>();
  const services = new Map<string, { readonly looks: Map<string, Answer>; changing: number }>();
  let changes = 0;

  async function forward(asked: Asked): Promise<Answer> {
    const service = services.get(asked.service) ?? { looks: new Map<string, Answer>(), changing: 0 };
    services.set(asked.service, service);
    if (!isLook(asked)) {
      changes++;
      service.changing++;
      try {
        return await send(asked);
      } finally {
        service.changing--;
        service.looks.clear();
      }
    }
    const looks = isCatalogue(asked) ? catalogue : service.looks;
    const question = questionOf(asked);
    const known = service.changing === 0 ? looks.get(question) : undefined;
    if (known !== undefined) return known;
    const before = changes;
    const answer = await send(asked);
    if (service.changing === 0 && changes === before) looks.set(question, answer);
    return answer;
  }

  const send = (asked: Asked): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const sent = request(
        {
          host: "127.0.0.1",
          port,
          agent,
          method: asked.method,
          path: asked.path,
          headers: {
            ...asked.headers,
            authorization: `AWS4-HMAC-SHA256 Credential=AKIASTANDIN/20261121/${asked.region}/${asked.service}/aws4_request, SignedHeaders=host, Signature=0`,
            "x-moto-account-id": asked.account,
            "content-length": String(Buffer.byteLength(asked.body)),
          },
        },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on("data", (chunk: Buffer) => chunks.push(chunk));
          answer.on("error", reject);
          answer.on("end", () => {
            const headers: Record<string, string> = {};
            for (const [name, value] of Object.entries(answer.headers))
              if (
                typeof value === "string" &&
                !/^(?:connection|transfer-encoding|content-length|server|date)$/.test(name)
              )
                headers[name] = value;
            resolve({ status: answer.statusCode ?? 500, headers, body: new Uint8Array(Buffer.concat(chunks)) });
          });
        },
      );
      sent.on("error", reject);
      sent.end(asked.body);
    });

  return {
    endpoint,
    get changes() {
      return changes;
    },
    forward,
    async reset() {
      services.clear();
      await forward({
        service: "s3",
        region: "us-east-1",
        account: "000000000000",
        method: "POST",
        path: "/moto-api/reset",
        headers: {},
        body: "",
      });
    },
    leave: () => agent.destroy(),
  };
}

/** All that an answer depends on; who signed it, and when, does not. */
function questionOf({ service, region, account, method, path, headers, body }: Asked): string {
  const telling = Object.entries(headers).filter(([name]) => !/^(?:authorization|x-amz-date|amz-sdk-.*)$/i.test(name));
  const text = typeof body === "string" ? body : Buffer.from(body).toString("base64");
  return JSON.stringify([service, region, account, method, path, telling.toSorted(), text]);
}

function actionOf({ headers, body }: Asked): string {
  const action = /(?:^|&)Action=(\w+)/.exec(typeof body === "string" ? body : new TextDecoder().decode(body))?.[1];
  return action ?? headers["x-amz-target"]?.split(".")[1] ?? "";
}

function isLook(asked: Asked): boolean {
  return asked.method === "GET" || /^(?:Describe|Get|List)/.test(actionOf(asked));
}

/** What AWS has to offer, which nobody changes. */
function isCatalogue(asked: Asked): boolean {
  return /^Describe(?:InstanceTypes|InstanceTypeOfferings|AvailabilityZones)$/.test(actionOf(asked));
}

/** Asks moto as the layer needs it: parameters in, an element out, a refusal thrown. */
export type Backend = {
  readonly moto: Moto;
  readonly clock: StandInClock;
  readonly region: string;
  readonly account: string;
  ask(service: string, action: string, parameters?: { readonly [key: string]: Given }): Promise<Element>;
  /** Any request, as it is. */
  forward(asked: Omit<Asked, "region" | "account">): Promise<Answer>;
};

const versions: Readonly<Record<string, string>> = { ec2: "2016-11-15", iam: "2010-05-08" };

export function backendOf(moto: Moto, clock: StandInClock, region: string, account: string): Backend {
  const forward: Backend["forward"] = async (asked) => {
    const go = clock.hold(false);
    try {
      return await moto.forward({ ...asked, region, account });
    } finally {
      go();
    }
  };
  return {
    moto,
    clock,
    region,
    account,
    forward,
    async ask(service, action, parameters = {}) {
      const form = new URLSearchParams([
        ["Action", action],
        ["Version", versions[service] ?? ""],
        ...flattened(parameters, service === "ec2" ? "" : "member."),
      ]);
      const answer = await forward({
        service,
        method: "POST",
        path: "/",
        headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
        body: form.toString(),
      });
      return readAnswer(answer, service, action);
    },
  };
}

/** An answer's root, or the refusal that it is. */
export function readAnswer({ status, body }: Answer, service: string, action: string): Element {
  const text = typeof body === "string" ? body : new TextDecoder().decode(body);
  if (status < 400) return parseXml(text);
  const root = parseXml(text);
  const error = at(root, "Errors", "Error") ?? at(root, "Error") ?? root;
  const code = textAt(error, "Code");
  if (code === "") throw new Error(`moto fails with ${status} at ${service} ${action}: ${text.slice(0, 300)}`);
  throw new Refusal(code, textAt(error, "Message"), status);
}
