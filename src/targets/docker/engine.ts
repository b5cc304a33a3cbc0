import { readFileSync } from "node:fs";
import { Agent, request, type AgentOptions, type IncomingMessage, type RequestOptions } from "node:http";
import { homedir } from "node:os";
import { join } from "node:path";
import { type Duplex, Readable } from "node:stream";
import { commandStream, likeSocket } from "../../host/command.ts";

/** The engine refused or could not be reached; the message names what was tried. */
export class EngineError extends Error {
  /** HTTP status; `undefined` when there was no answer. */
  readonly status: number | undefined;
  constructor(message: string, status: number | undefined, options?: ErrorOptions) {
    super(message, options);
    this.name = "EngineError";
    this.status = status;
  }
}

/** Where the docker command and this client find the engine: environment first, then the current context. */
export type EngineEnvironment = Readonly<Record<string, string | undefined>>;

export type Call = {
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  readonly body?: unknown;
  /** A tar archive as the body. */
  readonly archive?: Readable;
  readonly signal?: AbortSignal;
};

/** The engine's HTTP API; one call, one answer. */
export interface Engine {
  /** The answer's JSON (or bytes, where it is none). `doing` is said in errors: "Docker could not <doing>: …". */
  call(doing: string, method: "GET" | "POST" | "PUT" | "DELETE" | "HEAD", path: string, call?: Call): Promise<unknown>;
  /** The same, for answers that are bytes. */
  bytes(doing: string, path: string, call?: Call): Promise<Buffer>;
  /** The same, for answers that are too large to be held. */
  stream(doing: string, path: string): Promise<Readable>;
  /** A POST whose connection is handed over after the answer ("hijacking", in the API's words): bytes both ways. */
  hijack(doing: string, path: string, body: unknown): Promise<Duplex>;
}

// The oldest API that we support: Docker 20.10.
const version = "v1.41";
const timeout = 120_000;

/** The local socket when the docker command would use one; `undefined`: only the docker command knows the way (ssh, TLS, contexts). */
export function localSocket(environment: EngineEnvironment): string | undefined {
  const host = environment["DOCKER_HOST"];
  if (host !== undefined && host !== "") return host.startsWith("unix://") ? host.slice("unix://".length) : undefined;
  const named = environment["DOCKER_CONTEXT"];
  if (named !== undefined && named !== "" && named !== "default") return undefined;
  try {
    const folder = environment["DOCKER_CONFIG"] ?? join(homedir(), ".docker");
    const config: unknown = JSON.parse(readFileSync(join(folder, "config.json"), "utf8"));
    const current: unknown =
      typeof config === "object" && config !== null ? Reflect.get(config, "currentContext") : undefined;
    if (typeof current === "string" && current !== "" && current !== "default") return undefined;
  } catch (error) {
    // No configuration is the usual case; an unreadable one is the docker command's to complain about.
    if (!(error instanceof Error && Reflect.get(error, "code") === "ENOENT")) return undefined;
  }
  return "/var/run/docker.sock";
}

/** Connections through `docker system dial-stdio`, which goes wherever the docker command goes. */
class CommandAgent extends Agent {
  override createConnection(_options: AgentOptions, done?: (error: Error | null, stream: Duplex) => void): Duplex {
    const stream = likeSocket(commandStream(["docker", "system", "dial-stdio"]));
    done?.(null, stream);
    return stream;
  }
}

function messageOf(body: Buffer): string {
  const text = body.toString("utf8").trim();
  try {
    const value: unknown = JSON.parse(text);
    const message: unknown = typeof value === "object" && value !== null ? Reflect.get(value, "message") : undefined;
    return typeof message === "string" ? message : text;
  } catch {
    // Plain text is a message as it is.
    return text;
  }
}

type Answer = { readonly message: IncomingMessage; readonly silence: NodeJS.Timeout };

function failed(doing: string, error: unknown): EngineError {
  const why = error instanceof Error ? error.message : String(error);
  return new EngineError(`Docker could not ${doing}: ${why}`, undefined, { cause: error });
}

