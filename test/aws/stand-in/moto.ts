import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
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
  stop(): Promise<void>;
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

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}

/** Starts moto on loopback, on a port that is free. */
export async function startMoto(program: string): Promise<Moto> {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  // The same Python as moto_server's own.
  const python = join(dirname(program), "python3");
  const launcher = join(import.meta.dirname, "moto-server.py");
  const server: ChildProcess = spawn(python, [launcher, "--host", "127.0.0.1", "--port", String(port)], {
    stdio: "ignore",
    // Images are the layer's own: moto would read 300 of them at each reset.
    env: { ...process.env, MOTO_EC2_LOAD_DEFAULT_AMIS: "false" },
  });
  const answers = async (): Promise<boolean> => {
    try {
      return (await fetch(endpoint)).status < 600;
    } catch (error) {
      if (error instanceof TypeError) return false;
      throw error;
    }
  };
  for (const end = Date.now() + 60_000; !(await answers()); await pause(100))
    if (Date.now() > end || server.exitCode !== null) throw new Error("moto_server does not answer");

  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
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

  // Its first answer of each service takes a second or more: here, and not in somebody's test.
  const first = { region: "us-east-1", account: "000000000000", method: "POST", path: "/" };
  const form = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
  await Promise.all([
    send({ ...first, service: "ec2", headers: form, body: "Action=DescribeVpcs&Version=2016-11-15" }),
    send({ ...first, service: "iam", headers: form, body: "Action=ListRoles&Version=2010-05-08" }),
    send({ ...first, service: "s3", method: "GET", headers: {}, body: "" }),
    send({
      ...first,
      service: "logs",
      headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": "Logs_20140328.DescribeLogGroups" },
      body: "{}",
    }),
  ]);

  return {
    endpoint,
    forward: send,
    async reset() {
      await send({
        service: "s3",
        region: "us-east-1",
        account: "000000000000",
        method: "POST",
        path: "/moto-api/reset",
        headers: {},
        body: "",
      });
    },
    async stop() {
      agent.destroy();
      if (server.exitCode !== null) return;
      const ended = once(server, "exit");
      server.kill();
      await ended;
    },
  };
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
