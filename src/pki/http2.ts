import {
  connect as connectHttp2,
  constants,
  type ClientHttp2Session,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from "node:http2";
import { connect as connectTls, type SecureContext } from "node:tls";
import { failureOf, HttpError, TlsError } from "./failure.ts";
import { clientContext, materialText, type Material } from "./material.ts";

export type Http2Ask = {
  /** `https://host:port` */
  readonly origin: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds until the whole answer must be here. */
  readonly timeout: number;
};

export type Http2Answer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
};

/** POST requests over HTTP/2 with certificates on both sides: one kept connection for each server. */
export interface MutualHttp2 {
  post(ask: Http2Ask, body: Uint8Array): Promise<Http2Answer>;
  /** New requests show the new certificate, those in flight go on; false: it has not changed. Throws and keeps the old when it is unusable. */
  reload(): Promise<boolean>;
  /** Ends all connections, also those in use. */
  close(): void;
}

/** One connection; `ready` rejects when it cannot be made. */
type Line = { readonly session: ClientHttp2Session; readonly ready: Promise<void> };

const mostAnswerBytes = 32 * 1024 * 1024;

export function mutualHttp2(options: { readonly read: () => Material | Promise<Material> }): MutualHttp2 {
  const lines = new Map<string, Line>();
  let used: { readonly text: string; readonly context: SecureContext } | undefined;
  let closed = false;

  /** Requests under way on it finish; the next one opens another. */
  function retire(origin: string, line: Line): void {
    if (lines.get(origin) === line) lines.delete(origin);
    if (!line.session.destroyed) line.session.close();
  }

  function open(origin: string, context: SecureContext): Line {
    const { hostname, port } = new URL(origin);
    const socket = connectTls({
      host: hostname.replace(/^\[(.*)\]$/, "$1"),
      port: Number(port || 443),
      secureContext: context,
      ALPNProtocols: ["h2"],
    });
    const session = connectHttp2(origin, { createConnection: () => socket });
    const ready = new Promise<void>((resolve, reject) => {
      session.once("connect", () => resolve());
      session.on("error", reject);
      session.once("close", () => reject(new Error("the connection was closed")));
    });
    // Who waits for it hears of it; that nobody does is no error.
    ready.catch(() => retire(origin, line));
    const line: Line = { session, ready };
    session.once("close", () => retire(origin, line));
    lines.set(origin, line);
    return line;
  }

  async function lineTo(ask: Http2Ask): Promise<Line> {
    if (used === undefined) await load();
    if (used === undefined) throw new Error("there is no certificate");
    const there = lines.get(ask.origin);
    return there === undefined || there.session.closed || there.session.destroyed
      ? open(ask.origin, used.context)
      : there;
  }

  async function load(): Promise<boolean> {
    const material = await options.read();
    const text = materialText(material);
    if (used?.text === text) return false;
    used = { text, context: clientContext(material) };
    for (const [origin, line] of lines) retire(origin, line);
    return true;
  }

  return {
    async post(ask, body) {
      const url = new URL(ask.path, ask.origin);
      if (closed) throw new HttpError("aborted", "POST", url, "this client is closed");
      let line: Line;
      try {
        line = await lineTo(ask);
      } catch (cause) {
        throw new TlsError("POST", url, "our own certificates are unusable", { cause });
      }
      return send(line, ask, body, url, () => retire(ask.origin, line));
    },
    reload: load,
    close() {
      closed = true;
      for (const line of lines.values()) line.session.destroy();
      lines.clear();
    },
  };
}

function send(
  { session, ready }: Line,
  ask: Http2Ask,
  body: Uint8Array,
  url: URL,
  retire: () => void,
): Promise<Http2Answer> {
  return new Promise((resolve, reject) => {
    let sent = false;
    let cancel = (): void => session.destroy();
    const fail = (error: unknown): void => {
      clearTimeout(timer);
      reject(failureOf(error instanceof Error ? error : new Error(String(error)), "POST", url, sent));
    };
    const timer = setTimeout(() => {
      fail(new HttpError("timeout", "POST", url, `no answer within ${ask.timeout} ms`));
      // The other side may be gone without a word: the next request tries another connection.
      retire();
      cancel();
    }, ask.timeout);
    const begin = (): void => {
      sent = true;
      const stream = session.request({ ...ask.headers, ":method": "POST", ":path": ask.path });
      cancel = () => stream.close(constants.NGHTTP2_CANCEL);
      let headers: IncomingHttpHeaders & IncomingHttpStatusHeader = {};
      let trailers: IncomingHttpHeaders = {};
      const parts: Buffer[] = [];
      let size = 0;
      stream.on("response", (given) => (headers = given));
      stream.on("trailers", (given) => (trailers = given));
      stream.on("data", (part: Buffer) => {
        size += part.length;
        if (size > mostAnswerBytes)
          stream.destroy(new HttpError("too-large", "POST", url, `the answer is larger than ${mostAnswerBytes} bytes`));
        else parts.push(part);
      });
      stream.on("error", fail);
      // A stream that the other side has reset ends without an error of its own.
      stream.on("close", () => {
        clearTimeout(timer);
        if (stream.rstCode === constants.NGHTTP2_NO_ERROR && headers[":status"] !== undefined)
          resolve({ status: headers[":status"], headers, trailers, body: Buffer.concat(parts) });
        else fail(new Error(`the request was cut off (${stream.rstCode})`));
      });
      stream.end(body);
    };
    ready.then(begin).catch(fail);
  });
}
