import { GetResourcesCommand, ResourceGroupsTaggingAPIClient } from "@aws-sdk/client-resource-groups-tagging-api";
import type { Caller } from "./caller.ts";
import { pages, type ClientSettings } from "./settings.ts";

/** The calls of the tagging service that Slipway makes. */
export function tagging(settings: () => ClientSettings, call: Caller) {
  return {
    /** ARNs of what bears a tag, in the services that it knows; it learns of what is gone after a while. */
    resources: async (Key: string, value: string): Promise<readonly string[]> =>
      (
        await pages(
          (PaginationToken) =>
            call("tag:GetResources", "safe", () =>
              new ResourceGroupsTaggingAPIClient(settings()).send(
                new GetResourcesCommand({
                  TagFilters: [{ Key, Values: [value] }],
                  ...(PaginationToken === undefined ? {} : { PaginationToken }),
                }),
              ),
            ),
          ({ ResourceTagMappingList, PaginationToken }) => ({ items: ResourceTagMappingList, next: PaginationToken }),
        )
      ).flatMap(({ ResourceARN }) => ResourceARN ?? []),
  };
}
export type Tagging = ReturnType<typeof tagging>;
