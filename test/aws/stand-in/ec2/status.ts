import { durations } from "../durations.ts";
import { type Parameters, said, texts } from "../parameters.ts";
import { seconds } from "../place.ts";
import type { Shape } from "../xml.ts";
import { type Instance, stateCodes } from "./instances.ts";

/** DescribeInstanceStatus: running instances unless all are asked for; checks pass some time after the launch. */
export function statusShapes(instances: Iterable<Instance>, parameters: Parameters, now: number): readonly Shape[] {
  const ids = texts(parameters, "InstanceId");
  const all = said(parameters, "IncludeAllInstances") === "true";
  return [...instances]
    .filter(({ id, state }) => (ids.length === 0 || ids.includes(id)) && (all || state === "running"))
    .map((instance) => {
      const checked = now - instance.launchedAt >= seconds(durations.statusChecks);
      const status = instance.state !== "running" ? "not-applicable" : checked ? "ok" : "initializing";
      return {
        instanceId: instance.id,
        availabilityZone: instance.zone,
        instanceState: { code: stateCodes[instance.state], name: instance.state },
        systemStatus: { status },
        instanceStatus: { status },
      };
    });
}
