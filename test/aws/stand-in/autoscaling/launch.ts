import { Refusal } from "../call.ts";
import { durations } from "../durations.ts";
import type { Ec2 } from "../ec2/ec2.ts";
import type { Parameters } from "../parameters.ts";
import { type Place, seconds } from "../place.ts";
import { type Element, listAt, textAt } from "../xml.ts";
import { type Activity, type Group, type Member, standing } from "./group.ts";

/** What a group does to have one instance more. */
export type Launcher = {
  /** Tries it once, in one zone; afterwards there is a member more, or the group rests before it tries again. */
  launch(group: Group): Promise<void>;
  /** The activity that launches an instance, until it is in service. */
  readonly activities: Map<string, Activity>;
};

/**
 * How groups come by instances: in the zone with the fewest, in another where that fails (User guide, "Auto Scaling group
 * Availability Zone distribution"), each type of a mixture in its order (API reference, InstancesDistribution).
 */
export function launcherOf(
  place: Place,
  ec2: Ec2,
  {
    begin,
    end,
    look,
  }: {
    readonly begin: (group: Group, description: string, cause: string, where: Activity["place"]) => Activity;
    readonly end: (activity: Activity, status: Activity["status"], message?: string) => void;
    readonly look: (group: Group) => void;
  },
): Launcher {
  const { clock } = place;
  const activities = new Map<string, Activity>();
  /** AWS's own waiting: hasted where the test hastes. */
  const after = (count: number, then: () => void): void => void clock.inner.sleep(seconds(count)).then(then);

  /** The subnet of the next attempt: those with the fewest first, and none in which one has just failed. */
  const subnetFor = (group: Group): string => {
    const counts = new Map([...group.subnets.keys()].map((subnet) => [subnet, 0]));
    for (const { id } of standing(group)) {
      const subnet = ec2.instances.all.get(id)?.subnet ?? "";
      counts.set(subnet, (counts.get(subnet) ?? 0) + 1);
    }
    const ordered = [...group.subnets.keys()].toSorted((a, b) => (counts.get(a) ?? 0) - (counts.get(b) ?? 0));
    return (
      (group.distribution === "balanced-only" ? undefined : ordered.find((subnet) => !group.shunned.has(subnet))) ??
      ordered[0] ??
      ""
    );
  };

  const shun = (group: Group, subnet: string): void => {
    group.shunned.add(subnet);
    const elsewhere =
      group.distribution !== "balanced-only" && [...group.subnets.keys()].some((one) => !group.shunned.has(one));
    group.resting = true;
    after(elsewhere ? durations.launchElsewhere : durations.launchRetry, () => {
      group.resting = false;
      look(group);
    });
    after(durations.launchRetry, () => group.shunned.delete(subnet));
  };

  const run = (group: Group, subnet: string, spot: boolean, type: string | undefined): Promise<Element> => {
    const from = { LaunchTemplateId: group.template.id, Version: group.template.version };
    const data = ec2.templateData(from);
    const hasInterface = data["NetworkInterface"] !== undefined;
    const tags = [
      ...[...group.tags.values()]
        .filter(({ propagate }) => propagate)
        .map(({ key, value }) => ({ Key: key, Value: value })),
      { Key: "aws:autoscaling:groupName", Value: group.name },
      { Key: "aws:ec2launchtemplate:id", Value: group.template.id },
      { Key: "aws:ec2launchtemplate:version", Value: group.template.version },
    ];
    return place.ask("ec2", "RunInstances", {
      LaunchTemplate: from,
      MinCount: 1,
      MaxCount: 1,
      ...(type === undefined ? {} : { InstanceType: type }),
      ...(spot ? { InstanceMarketOptions: { MarketType: "spot" } } : {}),
      ...(hasInterface ? { NetworkInterface: interfacesIn(data["NetworkInterface"], subnet) } : { SubnetId: subnet }),
      TagSpecification: [{ ResourceType: "instance", Tag: tags }],
    });
  };

  /** Type after type, in the order in which they are named; what is said in the end is of the last one (assumed). */
  const attempt = async (group: Group, subnet: string, spot: boolean): Promise<Element | Refusal> => {
    let refusal = new Refusal("ValidationError", "The group has no instance type.");
    for (const type of group.mixture?.types ?? [undefined])
      try {
        return await run(group, subnet, spot, type);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        refusal = error;
      }
    return refusal;
  };

  return {
    activities,
    async launch(group) {
      const subnet = subnetFor(group);
      const spot = isSpot(group);
      const activity = begin(
        group,
        "Launching a new EC2 instance",
        `At ${new Date(clock.now()).toISOString()} an instance was started in response to a difference between desired and actual capacity, increasing the capacity from ${standing(group).length} to ${standing(group).length + 1}.`,
        { subnet, zone: group.subnets.get(subnet) ?? "" },
      );
      const answer = await attempt(group, subnet, spot);
      if (answer instanceof Refusal) {
        const why =
          group.mixture === undefined
            ? answer.message
            : `Could not launch ${spot ? "Spot" : "On-Demand"} Instances. ${answer.code} - ${answer.message}`;
        end(activity, "Failed", `${why} Launching EC2 instance failed.`);
        return shun(group, subnet);
      }
      const item = listAt(answer, "instancesSet")[0];
      const id = textAt(item, "instanceId");
      const member: Member = {
        id,
        type: textAt(item, "instanceType"),
        zone: textAt(item, "placement", "availabilityZone"),
        template: group.template,
        spot,
        lifecycle: "Pending",
        health: "Healthy",
        protected: group.protectNew,
        proceed: undefined,
        heartbeat: 0,
      };
      group.members.set(id, member);
      activities.set(id, activity);
    },
  };
}

/** How the next one is paid: on demand up to the base, then by percent. */
function isSpot(group: Group): boolean {
  const { mixture } = group;
  if (mixture === undefined) return false;
  const there = standing(group);
  const onDemand = there.filter(({ spot }) => !spot).length;
  const above = there.length + 1 - mixture.onDemandBase;
  return onDemand >= mixture.onDemandBase + Math.ceil((Math.max(0, above) * mixture.onDemandPercent) / 100);
}

/** A template's interfaces with the subnet that the group says. */
function interfacesIn(given: string | Parameters | undefined, subnet: string): Parameters {
  if (typeof given !== "object") return {};
  return Object.fromEntries(
    Object.entries(given).map(([key, one]) => [
      key,
      typeof one === "object" && key === "1" ? { ...one, SubnetId: subnet } : one,
    ]),
  );
}