async function* read(doing: string, { message, silence }: Answer): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of message as AsyncIterable<Buffer>) {
      silence.refresh();
      yield chunk;
    }
  } catch (error) {
    throw failed(doing, error);
  } finally {
    clearTimeout(silence);
  }
}

const refuses = ({ message }: Answer): boolean => (message.statusCode ?? 0) >= 400;

async function whole(doing: string, answer: Answer): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of read(doing, answer)) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  if (!refuses(answer)) return body;
  throw new EngineError(`Docker could not ${doing}: ${messageOf(body)}`, answer.message.statusCode);
}

/** Opens the engine that the docker command would use. Nothing is sent before the first call. */
export function openEngine(environment: EngineEnvironment): Engine {
  const socketPath = localSocket(environment);
  const agent =
    socketPath === undefined ? new CommandAgent({ keepAlive: true, maxSockets: 4 }) : new Agent({ keepAlive: true });
  /** Its answer, whose bytes are to be read by `read`. */
  const send = (
    doing: string,
    method: string,
    path: string,
    call: Call,
    upgraded?: (connection: Duplex) => void,
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const query = new URLSearchParams(
        Object.entries(call.query ?? {}).map(([name, value]): [string, string] => [name, String(value)]),
      ).toString();
      const text = call.body === undefined ? undefined : JSON.stringify(call.body);
      const options: RequestOptions = {
        ...(socketPath === undefined ? { host: "docker" } : { socketPath }),
        ...(call.signal === undefined ? {} : { signal: call.signal }),
        agent,
        method,
        path: `/${version}${path}${query === "" ? "" : `?${query}`}`,
        headers: {
          ...(text === undefined
            ? {}
            : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
          ...(call.archive === undefined ? {} : { "content-type": "application/x-tar" }),
          ...(upgraded === undefined ? {} : { connection: "Upgrade", upgrade: "tcp" }),
        },
      };
      const ask = request(options, (message) => resolve({ message, silence }));
      // Of our own: a stream that is a command's has none.
      const silence = setTimeout(() => ask.destroy(new Error(`no answer within ${timeout / 1000} s`)), timeout);
      ask.on("error", (error) => {
        clearTimeout(silence);
        reject(failed(doing, error));
      });
      ask.on("upgrade", (_message, connection, first) => {
        clearTimeout(silence);
        connection.unshift(first);
        upgraded?.(connection);
      });
      if (call.archive === undefined) ask.end(text);
      else {
        call.archive.on("error", (error) => ask.destroy(error));
        call.archive.on("data", () => silence.refresh());
        call.archive.pipe(ask);
      }
    });
  const bytes = async (doing: string, method: string, path: string, call: Call): Promise<Buffer> =>
    whole(doing, await send(doing, method, path, call));
  return {
    bytes: (doing, path, call = {}) => bytes(doing, "GET", path, call),
    async stream(doing, path) {
      const answer = await send(doing, "GET", path, {});
      if (refuses(answer)) await whole(doing, answer);
      return Readable.from(read(doing, answer), { objectMode: false });
    },
    hijack: (doing, path, body) =>
      new Promise((resolve, reject) => {
        const kept = (): void =>
          reject(new EngineError(`Docker could not ${doing}: it keeps the connection to itself`, undefined));
        const read = async (answer: Answer): Promise<Buffer> => whole(doing, answer);
        send(doing, "POST", path, { body }, resolve).then(read).then(kept, reject);
      }),
    async call(doing, method, path, call = {}) {
      const body = (await bytes(doing, method, path, call)).toString("utf8");
      return body === "" || !/^\s*[[{"]/.test(body) ? body : (JSON.parse(body) as unknown);
    },
  };
}

/** A call whose object may not be there: `undefined` then. */
export async function orAbsent<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof EngineError && error.status === 404) return undefined;
    throw error;
  }
}

/** A call that is done already when the engine says "not modified", "not found" or "conflict". */
export async function orDone(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof EngineError && (error.status === 304 || error.status === 404 || error.status === 409)))
      throw error;
  }
}
