import { execFile } from "node:child_process";
import { createHash, createHmac } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { bucketPointer } from "../../src/machine/bucket-pointer.ts";

const folder = mkdtempSync(join(tmpdir(), "slipway-fetch-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sum = (text: string) => createHash("sha256").update(text).digest("hex");
const keyed = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
const programs = new Map(["a runtime", "an agent"].map((text) => [sum(text), text]));
const credentials = { AccessKeyId: "AKIDEXAMPLE", SecretAccessKey: "se/cret+key=", Token: "ses/sion+token==" };

/** The signature that AWS expects (AWS, "Create a signed AWS API request", version 4, for S3). */
function signature(request: IncomingMessage, signed: readonly string[], scope: string): string {
  const head = (name: string) => String(request.headers[name]);
  const canonical = [
    request.method,
    request.url,
    "",
    ...signed.map((name) => `${name}:${head(name)}`),
    "",
    signed.join(";"),
    head("x-amz-content-sha256"),
  ].join("\n");
  const text = ["AWS4-HMAC-SHA256", head("x-amz-date"), scope, sum(canonical)].join("\n");
  const key = scope
    .split("/")
    .reduce<string | Buffer>((one, part) => keyed(one, part), `AWS4${credentials.SecretAccessKey}`);
  return keyed(key, text).toString("hex");
}

function answer(request: IncomingMessage): string | undefined {
  const url = request.url ?? "";
  if (url === "/latest/api/token") return request.method === "PUT" ? "a token" : undefined;
  if (url.startsWith("/latest/")) {
    // A role's credentials are only for who has shown the token.
    if (request.headers["x-aws-ec2-metadata-token"] !== "a token") return undefined;
    const known: Readonly<Record<string, string>> = {
      "placement/region": "eu-central-1",
      "services/domain": "amazonaws.com",
      "iam/security-credentials/": "a-role",
      "iam/security-credentials/a-role": JSON.stringify({ Code: "Success", ...credentials }, undefined, 2),
    };
    return known[url.replace("/latest/meta-data/", "")];
  }
  const [, scope = "", headers = "", found = ""] =
    /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/(.*), ?SignedHeaders=(.*), ?Signature=(\w+)$/.exec(
      request.headers.authorization ?? "",
    ) ?? [];
  const signed = headers.split(";");
  if (!scope.endsWith("/eu-central-1/s3/aws4_request") || !signed.includes("x-amz-security-token")) return undefined;
  if (signature(request, signed, scope) !== found) return undefined;
  return programs.get(url.replace("/runtime/", ""));
}

test(
  "the programs are fetched with the instance's own credentials, signed as S3 asks",
  { timeout: 30_000 },
  async () => {
    const [node, agent] = [...programs.keys()];
    const pointer = bucketPointer({
      cluster: "demo",
      group: "worker",
      bucket: "demo-store",
      runtime: { agent: agent ?? "", node: { x86_64: node ?? "", aarch64: node ?? "" } },
    });
    const script = pointer.files.find(({ mode }) => mode === "0755")?.contents;
    if (script?.kind !== "text") expect.fail("no script");
    const refused: string[] = [];
    const server = createServer((request, response) => {
      const text = answer(request);
      if (text === undefined) refused.push(`${request.method} ${request.url}`);
      response.writeHead(text === undefined ? 403 : 200);
      response.end(text);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      // The server listens on a free port; its type says that it may be a path too.
      const { port } = server.address() as AddressInfo;
      writeFileSync(join(folder, "bucket"), "demo-store\n");
      const here = script.text
        .replaceAll("/opt/slipway/bin", join(folder, "runtime"))
        .replaceAll("/etc/slipway/bucket", join(folder, "bucket"))
        .replaceAll("http://169.254.169.254", `http://127.0.0.1:${port}`)
        .replaceAll("https://$host", `http://127.0.0.1:${port}`)
        .replaceAll("--retry 9", "--retry 0");
      writeFileSync(join(folder, "fetch"), here);
      await promisify(execFile)("/bin/bash", [join(folder, "fetch")]);
    } finally {
      server.close();
    }
    expect(refused).toEqual([]);
    expect(readFileSync(join(folder, "runtime/node"), "utf8")).toBe("a runtime");
    expect(readFileSync(join(folder, "runtime/agent.js"), "utf8")).toBe("an agent");
    // A command line is everyone's to read.
    expect(script.text).not.toMatch(/curl[^\n]*(?:--user|-u |Security-Token)/);
  },
);
