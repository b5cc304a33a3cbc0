import { Writable } from "node:stream";
import type { DockerClient } from "@docker/node-sdk";
import { systemProcesses } from "../../host/processes.ts";

/** The engine refused or could not be reached; the message names what was tried. */
export class EngineError extends Error {
  readonly status: number | undefined;
  constructor(message: string, status: number | undefined, options?: ErrorOptions) {
    super(message, options);
    this.name = "EngineError";
    this.status = status;
  }
}

/** Where the docker command and this client find the engine: environment first, then the current context. */
export type EngineEnvironment = Readonly<Record<string, string | undefined>>;

/**
 * Opens the engine that the docker command would use: DOCKER_HOST with DOCKER_CERT_PATH, DOCKER_CONTEXT,
 * or the current context of the configuration. The SDK is heavy, so it is loaded here.
 */
export async function openEngine(environment: EngineEnvironment): Promise<DockerClient> {
  const { DockerClient: Client } = await import("@docker/node-sdk");
  const host = environment["DOCKER_HOST"];
  if (host !== undefined && host !== "") {
    return environment["DOCKER_CERT_PATH"] === undefined
      ? Client.fromDockerHost(host)
      : Client.fromDockerHost(host, environment["DOCKER_CERT_PATH"]);
  }
  const context = environment["DOCKER_CONTEXT"];
  return context === undefined || context === "" ? Client.fromDockerConfig() : Client.fromDockerContext(context);
}

function statusOf(error: unknown): number | undefined {
  if (typeof error === "object" && error !== null) {
    for (const name of ["statusCode", "status"]) {
      const value: unknown = Reflect.get(error, name);
      if (typeof value === "number") return value;
    }
  }
  return undefined;
}

/** Runs one engine call; gives `undefined` when the object is not there, throws `EngineError` otherwise. */
export async function orAbsent<T>(doing: string, call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (statusOf(error) === 404 || (error instanceof Error && error.name === "NotFoundError")) return undefined;
    throw engineError(doing, error);
  }
}

/** Runs one engine call whose "conflict" or "not modified" answer means that it was done already. */
export async function orDone(doing: string, call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    const status = statusOf(error);
    if (status === 304 || status === 404 || status === 409) return;
    throw engineError(doing, error);
  }
}

/** Runs one engine call and says what was being done when it fails. */
export async function must<T>(doing: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw engineError(doing, error);
  }
}

function engineError(doing: string, error: unknown): EngineError {
  const message = error instanceof Error ? error.message : String(error);
  return new EngineError(`Docker could not ${doing}: ${message}`, statusOf(error), { cause: error });
}

/** A writable that keeps what it is given. */
export function collector(): { stream: Writable; bytes: () => Buffer } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return { stream, bytes: () => Buffer.concat(chunks) };
}

/** The docker command, for what the SDK has no call for: interactive input, image files, builds. */
export const dockerCommand = systemProcesses;
