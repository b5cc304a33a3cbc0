/** A request as AWS's SDK hands it to its transport. */
type SdkRequest = {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
};
type SdkResponse = {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
};
/** What AWS's SDK takes as a transport. */
export type SdkHandler = {
  handle(
    request: SdkRequest,
    options?: { readonly abortSignal?: unknown },
  ): Promise<{ readonly response: SdkResponse }>;
  updateHttpClientConfig(): void;
  httpHandlerConfigs(): Readonly<Record<string, never>>;
  destroy(): void;
};

/** Milliseconds for one request and its whole answer. */
const timeout = 30_000;

/** AWS's SDK over the one `fetch` by which this program speaks to AWS, so that every call passes one place. */
export function sdkHandler(ask: typeof fetch): SdkHandler {
  return {
    async handle(request, { abortSignal } = {}) {
      const limit = AbortSignal.timeout(timeout);
      const { body } = request;
      if (body !== undefined && typeof body !== "string" && !(body instanceof Uint8Array))
        throw new Error("the SDK sends a stream, which nobody asked it to");
      const response = await ask(addressOf(request), {
        method: request.method,
        headers: headersOf(request.headers),
        ...(body === undefined || body.length === 0 ? {} : { body }),
        redirect: "error",
        signal: abortSignal instanceof AbortSignal ? AbortSignal.any([limit, abortSignal]) : limit,
      });
      return {
        response: {
          statusCode: response.status,
          headers: Object.fromEntries(response.headers),
          body: new Uint8Array(await response.arrayBuffer()),
        },
      };
    },
    updateHttpClientConfig() {
      // It has no settings.
    },
    httpHandlerConfigs: () => ({}),
    destroy() {
      // It keeps nothing open.
    },
  };
}

function addressOf({ protocol, hostname, port, path, query = {} }: SdkRequest): string {
  const words = new URLSearchParams();
  for (const [key, value] of Object.entries(query))
    for (const one of typeof value === "string" || value === null ? [value] : value) words.append(key, one ?? "");
  const asked = words.toString();
  return `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}${path}${asked === "" ? "" : `?${asked}`}`;
}

/** `fetch` says by itself whom it asks, and how much it sends. */
function headersOf(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !/^(?:host|content-length|transfer-encoding)$/i.test(name)),
  );
}
