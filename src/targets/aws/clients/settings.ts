import type { AwsCredentials } from "../../../host/aws/request.ts";
import type { SdkHandler } from "../../../host/aws/sdk-handler.ts";

/** What every client of AWS's SDK is made with. */
export type ClientSettings = {
  readonly region: string;
  readonly credentials: () => Promise<AwsCredentials>;
  readonly requestHandler: SdkHandler;
  /** Repetition is ours. */
  readonly maxAttempts: 1;
};

/** All pages of an answer: `ask` is given the token of the page, and a page that is missing is an error, not an end. */
export async function pages<Page, Item>(
  ask: (token: string | undefined) => Promise<Page>,
  read: (page: Page) => { readonly items: readonly Item[] | undefined; readonly next: string | undefined },
): Promise<readonly Item[]> {
  const found: Item[] = [];
  const seen = new Set<string>();
  let token: string | undefined;
  for (;;) {
    const { items, next } = read(await ask(token));
    found.push(...(items ?? []));
    if (next === undefined || next === "") return found;
    if (seen.has(next)) throw new Error("AWS gives the same page again and again");
    seen.add(next);
    token = next;
  }
}
