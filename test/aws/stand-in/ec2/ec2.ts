import { type Answer, type Call, Refusal, xml } from "../call.ts";
import { durations } from "../durations.ts";
import { readAnswer } from "../moto.ts";
import { type Parameters, said, texts } from "../parameters.ts";
import { type Place, seconds } from "../place.ts";
import { type Element, listAt, printXml, type Shape, shapeXml, textAt } from "../xml.ts";
import { refuseWhileNeeded } from "./dependencies.ts";
import { describeImages, type Image, usualImages } from "./images.ts";
import { type Instance, type InstanceState, instancesOf, type Instances, stateCodes } from "./instances.ts";
import { refuseLaunch, subnetIn, tagsFor, withInterface, withTemplate } from "./launch.ts";
import {
  forwarded,
  paged,
  patchInstance,
  patchReservations,
  patchStates,
  patchVolumes,
  stateFilters,
  type Transit,
  youngIds,
} from "./overlay.ts";
import { statusShapes } from "./status.ts";
import { withoutGone } from "./tags.ts";
import { tokenLedger } from "./tokens.ts";

export type Ec2 = {
  serve(call: Call): Promise<Answer>;
  readonly instances: Instances;
  /** What DescribeImages finds; a test may change it. */
  readonly images: Image[];
  /** Data of a launch template's version. */
  templateData(launchTemplate: Parameters): Parameters;
};

