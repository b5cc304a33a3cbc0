import type { Cursor } from "./cursor.ts";
import type { Disk } from "./disks.ts";
import type { Outcome } from "./outcome.ts";
import { channelOf } from "./updates.ts";
import type { DraftUpdates } from "./draft.ts";

/** What op.py's conf file says, but for the cloud-config that it names. */
export type OpConf = {
  readonly cloudConfig: Cursor | undefined;
  readonly count: number;
  readonly countAt: string;
  readonly disks: readonly Disk[];
  readonly region: string | undefined;
  readonly aws: readonly string[];
  readonly updates: DraftUpdates | undefined;
};

const onAws = "for machines on AWS";

/** Reads op.py's conf file, in its first and in its last form. */
export function readOpConf(root: Cursor, outcome: Outcome): OpConf {
  const aws: string[] = [];
  let conf: OpConf = {
    cloudConfig: undefined,
    count: 1,
    countAt: root.at,
    disks: [],
    region: undefined,
    aws,
    updates: undefined,
  };
  for (const field of root.entries()) {
    const text = field.text ?? "";
    const what = `${field.key}: ${text}`;
    switch (field.key) {
      case "region":
        conf = { ...conf, region: text };
        outcome.kept(what, field.at, "aws: region");
        break;
      case "cloud_config":
        conf = { ...conf, cloudConfig: field };
        outcome.kept(what, field.at, "groups:", "read, too");
        break;
      case "instances_count":
        conf = { ...conf, count: countOf(field), countAt: field.at };
        break;
      case "key_pair":
      case "instance_type":
        aws.push(`${field.key}: ${text}   # ${field.at}`);
        outcome.kept(what, field.at, "aws: as a comment", onAws);
        break;
      case "allocate_ip_address":
        if (field.flag === true) aws.push(`allocate_ip_address: true   # ${field.at}: a fixed address for each node`);
        if (field.flag === true) outcome.kept(what, field.at, "aws: as a comment", onAws);
        else outcome.dropped(what, field.at, "nodes have no fixed public address unless asked for");
        break;
      case "volumes":
        conf = { ...conf, disks: [...conf.disks, ...field.list().flatMap((disk) => volumeDisk(disk))] };
        break;
      case "block_device_mappings":
        conf = { ...conf, disks: [...conf.disks, ...mappedDisks(field, outcome)] };
        break;
      case "security_groups":
        for (const group of field.list()) readSecurityGroup(group, aws, outcome);
        break;
      case "coreos_channel":
        conf = { ...conf, updates: { ...channelOf(text), notes: [] } };
        outcome.replaced(what, field.at, `updates: channel ${text}`, "of Flatcar, which took over from CoreOS");
        break;
      case "coreos_version":
        outcome.dropped(what, field.at, "CoreOS's releases are gone; the newest of the channel is taken");
        break;
      default:
        outcome.dropped(what, field.at, "op.py had no such key");
    }
  }
  return conf;
}

function countOf(field: Cursor): number {
  const text = field.text ?? "";
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  field.refuse({ code: "wrong-type", message: `${field.key} is not a number of machines`, fix: `${field.key}: 3` });
  return 1;
}

function volumeDisk(disk: Cursor): Disk[] {
  const device = disk.get("name");
  if (device?.text === undefined) {
    disk.refuse({ code: "missing-key", message: "the volume has no name", fix: "name: /dev/sdb" });
    return [];
  }
  return [diskOf(device, disk.get("size"), disk.get("volume_type"), disk.get("delete_on_termination"))];
}

/** Disks as EC2 itself writes them; also in launch configurations. */
export function mappedDisks(mappings: Cursor, outcome: Outcome): readonly Disk[] {
  return mappings.list().flatMap((mapping) => {
    const device = mapping.get("DeviceName");
    const ebs = mapping.get("Ebs");
    if (device?.text !== undefined && ebs !== undefined)
      return [diskOf(device, ebs.get("VolumeSize"), ebs.get("VolumeType"), ebs.get("DeleteOnTermination"))];
    const name = mapping.get("VirtualName")?.text ?? "";
    outcome.dropped(
      `disk ${device?.text ?? ""} ${name}`.replace(/ +/g, " ").trim(),
      mapping.at,
      "a disk of the machine itself, lost when it stops; today's machines bring theirs unasked",
    );
    return [];
  });
}

