import { request as httpsRequest, type Agent } from "node:https";
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from "node:http";
import { failureOf, HttpError } from "./failure.ts";

export type Ask = {
  readonly url: string | URL;
  /** GET, or POST where there is a body. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds until the whole answer (of a stream: its headers) must be here; 10 seconds by default. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  /** The most bytes of an answer, or of one line of a stream; 32 MiB by default. */
  readonly most?: number;
  /**
   * Whether the request may be sent again when a kept connection turns out to have been closed meanwhile; by
   * default only GET and HEAD, since the lost one may have been carried out.
   */
  readonly resend?: boolean;
};

export type Body = string | Uint8Array;

export type Answer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
};

export type Stream = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Lines without their ends; leaving the loop closes the stream. Throws `HttpError` when it breaks. To be read once. */
  lines(): AsyncGenerator<string, void, undefined>;
  close(): void;
};

const usualTimeout = 10_000;
/** Each stale connection leaves the pool, so that a new one is reached at last; the pool keeps eight. */
const mostResends = 8;
const usualMost = 32 * 1024 * 1024;

/** One request on its way, and the one reason why it failed, whoever notices first. */
type Flight = {
  readonly message: IncomingMessage;
  readonly method: string;
  readonly url: URL;
  readonly most: number;
  failure(error: unknown): HttpError;
  /** The answer's headers are here and no more is waited for: the timeout ends. */
  untimed(): void;
};

/** A request whose answer is read to its end; `closed` is called when its connection is free again. */
export async function exchange(
  agent: Agent,
  ask: Ask,
  body: Body | undefined,
  closed: () => void,
): Promise<Answer> {
  const flight = await launch(agent, ask, body, closed);
  const { message, most } = flight;
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of bytesOf(message)) {
      size += chunk.length;
      if (size > most)
        throw new HttpError(
          "too-large",
          flight.method,
          flight.url,
          `the answer is larger than ${most} bytes`,
        );
      chunks.push(chunk);
    }
  } catch (error) {
    throw flight.failure(error);
  }
  return { status: message.statusCode ?? 0, headers: message.headers, body: Buffer.concat(chunks) };
}

/** A request whose answer is read line by line for as long as it goes on; `closed` is called when it has ended. */
export async function openStream(
  agent: Agent,
  ask: Ask,
  body: Body | undefined,
  closed: () => void,
): Promise<Stream> {
  const flight = await launch(agent, ask, body, closed);
  flight.untimed();
  const { message } = flight;
  return {
    status: message.statusCode ?? 0,
    headers: message.headers,
    lines: () => linesOf(flight),
    close: () => void message.destroy(),
  };
}

async function* linesOf(flight: Flight): AsyncGenerator<string, void, undefined> {
  let parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of bytesOf(flight.message)) {
      let from = 0;
      for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
        yield Buffer.concat([...parts, chunk.subarray(from, end)]).toString("utf8");
        parts = [];
        size = 0;
        from = end + 1;
      }
      if (from === chunk.length) continue;
      parts.push(chunk.subarray(from));
      size += chunk.length - from;
      if (size > flight.most) {
        throw new HttpError(
          "too-large",
          flight.method,
          flight.url,
          `a line is longer than ${flight.most} bytes`,
        );
      }
    }
  } catch (error) {
    throw flight.failure(error);
  }
  if (size > 0) yield Buffer.concat(parts).toString("utf8");
}

async function* bytesOf(message: IncomingMessage): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of message) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError("an answer's chunk is not bytes");
    yield chunk;
  }
}

/** Sends a request and waits for the answer's headers. */
function launch(
  agent: Agent,
  ask: Ask,
  body: Body | undefined,
  closed: () => void,
  resends = 0,
): Promise<Flight> {
  const url = new URL(ask.url);
  const method = ask.method ?? (body === undefined ? "GET" : "POST");
  const timeout = ask.timeout ?? usualTimeout;
  return new Promise((resolve, reject) => {
    if (ask.signal?.aborted === true) {
      closed();
      reject(aborted(method, url, ask.signal));
      return;
    }
    let request: ClientRequest;
    try {
      request = httpsRequest(url, {
        agent,
        method,
        headers: {
          ...ask.headers,
          ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) }),
        },
      });
    } catch (error) {
      closed();
      reject(failureOf(asError(error), method, url, false));
      return;
    }
    let known: HttpError | undefined;
    let answer: IncomingMessage | undefined;
    const fail = (error: HttpError): void => {
      known ??= error;
      if (answer === undefined) request.destroy(known);
      else answer.destroy(known);
    };
    const late = (): void =>
      fail(new HttpError("timeout", method, url, `no whole answer within ${timeout} ms`));
    const timer = setTimeout(late, timeout);
    const abort = (): void => fail(aborted(method, url, ask.signal));
    ask.signal?.addEventListener("abort", abort, { once: true });
    let resent = false;
    request.once("close", () => {
      clearTimeout(timer);
      ask.signal?.removeEventListener("abort", abort);
      if (!resent) closed();
    });
    // Nothing of a request is sent before the handshake is over; a kept connection has it behind itself.
    let secured = false;
    request.once("socket", (socket) => {
      if (request.reusedSocket) secured = true;
      else socket.once("secureConnect", () => (secured = true));
    });
    const failure = (error: unknown): HttpError =>
      known ?? failureOf(asError(error), method, url, secured);
    request.once("response", (message) => {
      answer = message;
      resolve({
        message,
        method,
        url,
        most: ask.most ?? usualMost,
        failure,
        untimed: () => clearTimeout(timer),
      });
    });
    request.on("error", (error: NodeJS.ErrnoException) => {
      const stale =
        request.reusedSocket &&
        known === undefined &&
        (error.code === "ECONNRESET" || error.code === "EPIPE");
      if (
        stale &&
        resends < mostResends &&
        answer === undefined &&
        (ask.resend ?? (method === "GET" || method === "HEAD"))
      ) {
        resent = true;
        resolve(launch(agent, ask, body, closed, resends + 1));
      } else reject(failure(error));
    });
    request.end(body);
  });
}

function aborted(method: string, url: URL, signal: AbortSignal | undefined): HttpError {
  return new HttpError("aborted", method, url, "aborted", { cause: signal?.reason });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