/** EC2: moto's, with the rules and the time that it lacks. */
export function ec2Of(place: Place, profileAge: (profile: string) => number | undefined): Ec2 {
  const { backend, clock, settings } = place;
  const instances = instancesOf(place);
  const images: Image[] = [...usualImages];
  const tokens = tokenLedger();
  const young = youngIds(place);
  const transits = new Map<string, Transit>();
  const templates = new Map<string, { readonly name: string; versions: Parameters[]; usual: number }>();
  const zones = new Map<string, string>();

  const moto = async (action: string, form: string): Promise<Element> =>
    readAnswer(
      await backend.forward({
        service: "ec2",
        method: "POST",
        path: "/",
        headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
        body: form,
      }),
      "ec2",
      action,
    );
  const pass = (call: Call, parameters = call.parameters): Promise<Element> => moto(call.action, forwarded(parameters));

  const isForgotten = ({ endedAt }: Instance): boolean => endedAt + seconds(durations.instanceRemembered) < clock.now();

  const zoneOf = async (subnet: string): Promise<string> => {
    if (subnet === "") return `${place.region}a`;
    const known = zones.get(subnet);
    if (known !== undefined) return known;
    const [found] = listAt(await backend.ask("ec2", "DescribeSubnets", { SubnetId: [subnet] }), "subnetSet");
    const zone = textAt(found, "availabilityZone");
    zones.set(subnet, zone);
    return zone;
  };

  const run = async (call: Call): Promise<Element> => {
    const parameters = withInterface(withTemplate(templates, call.parameters));
    const zone = await zoneOf(subnetIn(parameters));
    refuseLaunch(place, parameters, { images, zone, instances: instances.all.values(), profileAge });
    const answer = await moto("RunInstances", forwarded(parameters));
    const userData = Buffer.from(said(parameters, "UserData"), "base64").toString();
    for (const item of listAt(answer, "instancesSet")) {
      const instance = instances.add(item, userData, tagsFor(parameters, "instance"));
      patchInstance(item, instance);
      // Tags of what comes along, which moto leaves out.
      const along = [
        {
          tags: tagsFor(parameters, "network-interface"),
          ids: listAt(item, "networkInterfaceSet").map((one) => textAt(one, "networkInterfaceId")),
        },
        {
          tags: tagsFor(parameters, "volume"),
          ids: listAt(item, "blockDeviceMapping").map((one) => textAt(one, "ebs", "volumeId")),
        },
      ];
      for (const { tags, ids } of along)
        if (Object.keys(tags).length > 0 && ids.some((id) => id !== ""))
          await backend.ask("ec2", "CreateTags", {
            ResourceId: ids.filter((id) => id !== ""),
            Tag: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
          });
    }
    return answer;
  };

  const changeStates = (call: Call, act: (id: string) => void, allowed: readonly InstanceState[]): Answer => {
    const ids = texts(call.parameters, "InstanceId");
    const changed = ids.map((id) => {
      const instance = instances.all.get(id);
      if (instance === undefined || isForgotten(instance))
        throw new Refusal("InvalidInstanceID.NotFound", `The instance ID '${id}' does not exist`);
      if (!allowed.includes(instance.state))
        throw new Refusal(
          "IncorrectInstanceState",
          `The instance '${id}' is not in a state from which it can be ${call.action === "StartInstances" ? "started" : "stopped"}.`,
        );
      return { instance, before: instance.state };
    });
    for (const id of ids) act(id);
    return answered(call.action, {
      instancesSet: changed.map(({ instance, before }) => ({
        instanceId: instance.id,
        currentState: { code: stateCodes[instance.state], name: instance.state },
        previousState: { code: stateCodes[before], name: before },
      })),
    });
  };

  /** Which are its own, and not moto's. */
  const own = async (call: Call): Promise<Answer | Element | undefined> => {
    const { action, parameters } = call;
    switch (action) {
      case "RunInstances": {
        const earlier = tokens.earlier(call);
        if (earlier !== undefined) {
          for (const item of listAt(earlier, "instancesSet")) {
            const instance = instances.all.get(textAt(item, "instanceId"));
            if (instance === undefined) continue;
            if (instance.state === "terminated" || instance.state === "shutting-down")
              throw new Refusal(
                "IdempotentInstanceTerminated",
                "The request to launch an instance uses the same client token as a previous request for which the instance has been terminated.",
              );
            patchInstance(item, instance);
          }
          return earlier;
        }
        const answer = await run(call);
        tokens.keep(call, answer);
        return answer;
      }
      case "StopInstances":
        return changeStates(call, instances.stop, ["pending", "running", "stopping", "stopped"]);
      case "StartInstances":
        return changeStates(call, instances.start, ["stopped", "pending", "running"]);
      case "TerminateInstances":
        return changeStates(call, instances.terminate, Object.keys(stateCodes) as InstanceState[]);
      case "RebootInstances":
        for (const id of texts(parameters, "InstanceId")) instances.reboot(id);
        return answered(action, { return: true });
      case "DescribeInstanceStatus": {
        const known = [...instances.all.values()].filter((instance) => !isForgotten(instance));
        return answered(action, { instanceStatusSet: statusShapes(known, parameters, clock.now()) });
      }
      case "GetConsoleOutput": {
        const id = said(parameters, "InstanceId");
        const instance = instances.all.get(id);
        if (instance === undefined)
          throw new Refusal("InvalidInstanceID.NotFound", `The instance ID '${id}' does not exist`);
        return answered(action, {
          instanceId: id,
          timestamp: new Date(clock.now()).toISOString(),
          output: Buffer.from(instance.console).toString("base64"),
        });
      }
      case "DescribeInstances": {
        const { states, rest } = stateFilters(parameters);
        const answer = await pass(call, rest);
        patchReservations(answer, instances.all, states, isForgotten);
        return answer;
      }
      case "DescribeTags": {
        const answer = await pass(call);
        await withoutGone(backend, answer, (id) => {
          const instance = instances.all.get(id);
          return instance !== undefined && !isForgotten(instance);
        });
        return answer;
      }
      case "DescribeImages":
        return answered(action, { imagesSet: describeImages(images, parameters) });
      case "DescribeVolumes": {
        const answer = await pass(call);
        patchVolumes(answer, transits, clock.now());
        return answer;
      }
      case "DescribeNatGateways": {
        const answer = await pass(call);
        patchStates(answer, "natGatewaySet", "natGatewayId", transits, clock.now());
        return answer;
      }
      case "CreateNatGateway": {
        const answer = await pass(call);
        const until = clock.now() + seconds(durations.natPending);
        transits.set(textAt(answer, "natGateway", "natGatewayId"), { state: "pending", until });
        return answer;
      }
      case "DeleteNatGateway": {
        const id = said(parameters, "NatGatewayId");
        const found = await backend.ask("ec2", "DescribeNatGateways", { NatGatewayId: [id] });
        const [gateway] = listAt(found, "natGatewaySet");
        const [address] = listAt(gateway, "natGatewayAddressSet");
        const answer = await pass(call);
        transits.set(id, { state: "deleting", until: clock.now() + seconds(durations.natDeleting) });
        // moto leaves its interface behind for ever; AWS for as long as the gateway takes to go.
        void clock.inner.sleep(seconds(durations.natDeleting)).then(async () => {
          const NetworkInterfaceId = textAt(address, "networkInterfaceId");
          await backend.ask("ec2", "DeleteNetworkInterface", { NetworkInterfaceId });
        });
        return answer;
      }
      case "AttachVolume": {
        const instance = instances.all.get(said(parameters, "InstanceId"));
        const id = said(parameters, "VolumeId");
        const [volume] = listAt(await backend.ask("ec2", "DescribeVolumes", { VolumeId: [id] }), "volumeSet");
        if (listAt(volume, "attachmentSet").length > 0)
          throw new Refusal("VolumeInUse", `${id} is already attached to an instance`);
        if (instance !== undefined && instance.state !== "running" && instance.state !== "stopped")
          throw new Refusal("IncorrectState", `Instance '${instance.id}' is not 'running'.`);
        if (instance !== undefined && textAt(volume, "availabilityZone") !== instance.zone)
          throw new Refusal(
            "InvalidVolume.ZoneMismatch",
            `The volume '${id}' is not in the same availability zone as instance '${instance.id}'`,
          );
        const answer = await pass(call);
        instance?.extras.volumes.set(said(parameters, "Device"), id);
        transits.set(id, { state: "attaching", until: clock.now() + seconds(durations.volumeAttaching) });
        return answer;
      }
      case "DetachVolume": {
        const id = said(parameters, "VolumeId");
        const [volume] = listAt(await backend.ask("ec2", "DescribeVolumes", { VolumeId: [id] }), "volumeSet");
        const [holder] = listAt(volume, "attachmentSet");
        if (holder === undefined) throw new Refusal("IncorrectState", `Volume '${id}' is in the 'available' state.`);
        transits.set(id, { state: "detaching", until: clock.now() + seconds(durations.volumeDetaching) });
        const [InstanceId, Device] = [textAt(holder, "instanceId"), textAt(holder, "device")];
        void clock.inner.sleep(seconds(durations.volumeDetaching)).then(async () => {
          const instance = instances.all.get(InstanceId);
          // With its instance gone it is off already.
          if (instance?.state === "terminated") return;
          instance?.extras.volumes.delete(Device);
          await backend.ask("ec2", "DetachVolume", { VolumeId: id, InstanceId, Device });
        });
        return answered(action, {
          volumeId: id,
          instanceId: InstanceId,
          device: Device,
          status: "detaching",
        });
      }
      case "AttachNetworkInterface": {
        const answer = await pass(call);
        const instance = instances.all.get(said(parameters, "InstanceId"));
        instance?.extras.interfaces.set(said(parameters, "NetworkInterfaceId"), textAt(answer, "attachmentId"));
        return answer;
      }
      case "DetachNetworkInterface": {
        const attachment = said(parameters, "AttachmentId");
        for (const { extras } of instances.all.values())
          for (const [id, one] of extras.interfaces) if (one === attachment) extras.interfaces.delete(id);
        return pass(call);
      }
      case "CreateLaunchTemplate": {
        const answer = await pass(call);
        const data = parameters["LaunchTemplateData"];
        templates.set(textAt(answer, "launchTemplate", "launchTemplateId"), {
          name: said(parameters, "LaunchTemplateName"),
          versions: [typeof data === "object" ? data : {}],
          usual: 1,
        });
        return answer;
      }
      case "CreateLaunchTemplateVersion": {
        const answer = await pass(call);
        const one = templates.get(said(parameters, "LaunchTemplateId"));
        const data = parameters["LaunchTemplateData"];
        one?.versions.push(typeof data === "object" ? data : {});
        return answer;
      }
      case "AllocateAddress": {
        const there = listAt(await backend.ask("ec2", "DescribeAddresses"), "addressesSet").length;
        if (there >= settings.quotas.addresses)
          throw new Refusal("AddressLimitExceeded", "The maximum number of addresses has been reached.");
        return pass(call);
      }
      case "CreateVpc": {
        refuseCidr(said(parameters, "CidrBlock"), 16, 28);
        const there = listAt(await backend.ask("ec2", "DescribeVpcs"), "vpcSet").length;
        if (there >= settings.quotas.vpcs)
          throw new Refusal("VpcLimitExceeded", "The maximum number of VPCs has been reached.");
        return pass(call);
      }
      case "CreateSubnet": {
        refuseCidr(said(parameters, "CidrBlock"), 16, 28);
        return pass(call);
      }
      default:
        return undefined;
    }
  };

  const serve = async (call: Call): Promise<Answer> => {
    const reading = call.action.startsWith("Describe");
    // AWS's own services wait for one another's news (assumed: CloudFormation says that a resource is made when others see it).
    const seesAll = call.caller.userId === "AWS";
    if (reading && !seesAll) young.refuse(call.parameters);
    if (!reading) await refuseWhileNeeded(place, call.action, call.parameters);
    const usesToken = call.action !== "RunInstances" && said(call.parameters, "ClientToken") !== "";
    const earlier = usesToken ? tokens.earlier(call) : undefined;
    const answer = earlier ?? (await own(call)) ?? (await pass(call));
    if ("status" in answer) return pagedAnswer(answer, call);
    if (usesToken && earlier === undefined) tokens.keep(call, answer);
    if (reading) {
      if (!seesAll) young.hide(call.parameters, answer);
      paged(answer, call.parameters, settings.pageSize);
    } else young.born(answer);
    return xml(200, printXml(answer));
  };

  const pagedAnswer = (answer: Answer, call: Call): Answer => {
    if (typeof answer.body !== "string" || !call.action.startsWith("Describe")) return answer;
    const root = readAnswer(answer, "ec2", call.action);
    paged(root, call.parameters, settings.pageSize);
    return xml(200, printXml(root));
  };

  return {
    serve,
    instances,
    images,
    templateData: (launchTemplate) => withTemplate(templates, { LaunchTemplate: launchTemplate }),
  };
}

function answered(action: string, shape: { readonly [key: string]: Shape }): Answer {
  return xml(200, shapeXml(`${action}Response`, { requestId: "stand-in", ...shape }, "item"));
}

/** A network that is not the first address of its block, or too large or small: moto takes some of these. */
function refuseCidr(cidr: string, largest: number, smallest: number): void {
  const [, address = "", bits = ""] = /^(\d+\.\d+\.\d+\.\d+)\/(\d+)$/.exec(cidr) ?? [];
  const octets = address.split(".").map(Number);
  const number = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  const size = Number(bits);
  if (address === "" || octets.some((octet) => octet > 255) || number % 2 ** (32 - size) !== 0)
    throw new Refusal(
      "InvalidParameterValue",
      `Value (${cidr}) for parameter cidrBlock is invalid. This is not a valid CIDR block.`,
    );
  if (size < largest || size > smallest) throw new Refusal("InvalidVpc.Range", `The CIDR '${cidr}' is invalid.`);
}
