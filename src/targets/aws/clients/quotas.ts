import { GetServiceQuotaCommand, ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import { unlessGone, type Caller } from "./caller.ts";
import type { ClientSettings } from "./settings.ts";

/** The calls of Service Quotas that Slipway makes. */
export function quotas(settings: () => ClientSettings, call: Caller) {
  return {
    /** Undefined where AWS knows no such quota. */
    async quota(ServiceCode: string, QuotaCode: string): Promise<number | undefined> {
      const answer = await unlessGone(
        call("servicequotas:GetServiceQuota", "safe", () =>
          new ServiceQuotasClient(settings()).send(new GetServiceQuotaCommand({ ServiceCode, QuotaCode })),
        ),
      );
      return answer?.Quota?.Value;
    },
  };
}
export type Quotas = ReturnType<typeof quotas>;