function diskOf(device: Cursor, size?: Cursor, type?: Cursor, deletes?: Cursor): Disk {
  const digits = /^\d+$/.test(size?.text ?? "") ? `${size?.text ?? ""}G` : undefined;
  return {
    device: device.text ?? "",
    size: digits,
    type: type?.text,
    onTermination: deletes?.flag === undefined ? undefined : deletes.flag ? "delete" : "keep",
    subject: { what: `disk ${device.text ?? ""}${digits === undefined ? "" : ` of ${digits}`}`, at: device.at },
  };
}

const closed = "ports are closed unless a service publishes them; nodes open to each other what etcd and Swarm need";

function readSecurityGroup(group: Cursor, aws: string[], outcome: Outcome): void {
  const name = group.get("name")?.text ?? "";
  const what = `security group ${name}`;
  const action = group.get("action")?.text ?? "create";
  if (action === "find") {
    outcome.dropped(what, group.at, "a group that others made is not Slipway's to use or remove");
    return;
  }
  outcome.replaced(what, group.at, "groups of Slipway's own", closed);
  if (group.get("allow_all_own_traffic")?.flag === true)
    outcome.replaced(
      `${what}: allow_all_own_traffic`,
      group.get("allow_all_own_traffic")?.at ?? group.at,
      "rules between nodes",
      closed,
    );
  const ssh = group.get("allow_ssh_from");
  if (ssh !== undefined)
    sayRule(
      `${what}: allow_ssh_from`,
      ssh.at,
      { from: 22, to: 22, protocol: "tcp", source: ssh.text ?? "" },
      aws,
      outcome,
    );
  const rules = [...(group.get("allow_inbound")?.list() ?? []), ...(group.get("authorize_ingress")?.list() ?? [])];
  for (const rule of rules) {
    const text = (key: string, later: string): string => (rule.get(key) ?? rule.get(later))?.text ?? "";
    sayRule(
      what,
      rule.at,
      {
        from: Number(text("from_port", "FromPort") || Number.NaN),
        to: Number(text("to_port", "ToPort") || Number.NaN),
        protocol: text("protocol", "IpProtocol"),
        source: text("ip", "CidrIp") || text("SourceSecurityGroupName", "SourceSecurityGroupName"),
      },
      aws,
      outcome,
    );
  }
}

/** A rule that let traffic in. */
export type Rule = { readonly from: number; readonly to: number; readonly protocol: string; readonly source: string };

/** Says what becomes of a rule: SSH is AWS's matter, other ports are those of services. */
export function sayRule(
  of: string,
  at: string,
  { from, to, protocol, source }: Rule,
  aws: string[],
  outcome: Outcome,
): void {
  if (from === 22 && to === 22) {
    aws.push(`allow_ssh_from: ${source}   # ${at}`);
    outcome.kept(
      `${of} (22 from ${source})`,
      at,
      "aws: as a comment",
      "port 22 is closed otherwise; slipway ssh and exec need no open port on Docker",
    );
    return;
  }
  const ports = Number.isNaN(from) ? "all ports" : from === to ? `${from}/${protocol}` : `${from}-${to}/${protocol}`;
  if (/^[\d.]+\/\d+$/.test(source)) {
    const hint =
      from === to ? `publish it where it is needed: ports: ["${from}:${from}"]` : "publish those that are needed";
    outcome.replaced(`${of}: ${ports} from ${source}`, at, "services: ports", hint);
  } else outcome.replaced(`${of}: ${ports} from ${source || "its own machines"}`, at, "rules between nodes", closed);
}
