import type { ResourceType } from "../../../../../src/targets/aws/graph/resource.ts";
import type { Handler } from "../handler.ts";
import { accessHandlers } from "./access.ts";
import { groupHandlers } from "./groups.ts";
import { machineHandlers } from "./machines.ts";
import { networkHandlers } from "./network.ts";

/** Every type that the graph can have: a new one without a handler does not compile. */
const handlers: Readonly<Record<ResourceType, Handler>> = {
  ...accessHandlers,
  ...groupHandlers,
  ...machineHandlers,
  ...networkHandlers,
};

export function handlerOf(type: string): Handler | undefined {
  return Object.entries(handlers).find(([name]) => name === type)?.[1];
}
