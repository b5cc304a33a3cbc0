import { Refusal } from "../call.ts";
import { type Parameters, said, texts } from "../parameters.ts";
import type { Place } from "../place.ts";
import { seconds } from "../place.ts";
import type { Shape } from "../xml.ts";
import type { Drifted } from "./handler.ts";
import { handlerOf } from "./handlers/table.ts";
import type { Stack } from "./stack.ts";

export type Found = { readonly logical: string; readonly drift: readonly Drifted[] | "deleted" };

/** What of a stack is not as it was set, of the types whose handler can compare. */
export async function detect(place: Place, stack: Stack): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const resource of stack.resources.values()) {
    const compare = handlerOf(resource.type)?.drift;
    if (compare === undefined || resource.physical === "") continue;
    const drift = await compare(resource.physical, resource.properties, {
      place,
      stackName: stack.name,
      logical: resource.id,
      tags: [],
      ask: (service, action, parameters) => place.ask(service, action, parameters),
      name: () => "",
      wait: (count) => place.clock.inner.sleep(seconds(count)),
    });
    found.push({ logical: resource.id, drift });
  }
  return found;
}

export function isDrifted({ drift }: Found): boolean {
  return drift === "deleted" || drift.length > 0;
}

/** Drift, for the types whose handler can compare what was set with what is there. */
export function driftActions(
  place: Place,
  stackIn: (parameters: Parameters) => Stack,
): Readonly<Record<string, (parameters: Parameters) => Promise<{ readonly [key: string]: Shape }>>> {
  const detections = new Map<string, { readonly stack: Stack; readonly end: number; found: readonly Found[] }>();
  const last = new Map<string, readonly Found[]>();

  return {
    async DetectStackDrift(parameters) {
      const stack = stackIn(parameters);
      if ([...detections.values()].some((one) => one.stack === stack && place.clock.now() < one.end))
        throw new Refusal("ValidationError", `Drift detection is already in progress for stack [${stack.id}]`);
      const id = place.id("");
      detections.set(id, {
        stack,
        end: place.clock.now() + seconds(20) / place.clock.haste,
        found: await detect(place, stack),
      });
      return { StackDriftDetectionId: id };
    },
    async DescribeStackDriftDetectionStatus(parameters) {
      const id = said(parameters, "StackDriftDetectionId");
      const one = detections.get(id);
      if (one === undefined) throw new Refusal("ValidationError", `Drift detection operation ${id} does not exist`);
      const common = {
        StackId: one.stack.id,
        StackDriftDetectionId: id,
        Timestamp: new Date(place.clock.now()).toISOString(),
      };
      if (place.clock.now() < one.end) return { ...common, DetectionStatus: "DETECTION_IN_PROGRESS" };
      last.set(one.stack.id, one.found);
      const drifted = one.found.filter(isDrifted);
      return {
        ...common,
        DetectionStatus: "DETECTION_COMPLETE",
        StackDriftStatus: drifted.length > 0 ? "DRIFTED" : "IN_SYNC",
        DriftedStackResourceCount: drifted.length,
      };
    },
    async DescribeStackResourceDrifts(parameters) {
      const stack = stackIn(parameters);
      const filter = texts(parameters, "StackResourceDriftStatusFilters");
      const shown = (last.get(stack.id) ?? []).filter((one) => filter.length === 0 || filter.includes(statusOf(one)));
      return {
        StackResourceDrifts: shown.map((one) => {
          const resource = stack.resources.get(one.logical);
          return {
            StackId: stack.id,
            LogicalResourceId: one.logical,
            PhysicalResourceId: resource?.physical,
            ResourceType: resource?.type,
            StackResourceDriftStatus: statusOf(one),
            PropertyDifferences:
              one.drift === "deleted"
                ? []
                : one.drift.map(({ path, expected, actual }) => ({
                    PropertyPath: path,
                    ExpectedValue: expected,
                    ActualValue: actual,
                    DifferenceType: "NOT_EQUAL",
                  })),
            Timestamp: new Date(place.clock.now()).toISOString(),
          };
        }),
      };
    },
  };
}

function statusOf({ drift }: Found): string {
  return drift === "deleted" ? "DELETED" : drift.length > 0 ? "MODIFIED" : "IN_SYNC";
}
