import type { Parameters } from "./parameters.ts";
import { said } from "./parameters.ts";
import { escaped } from "./xml.ts";

/** Who a request's access key belongs to. */
export type Caller = {
  readonly account: string;
  readonly arn: string;
  /** As `aws:userid` has it. */
  readonly userId: string;
};

/** One request, as the layer sees it. */
export type Call = {
  readonly service: string;
  readonly action: string;
  readonly region: string;
  readonly parameters: Parameters;
  /** What services that speak JSON are asked. */
  readonly json: Readonly<Record<string, unknown>>;
  readonly caller: Caller;
  readonly method: string;
  /** In S3: `/bucket/key`, whichever way it was asked. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  readonly body: Uint8Array;
};

/** What is left in the record of a call. */
export type Recorded = {
  readonly n: number;
  readonly service: string;
  readonly action: string;
  /** Virtual milliseconds since 1970. */
  readonly time: number;
  readonly mutating: boolean;
  readonly caller: string;
  readonly parameters: Parameters;
  readonly path: string;
  /** AWS's code where it was refused, `dropped` where no answer came, else empty. */
  readonly outcome: string;
};

export type Answer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
};

/** AWS refuses, in AWS's words. */
export class Refusal extends Error {
  readonly code: string;
  readonly status: number;
  constructor(code: string, message: string, status = 400) {
    super(message);
    this.name = "Refusal";
    this.code = code;
    this.status = status;
  }
}

/** A refusal as each protocol writes it. */
export function refusalAnswer({ code, message, status }: Refusal, service: string, id: string): Answer {
  const words = `<Code>${escaped(code)}</Code><Message>${escaped(message)}</Message>`;
  switch (protocolOf(service)) {
    case "ec2":
      return xml(status, `<Response><Errors><Error>${words}</Error></Errors><RequestID>${id}</RequestID></Response>`);
    case "query":
      return xml(
        status,
        `<ErrorResponse><Error><Type>${status < 500 ? "Sender" : "Receiver"}</Type>${words}</Error><RequestId>${id}</RequestId></ErrorResponse>`,
      );
    case "s3":
      return xml(status, `<Error>${words}<RequestId>${id}</RequestId></Error>`);
    case "json":
      return {
        status,
        headers: { "content-type": "application/x-amz-json-1.1", "x-amzn-errortype": code },
        body: JSON.stringify({ __type: code, message }),
      };
  }
}

export function xml(status: number, text: string): Answer {
  return {
    status,
    headers: { "content-type": "text/xml;charset=UTF-8" },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n${text}`,
  };
}

export function protocolOf(service: string): "ec2" | "query" | "s3" | "json" {
  switch (service) {
    case "ec2":
    case "s3":
      return service;
    case "autoscaling":
    case "cloudformation":
    case "iam":
    case "sts":
      return "query";
    default:
      return "json";
  }
}

/** Whether a call may change something: what AWS itself counts as a write. */
export function isMutating(service: string, action: string, parameters: Parameters): boolean {
  if (said(parameters, "DryRun") === "true") return false;
  if (service === "s3") return /^(?:Put|Create|Delete|Copy|Complete|Abort|Upload|Restore)/.test(action);
  return !/^(?:Describe|Get|List|Head|Search|Validate|Estimate|Simulate|Filter|Lookup|Detect)/.test(action);
}
