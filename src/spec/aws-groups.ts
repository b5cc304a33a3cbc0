import { boolean, choice, complain, integer, listOf, mapOf, section, text } from "./fields.ts";
import { quoted } from "../problems/visible.ts";
import {
  instanceType,
  keyPair,
  ranges,
  rangeComplaint,
  securityGroupName,
  tagKey,
  tagValue,
  bootVolumeKind,
} from "./aws-words.ts";
import { bytesOf } from "./volumes.ts";

const rootVolume = section("The disk that nodes boot from.", {
  size: text({
    description: "Its size, such as 20G; 20G when left out.",
    check: (size) => {
      const bytes = bytesOf(size);
      return bytes !== undefined && bytes >= 8 * 1024 ** 3 && bytes <= 16 * 1024 ** 4
        ? undefined
        : { code: "out-of-range", message: `${quoted(size)} is no size of a boot disk`, fix: "from 8G to 16T" };
    },
  }).optional(),
  type: text({ description: "Its kind; gp3 when left out.", check: bootVolumeKind }).optional(),
});

const tags = mapOf(
  "Tags of all that is made, beside Slipway's own.",
  text({ description: "The tag's value.", empty: true, check: tagValue }),
  tagKey,
);

/** What `aws:` says for all groups, and a group's own `aws:` over it. */
export const nodeKeys = {
  instance_type: text({ description: "What kind of machine; t3.small when left out.", check: instanceType }).optional(),
  root_volume: rootVolume.optional(),
  key_pair: text({ description: "A key pair of the account for SSH; none when left out.", check: keyPair }).optional(),
  detailed_monitoring: boolean("Whether figures come every minute, at a price; false when left out.").optional(),
  allocate_ip_address: boolean("Whether each node has a fixed public address; false when left out.").optional(),
  tags: tags.optional(),
};

const inbound = section("A range of ports that is open.", {
  protocol: choice("tcp when left out.", ["tcp", "udp", "icmp", "all"]).optional(),
  from_port: integer("The first port; not for icmp and all.", 0, 65_535).optional(),
  to_port: integer("The last port; the first one when left out.", 0, 65_535).optional(),
  ip: text({ description: "The network that it is open to.", check: rangeComplaint }),
}).superRefine(({ protocol = "tcp", from_port: from, to_port: to }, context) => {
  const numbered = protocol === "tcp" || protocol === "udp";
  if (numbered && from === undefined)
    complain(context, { code: "missing-key", message: "from_port is missing", fix: "add from_port: 443" });
  if (!numbered && from !== undefined)
    complain(context, {
      code: "invalid-value",
      message: `${protocol} has no ports`,
      fix: "leave out from_port and to_port",
      path: ["from_port"],
      at: "key",
    });
  if (numbered && from !== undefined && to !== undefined && to < from)
    complain(context, {
      code: "out-of-range",
      message: `the last port ${to} is less than the first, ${from}`,
      fix: `${from} or more`,
      path: ["to_port"],
    });
});

/** `security_groups:` — what machines wear beside Slipway's own groups, which open nothing to the outside. */
export const securityGroups = listOf(
  "Security groups that nodes wear beside Slipway's own.",
  section("A security group.", {
    name: text({ description: "Its name, or the id of one that is found.", check: securityGroupName }),
    action: choice(
      "find: it is there, and stays as it is; find_or_create: its rules are brought to what stands here; create when left out.",
      ["find", "find_or_create", "create"],
    ).optional(),
    allow_all_own_traffic: boolean(
      "Whether those who wear it reach each other on every port; false when left out.",
    ).optional(),
    allow_ssh_from: ranges("Networks that reach SSH; none when left out.").optional(),
    allow_inbound: listOf("Ports that are open.", inbound).optional(),
  }),
);

/** `groups.*.aws:` — what concerns a group's machines on AWS. */
export const groupAws = section("Settings of the group for --on aws.", {
  ...nodeKeys,
  instance_types: listOf(
    "Several kinds of machines, the first preferred; for workers.",
    text({ description: "A kind.", check: instanceType }),
  ).optional(),
  spot_percent: integer(
    "How much of what is over on_demand_base is spot, which AWS may take back; 0 when left out.",
    0,
    100,
  ).optional(),
  on_demand_base: integer("How many machines are never spot; 0 when left out.", 0, 5_000).optional(),
  min: integer("The fewest machines; count when left out.", 0, 5_000).optional(),
  max: integer("The most machines; count when left out.", 0, 5_000).optional(),
  security_groups: listOf(
    "Those of aws.security_groups that the group wears; all when left out.",
    text({ description: "A name.", check: securityGroupName }),
  ).optional(),
}).superRefine(({ instance_type: one, instance_types: several }, context) => {
  if (one !== undefined && several !== undefined)
    complain(context, {
      code: "invalid-value",
      message: "a group has instance_type or instance_types, not both",
      fix: "keep one of the two",
      path: ["instance_types"],
      at: "key",
    });
  if (several?.length === 0)
    complain(context, {
      code: "invalid-value",
      message: "the list of instance types is empty",
      fix: "name one, or leave it out",
      path: ["instance_types"],
    });
});
