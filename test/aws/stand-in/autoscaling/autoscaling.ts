import { type Answer, type Call, Refusal } from "../call.ts";
import { page } from "../ec2/overlay.ts";
import type { Ec2 } from "../ec2/ec2.ts";
import { type Parameters, parts, said, texts } from "../parameters.ts";
import type { Place } from "../place.ts";
import { queryAnswer } from "../query.ts";
import { type Shape, textAt, listAt } from "../xml.ts";
import { engineOf, type Engine } from "./engine.ts";
import { type Group, type GroupTag, type Hook, type Member, processes, type Template } from "./group.ts";
import { activityShape, groupShape, memberShape, tagShape } from "./shapes.ts";

export type AutoScaling = { serve(call: Call): Promise<Answer>; readonly engine: Engine };

/** Auto Scaling: its own engine, because moto's instances are never replaced. */
export function autoScalingOf(place: Place, ec2: Ec2): AutoScaling {
  const engine = engineOf(place, ec2);
  const { clock, settings } = place;

  const groupIn = (parameters: Parameters, name = "AutoScalingGroupName"): Group => {
    const group = engine.groups.get(said(parameters, name));
    if (group === undefined) throw new Refusal("ValidationError", "AutoScalingGroup name not found - null");
    return group;
  };
  const memberIn = (parameters: Parameters): { readonly group: Group; readonly member: Member } => {
    const id = said(parameters, "InstanceId");
    const found = engine.groupOf(id);
    if (found === undefined)
      throw new Refusal("ValidationError", `Instance Id not found - No managed instance found for instance ID: ${id}`);
    return found;
  };
  const templateIn = async (given: string | Parameters | undefined): Promise<Template | undefined> => {
    if (typeof given !== "object") return undefined;
    const by = said(given, "LaunchTemplateId");
    const answer = await place.ask(
      "ec2",
      "DescribeLaunchTemplates",
      by === "" ? { LaunchTemplateName: [said(given, "LaunchTemplateName")] } : { LaunchTemplateId: [by] },
    );
    const [one] = listAt(answer, "launchTemplates");
    return {
      id: textAt(one, "launchTemplateId"),
      name: textAt(one, "launchTemplateName"),
      version: said(given, "Version") || "$Default",
    };
  };
  const tagsIn = (parameters: Parameters): readonly GroupTag[] =>
    parts(parameters, "Tags").map((tag) => ({
      key: said(tag, "Key"),
      value: said(tag, "Value"),
      propagate: said(tag, "PropagateAtLaunch") === "true",
    }));
  const hookIn = (one: Parameters): Hook => ({
    name: said(one, "LifecycleHookName"),
    transition:
      said(one, "LifecycleTransition") === "autoscaling:EC2_INSTANCE_LAUNCHING"
        ? "autoscaling:EC2_INSTANCE_LAUNCHING"
        : "autoscaling:EC2_INSTANCE_TERMINATING",
    timeout: Number(said(one, "HeartbeatTimeout") || "3600"),
    result: said(one, "DefaultResult") === "CONTINUE" ? "CONTINUE" : "ABANDON",
  });
  const number = (parameters: Parameters, name: string): number | undefined => {
    const text = said(parameters, name);
    return text === "" ? undefined : Number(text);
  };

  const configure = async (group: Group, parameters: Parameters): Promise<void> => {
    const mixed = parameters["MixedInstancesPolicy"];
    const inMixture = typeof mixed === "object" ? mixed["LaunchTemplate"] : undefined;
    const template =
      (await templateIn(parameters["LaunchTemplate"])) ??
      (typeof inMixture === "object" ? await templateIn(inMixture["LaunchTemplateSpecification"]) : undefined);
    if (template !== undefined) group.template = template;
    if (typeof mixed === "object" && typeof inMixture === "object") {
      const division = mixed["InstancesDistribution"];
      const way = typeof division === "object" ? division : {};
      group.mixture = {
        types: parts(inMixture, "Overrides").map((one) => said(one, "InstanceType")),
        onDemandBase: Number(said(way, "OnDemandBaseCapacity") || "0"),
        onDemandPercent: Number(said(way, "OnDemandPercentageAboveBaseCapacity") || "100"),
        said: mixed,
      };
    } else if (parameters["LaunchTemplate"] !== undefined) group.mixture = undefined;
    const min = number(parameters, "MinSize") ?? group.min;
    const max = number(parameters, "MaxSize") ?? group.max;
    if (min > max)
      throw new Refusal(
        "ValidationError",
        "Max bound, " + String(max) + ", must be greater than or equal to min bound, " + String(min),
      );
    const desired = number(parameters, "DesiredCapacity") ?? Math.min(max, Math.max(min, group.desired));
    refuseDesired(desired, min, max);
    group.min = min;
    group.max = max;
    group.desired = desired;
    const subnets = said(parameters, "VPCZoneIdentifier");
    if (subnets !== "") {
      const named = subnets.split(",").map((one) => one.trim());
      const found = listAt(await place.ask("ec2", "DescribeSubnets", { SubnetId: named }), "subnetSet");
      const zones = new Map(found.map((one) => [textAt(one, "subnetId"), textAt(one, "availabilityZone")]));
      group.subnets = new Map(named.map((subnet) => [subnet, zones.get(subnet) ?? ""]));
    }
    const distribution = parameters["AvailabilityZoneDistribution"];
    if (typeof distribution === "object")
      group.distribution =
        said(distribution, "CapacityDistributionStrategy") === "balanced-only"
          ? "balanced-only"
          : "balanced-best-effort";
    group.grace = number(parameters, "HealthCheckGracePeriod") ?? group.grace;
    if (said(parameters, "CapacityRebalance") !== "")
      group.capacityRebalance = said(parameters, "CapacityRebalance") === "true";
    if (said(parameters, "NewInstancesProtectedFromScaleIn") !== "")
      group.protectNew = said(parameters, "NewInstancesProtectedFromScaleIn") === "true";
    const policy = parameters["InstanceMaintenancePolicy"];
    if (typeof policy === "object")
      group.maintenance = {
        least: Number(said(policy, "MinHealthyPercentage")),
        most: Number(said(policy, "MaxHealthyPercentage")),
      };
  };

  const actions: Readonly<Record<string, (call: Call) => Promise<{ readonly [key: string]: Shape } | undefined>>> = {
    async CreateAutoScalingGroup({ parameters }) {
      const name = said(parameters, "AutoScalingGroupName");
      if (engine.groups.has(name))
        throw new Refusal(
          "AlreadyExists",
          `AutoScalingGroup by this name already exists - A group with the name ${name} already exists`,
        );
      const group: Group = {
        name,
        arn: `arn:aws:autoscaling:${place.region}:${place.account}:autoScalingGroup:${place.id("")}:autoScalingGroupName/${name}`,
        createdAt: clock.now(),
        min: 0,
        max: 0,
        desired: 0,
        template: { id: "", name: "", version: "$Default" },
        mixture: undefined,
        subnets: new Map(),
        distribution: "balanced-best-effort",
        grace: 0,
        maintenance: undefined,
        capacityRebalance: false,
        protectNew: false,
        hooks: new Map(
          parts(parameters, "LifecycleHookSpecificationList").map((one) => [
            said(one, "LifecycleHookName"),
            hookIn(one),
          ]),
        ),
        suspended: new Set(),
        tags: new Map(tagsIn(parameters).map((tag) => [tag.key, tag])),
        members: new Map(),
        activities: [],
        shunned: new Set(),
        resting: false,
        deleting: false,
      };
      await configure(group, parameters);
      engine.add(group);
      return undefined;
    },
    async UpdateAutoScalingGroup({ parameters }) {
      const group = groupIn(parameters);
      await configure(group, parameters);
      engine.look(group);
      return undefined;
    },
    async SetDesiredCapacity({ parameters }) {
      const group = groupIn(parameters);
      const desired = Number(said(parameters, "DesiredCapacity"));
      refuseDesired(desired, group.min, group.max);
      group.desired = desired;
      engine.look(group);
      return undefined;
    },
    async DeleteAutoScalingGroup({ parameters }) {
      const group = groupIn(parameters);
      const force = said(parameters, "ForceDelete") === "true";
      if (!force && group.members.size > 0)
        throw new Refusal(
          "ResourceInUse",
          "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group.",
        );
      if (!force && [...group.members.values()].some((member) => member.protected))
        throw new Refusal("ResourceInUse", "The group has instances that are protected from scale in.");
      group.deleting = true;
      group.desired = 0;
      for (const member of group.members.values()) engine.terminate(group, member, "the group is deleted");
      engine.remove(group.name);
      return undefined;
    },
    async DescribeAutoScalingGroups({ parameters }) {
      const names = texts(parameters, "AutoScalingGroupNames");
      const filters = parts(parameters, "Filters").map((one) => ({
        name: said(one, "Name"),
        values: texts(one, "Values"),
      }));
      const found = [...engine.groups.values()]
        .filter(({ name }) => names.length === 0 || names.includes(name))
        .filter(({ tags }) =>
          filters.every(({ name, values }) => {
            if (name.startsWith("tag:")) return values.includes(tags.get(name.slice(4))?.value ?? "\0");
            if (name === "tag-key") return values.some((key) => tags.has(key));
            if (name === "tag-value") return [...tags.values()].some(({ value }) => values.includes(value));
            throw new Refusal("ValidationError", `Invalid filter type specified: ${name}`);
          }),
        )
        .toSorted((a, b) => (a.name < b.name ? -1 : 1));
      const { items, next } = page(found, parameters, { most: "MaxRecords", token: "NextToken" }, settings.pageSize);
      return { AutoScalingGroups: items.map(groupShape), NextToken: next };
    },
    async DescribeAutoScalingInstances({ parameters }) {
      const ids = texts(parameters, "InstanceIds");
      const found = [...engine.groups.values()].flatMap((group) =>
        [...group.members.values()]
          .filter(({ id }) => ids.length === 0 || ids.includes(id))
          .map((member) => ({
            ...memberShape(member),
            AutoScalingGroupName: group.name,
            HealthStatus: member.health.toUpperCase(),
          })),
      );
      const { items, next } = page(found, parameters, { most: "MaxRecords", token: "NextToken" }, settings.pageSize);
      return { AutoScalingInstances: items, NextToken: next };
    },
    async DescribeScalingActivities({ parameters }) {
      const name = said(parameters, "AutoScalingGroupName");
      const found = [...engine.groups.values()]
        .filter((group) => name === "" || group.name === name)
        .flatMap((group) => group.activities.map((activity) => activityShape(group, activity)));
      const { items, next } = page(found, parameters, { most: "MaxRecords", token: "NextToken" }, settings.pageSize);
      return { Activities: items, NextToken: next };
    },
    async SuspendProcesses({ parameters }) {
      const group = groupIn(parameters);
      for (const process of processesIn(parameters)) group.suspended.add(process);
      return undefined;
    },
    async ResumeProcesses({ parameters }) {
      const group = groupIn(parameters);
      for (const process of processesIn(parameters)) group.suspended.delete(process);
      engine.look(group);
      return undefined;
    },
    async SetInstanceHealth({ parameters }) {
      const { group, member } = memberIn(parameters);
      member.health = said(parameters, "HealthStatus") === "Healthy" ? "Healthy" : "Unhealthy";
      engine.look(group);
      return undefined;
    },
    async SetInstanceProtection({ parameters }) {
      const group = groupIn(parameters);
      for (const id of texts(parameters, "InstanceIds")) {
        const member = group.members.get(id);
        if (member !== undefined) member.protected = said(parameters, "ProtectedFromScaleIn") === "true";
      }
      return undefined;
    },
    async TerminateInstanceInAutoScalingGroup({ parameters }) {
      const { group, member } = memberIn(parameters);
      if (said(parameters, "ShouldDecrementDesiredCapacity") === "true") {
        if (group.desired - 1 < group.min)
          throw new Refusal(
            "ValidationError",
            `Currently, desiredSize equals minSize (${group.min}). Terminating instance without replacement will violate group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's min size.`,
          );
        group.desired--;
      }
      engine.terminate(
        group,
        member,
        `At ${new Date(clock.now()).toISOString()} instance ${member.id} was taken out of service in response to a user request.`,
      );
      const [activity] = group.activities;
      return {
        Activity: {
          ActivityId: activity?.id,
          AutoScalingGroupName: group.name,
          Description: activity?.description,
          Cause: activity?.cause,
          StartTime: new Date(clock.now()).toISOString(),
          StatusCode: "InProgress",
          Progress: 0,
        },
      };
    },
    async PutLifecycleHook({ parameters }) {
      const hook = hookIn(parameters);
      groupIn(parameters).hooks.set(hook.name, hook);
      return {};
    },
    async DeleteLifecycleHook({ parameters }) {
      groupIn(parameters).hooks.delete(said(parameters, "LifecycleHookName"));
      return {};
    },
    async DescribeLifecycleHooks({ parameters }) {
      const group = groupIn(parameters);
      return {
        LifecycleHooks: [...group.hooks.values()].map((hook) => ({
          LifecycleHookName: hook.name,
          AutoScalingGroupName: group.name,
          LifecycleTransition: hook.transition,
          HeartbeatTimeout: hook.timeout,
          GlobalTimeout: Math.min(172_800, hook.timeout * 100),
          DefaultResult: hook.result,
        })),
      };
    },
    async CompleteLifecycleAction({ parameters }) {
      const member = groupIn(parameters).members.get(said(parameters, "InstanceId"));
      if (member?.proceed === undefined)
        throw new Refusal(
          "ValidationError",
          `No active Lifecycle Action found with instance ID ${said(parameters, "InstanceId")}`,
        );
      member.proceed(said(parameters, "LifecycleActionResult") === "ABANDON" ? "ABANDON" : "CONTINUE");
      return {};
    },
    async RecordLifecycleActionHeartbeat({ parameters }) {
      const group = groupIn(parameters);
      const member = group.members.get(said(parameters, "InstanceId"));
      if (member?.proceed === undefined)
        throw new Refusal(
          "ValidationError",
          `No active Lifecycle Action found with instance ID ${said(parameters, "InstanceId")}`,
        );
      member.heartbeat = clock.now() + 1_000 * (group.hooks.get(said(parameters, "LifecycleHookName"))?.timeout ?? 0);
      return {};
    },
    async CreateOrUpdateTags({ parameters }) {
      for (const one of parts(parameters, "Tags")) {
        const [tag] = tagsIn({ Tags: { member: { 1: one } } });
        if (tag !== undefined) groupIn(one, "ResourceId").tags.set(tag.key, tag);
      }
      return undefined;
    },
    async DeleteTags({ parameters }) {
      for (const one of parts(parameters, "Tags")) groupIn(one, "ResourceId").tags.delete(said(one, "Key"));
      return undefined;
    },
    async DescribeTags({ parameters }) {
      const found = [...engine.groups.values()].flatMap((group) =>
        [...group.tags.values()].map((tag) => tagShape(group, tag)),
      );
      const { items, next } = page(found, parameters, { most: "MaxRecords", token: "NextToken" }, settings.pageSize);
      return { Tags: items, NextToken: next };
    },
  };

  return {
    engine,
    async serve(call) {
      const act = actions[call.action];
      if (act === undefined)
        throw new Refusal("InvalidAction", `the stand-in does not know autoscaling ${call.action}`);
      return queryAnswer(call.action, await act(call));
    },
  };
}

function processesIn(parameters: Parameters): readonly string[] {
  const named = texts(parameters, "ScalingProcesses");
  const unknown = named.find((one) => !processes.some((known) => known === one));
  if (unknown !== undefined) throw new Refusal("ValidationError", `Process type ${unknown} is not valid`);
  return named.length === 0 ? processes : named;
}

function refuseDesired(desired: number, min: number, max: number): void {
  if (desired > max)
    throw new Refusal(
      "ValidationError",
      `New SetDesiredCapacity value ${desired} is above max value ${max} for the AutoScalingGroup.`,
    );
  if (desired < min)
    throw new Refusal(
      "ValidationError",
      `New SetDesiredCapacity value ${desired} is below min value ${min} for the AutoScalingGroup.`,
    );
}
