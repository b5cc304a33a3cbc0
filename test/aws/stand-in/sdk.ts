import { Readable } from "node:stream";
import { AutoScalingClient } from "@aws-sdk/client-auto-scaling";
import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { EC2Client } from "@aws-sdk/client-ec2";
import { IAMClient } from "@aws-sdk/client-iam";
import { S3Client } from "@aws-sdk/client-s3";
import { STSClient } from "@aws-sdk/client-sts";
import type { Client } from "./stand-in.ts";

/** What the SDK hands to whoever sends its requests. */
type SdkRequest = {
  readonly protocol: string;
  readonly hostname: string;
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
};

/** The SDK's requests through a `fetch`. */
function handlerOf(send: typeof fetch) {
  return {
    async handle(request: SdkRequest) {
      const url = new URL(`${request.protocol}//${request.hostname}${request.path}`);
      for (const [name, value] of Object.entries(request.query ?? {}))
        for (const one of Array.isArray(value) ? value.map(String) : [typeof value === "string" ? value : ""])
          url.searchParams.append(name, one);
      const { host: _host, ...headers } = request.headers;
      const { body } = request;
      if (body !== undefined && typeof body !== "string" && !(body instanceof Uint8Array))
        throw new Error("the tests' SDK sends no streams");
      const answer = await send(url, {
        method: request.method,
        headers,
        ...(body === undefined || request.method === "GET" || request.method === "HEAD"
          ? {}
          : { body: typeof body === "string" ? body : body.slice() }),
      });
      const bytes = Buffer.from(await answer.arrayBuffer());
      return {
        response: {
          statusCode: answer.status,
          reason: answer.statusText,
          headers: Object.fromEntries(answer.headers),
          body: Readable.from(bytes.length === 0 ? [] : [bytes]),
        },
      };
    },
    updateHttpClientConfig() {
      // It has no settings.
    },
    httpHandlerConfigs: () => ({}),
  };
}

/** AWS's own clients for JavaScript, over the stand-in: they read its answers as they would AWS's. They try once. */
export function sdkOver({ fetch: send, credentials }: Pick<Client, "fetch" | "credentials">, region = "eu-central-1") {
  const settings = { region, credentials: { ...credentials }, maxAttempts: 1, requestHandler: handlerOf(send) };
  return {
    cloudformation: new CloudFormationClient(settings),
    ec2: new EC2Client(settings),
    autoscaling: new AutoScalingClient(settings),
    s3: new S3Client({
      ...settings,
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
    }),
    iam: new IAMClient(settings),
    sts: new STSClient(settings),
  };
}
