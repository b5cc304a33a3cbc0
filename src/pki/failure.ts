/**
 * What became of a request: `untrusted`: the two sides do not accept each other's certificates; `unreachable`: it
 * was surely not carried out; `broken`: it may have been; `timeout`, `aborted`, `too-large`: we gave up.
 */
export type HttpFailure = "untrusted" | "unreachable" | "broken" | "timeout" | "aborted" | "too-large";

/** A request without a whole answer. An answer with a bad status is no error: it is an answer. */
export class HttpError extends Error {
  readonly kind: HttpFailure;
  readonly method: string;
  /** Without query and credentials, which may be secrets. */
  readonly url: string;
  constructor(kind: HttpFailure, method: string, url: URL, why: string, options?: ErrorOptions) {
    const shown = `${url.origin}${url.pathname}`;
    super(`${method} ${shown}: ${why}`, options);
    this.name = "HttpError";
    this.kind = kind;
    this.method = method;
    this.url = shown;
  }
}

/** The certificates of the two sides do not fit, or the other side does not speak our TLS. */
export class TlsError extends HttpError {
  constructor(method: string, url: URL, why: string, options?: ErrorOptions) {
    super("untrusted", method, url, why, options);
    this.name = "TlsError";
  }
}

/** Codes that Node gives for what OpenSSL finds wrong with the server's certificate, and for our own checks. */
const certificateCodes = new Set([
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "CERT_SIGNATURE_FAILURE",
  "CERT_NOT_YET_VALID",
  "CERT_HAS_EXPIRED",
  "CERT_CHAIN_TOO_LONG",
  "CERT_REVOKED",
  "CERT_UNTRUSTED",
  "CERT_REJECTED",
  "INVALID_CA",
  "INVALID_PURPOSE",
  "PATH_LENGTH_EXCEEDED",
  "HOSTNAME_MISMATCH",
  "EPROTO",
]);
const unreachableCodes = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EHOSTDOWN",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ENOENT",
]);

/** Node's error of a request as ours; `sent` tells whether the other side may have read the request. */
export function failureOf(error: Error, method: string, url: URL, sent: boolean): HttpError {
  if (error instanceof HttpError) return error;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const why = code === "" || error.message.includes(code) ? error.message.trim() : `${error.message.trim()} (${code})`;
  if (certificateCodes.has(code) || /^ERR_(?:SSL|TLS)_/.test(code))
    return new TlsError(method, url, why, { cause: error });
  const kind = unreachableCodes.has(code) || !sent ? "unreachable" : "broken";
  return new HttpError(kind, method, url, why, { cause: error });
}
