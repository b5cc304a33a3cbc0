import { GetProductsCommand, PricingClient } from "@aws-sdk/client-pricing";
import type { Caller } from "./caller.ts";
import type { ClientSettings } from "./settings.ts";

/** AWS answers questions of prices in few regions (AWS, "Price List Query API endpoints"). */
const answersIn = "us-east-1";

/** The calls of the price list that Slipway makes. */
export function pricing(settings: () => ClientSettings, call: Caller) {
  return {
    /** Dollars an hour of a Linux machine of a type in a region, on demand; undefined where there is no one such price. */
    async hour(type: string, region: string): Promise<number | undefined> {
      const filter = (Field: string, Value: string) => ({ Type: "TERM_MATCH" as const, Field, Value });
      const { PriceList = [] } = await call("pricing:GetProducts", "safe", () =>
        new PricingClient({ ...settings(), region: answersIn }).send(
          new GetProductsCommand({
            ServiceCode: "AmazonEC2",
            Filters: [
              filter("instanceType", type),
              filter("regionCode", region),
              filter("operatingSystem", "Linux"),
              filter("tenancy", "Shared"),
              filter("preInstalledSw", "NA"),
              filter("capacitystatus", "Used"),
            ],
          }),
        ),
      );
      const entries: readonly unknown[] = PriceList;
      const [only, ...others] = entries.flatMap((entry) => dollars(String(entry)) ?? []);
      return others.some((price) => price !== only) ? undefined : only;
    },
  };
}
export type Pricing = ReturnType<typeof pricing>;

/** The first price on demand in an entry of the list. */
function dollars(entry: string): number | undefined {
  const price = /"OnDemand".*?"pricePerUnit"\s*:\s*\{\s*"USD"\s*:\s*"([0-9.]+)"/s.exec(entry)?.[1];
  return price === undefined ? undefined : Number(price);
}
