import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import type { AwsCredentials } from "../../../host/aws/request.ts";
import type { Caller } from "./caller.ts";
import type { ClientSettings } from "./settings.ts";

/** Who asks, as AWS sees it. */
export type Identity = { readonly account: string; readonly arn: string };

/** The calls of STS that Slipway makes. */
export function sts(settings: () => ClientSettings, call: Caller) {
  return {
    async identity(): Promise<Identity> {
      const { Account = "", Arn = "" } = await call("sts:GetCallerIdentity", "safe", () =>
        new STSClient(settings()).send(new GetCallerIdentityCommand({})),
      );
      return { account: Account, arn: Arn };
    },
  };
}
export type Sts = ReturnType<typeof sts>;

/** Credentials with when they end, where that is known. */
export type Chained = AwsCredentials & { readonly expiration?: Date };

/** What the SDK finds by itself: environment, profile, single sign-on, the machine's role; and the region beside it. */
export function chain(): {
  readonly region: () => Promise<string>;
  readonly credentials: (anew: boolean) => Promise<Chained>;
} {
  let client = new STSClient({});
  return {
    region: async () => client.config.region(),
    async credentials(anew) {
      if (anew) client = new STSClient({});
      return client.config.credentials();
    },
  };
}
