/** One request as the code under test sent it. */
export type Sent = {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
};
export type Answer = (sent: Sent) => Response | Promise<Response>;

/** A `fetch` that answers from a script, the last answer for ever, and keeps what was sent. */
export function scriptedFetch(...script: readonly Answer[]): {
  readonly fetch: typeof fetch;
  readonly sent: readonly Sent[];
} {
  const sent: Sent[] = [];
  return {
    sent,
    async fetch(input, init) {
      const request = new Request(input, init);
      const one = {
        method: request.method,
        url: request.url,
        headers: request.headers,
        body: new Uint8Array(await request.arrayBuffer()),
      };
      sent.push(one);
      const answer = script[Math.min(sent.length, script.length) - 1];
      if (answer === undefined) throw new Error("nothing is in the script");
      return answer(one);
    },
  };
}

/** AWS's error in its XML form, as S3 and the query services write it. */
export const refused =
  (status: number, code: string, headers: Record<string, string> = {}) =>
  (): Response =>
    new Response(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>because</Message></Error>`, {
      status,
      headers,
    });
/** The connection ends without an answer, as `fetch` says it. */
export const dropped = (): Promise<Response> =>
  Promise.reject(new TypeError("fetch failed", { cause: new Error("other side closed") }));
