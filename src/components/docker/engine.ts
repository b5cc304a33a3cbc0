import { request } from "node:http";

/** The node's engine answered with an error. */
export class EngineRefusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = "EngineRefusal";
    this.status = status;
  }
}

/** The node's engine has not answered in time. */
export class EngineSilence extends Error {
  constructor(message: string) {
    super(message);
    this.name = "EngineSilence";
  }
}

/**
 * The node's own Docker engine over its unix socket: tokens and passwords travel in request bodies and headers,
 * where no process list shows them.
 */
export interface Engine {
  /** Throws `EngineRefusal` for a status of 400 and more, `EngineSilence` where no answer comes within `timeout` milliseconds. */
  call(
    method: "GET" | "POST" | "DELETE",
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
    timeout?: number,
  ): Promise<unknown>;
}

// The oldest API that we support: Docker 20.10.
const version = "v1.41";

/** How long a call may take unless it says otherwise. Milliseconds. */
const usual = 20_000;

export function unixEngine(socket = "/var/run/docker.sock"): Engine {
  return {
    call: (method, path, body, headers = {}, timeout = usual) =>
      new Promise((resolve, reject) => {
        const text = body === undefined ? undefined : JSON.stringify(body);
        const ask = request(
          {
            socketPath: socket,
            path: `/${version}${path}`,
            method,
            timeout,
            headers: {
              ...headers,
              host: "docker",
              ...(text === undefined
                ? {}
                : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
            },
          },
          (answer) => {
            const chunks: Buffer[] = [];
            answer.on("data", (chunk: Buffer) => chunks.push(chunk));
            answer.on("error", reject);
            answer.on("end", () => {
              const said = Buffer.concat(chunks).toString("utf8");
              const status = answer.statusCode ?? 0;
              let parsed: unknown = said;
              try {
                parsed = said === "" ? undefined : JSON.parse(said);
              } catch {
                // A plain-text answer is its own message.
                parsed = said;
              }
              if (status < 400) resolve(parsed);
              else {
                const message: unknown =
                  typeof parsed === "object" && parsed !== null ? Reflect.get(parsed, "message") : undefined;
                reject(
                  new EngineRefusal(
                    status,
                    typeof message === "string" ? message : `Docker answered ${status} to ${method} ${path}`,
                  ),
                );
              }
            });
          },
        );
        ask.on("timeout", () =>
          ask.destroy(new EngineSilence(`Docker did not answer ${method} ${path} within ${timeout} ms`)),
        );
        ask.on("error", reject);
        ask.end(text);
      }),
  };
}
