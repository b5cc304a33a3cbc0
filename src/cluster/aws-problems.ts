import type { Problem } from "../problems/problem.ts";
import { quoted } from "../problems/visible.ts";
import type { ClusterSpec } from "../spec/cluster.ts";
import { architectureOf } from "./aws.ts";
import { problem } from "./aws-problem.ts";
import { inboundProblems } from "./aws-inbound.ts";
import { awsNetworkProblems } from "./aws-network.ts";
import type { Cluster, Group, Volume } from "./cluster.ts";

/** What only several fields of `aws:` together show; other targets leave the section alone. */
export function awsProblems(cluster: Cluster, spec: ClusterSpec): Problem[] {
  if (cluster.target !== "aws") return [];
  return [
    ...stackNameProblems(cluster),
    ...awsNetworkProblems(cluster, spec.aws?.network ?? {}),
    ...inboundProblems(cluster),
    ...cluster.groups.flatMap((group) => [
      ...typeProblems(group),
      ...sizeProblems(group, spec.groups[group.name]?.aws ?? {}),
      ...wornProblems(cluster, group),
      ...group.volumes.flatMap(volumeProblems),
      ...crowdProblems(group),
      ...deviceProblems(group, spec.groups[group.name]?.volumes ?? {}),
    ]),
    ...tagProblems(cluster),
  ];
}

// CloudFormation: a stack's name begins with a letter.
function stackNameProblems({ name }: Cluster): Problem[] {
  return /^[a-z]/.test(name)
    ? []
    : [
        problem(
          "invalid-name",
          ["name"],
          `${quoted(name)} begins with a digit, and a stack's name does not`,
          `c-${name}`,
        ),
      ];
}

function typeProblems(group: Group): Problem[] {
  const { instanceTypes, spotPercent } = group.aws;
  const path = [...group.path, "aws"];
  const [first = "", ...others] = instanceTypes;
  const other = others.findIndex((type) => architectureOf(type) !== architectureOf(first));
  return [
    ...(group.role === "control" && others.length > 0
      ? [
          problem(
            "unsupported",
            [...path, "instance_types"],
            "control nodes are of one instance type: each has a place of its own, and no other may take it",
            `instance_type: ${first}`,
            { at: "key" },
          ),
        ]
      : []),
    ...(group.role === "control" && spotPercent > 0
      ? [
          problem(
            "unsupported",
            [...path, "spot_percent"],
            "control nodes are not spot: AWS may take several back at once, and the majority with them",
            "leave it out",
          ),
        ]
      : []),
    ...(other === -1
      ? []
      : [
          problem(
            "invalid-value",
            [...path, "instance_types", other + 1],
            `${others[other] ?? ""} is ${architectureOf(others[other] ?? "")}, ${first} is ${architectureOf(first)}: one image cannot be both`,
            "types of one architecture in a group",
            { related: [{ path: [...path, "instance_types", 0], message: "the first is here" }] },
          ),
        ]),
  ];
}

function sizeProblems(
  group: Group,
  said: { readonly min?: number | undefined; readonly max?: number | undefined },
): Problem[] {
  const path = [...group.path, "aws"];
  const { count } = group;
  if (group.role === "control") {
    const key = said.min === undefined ? "max" : "min";
    if (said[key] === undefined) return [];
    return [
      problem(
        "unsupported",
        [...path, key],
        "the number of control nodes does not move by itself",
        "leave it out; count says it",
        {
          at: "key",
        },
      ),
    ];
  }
  return [
    ...(said.min !== undefined && said.min > count
      ? [
          problem(
            "out-of-range",
            [...path, "min"],
            `the least, ${said.min}, is more than the count, ${count}`,
            `${count} or less`,
          ),
        ]
      : []),
    ...(said.max !== undefined && said.max < count
      ? [
          problem(
            "out-of-range",
            [...path, "max"],
            `the most, ${said.max}, is less than the count, ${count}`,
            `${count} or more`,
          ),
        ]
      : []),
  ];
}

function wornProblems(cluster: Cluster, group: Group): Problem[] {
  const names = cluster.aws.securityGroups.map(({ name }) => name);
  return group.aws.securityGroups.flatMap((name, index) =>
    names.includes(name)
      ? []
      : [
          problem(
            "invalid-value",
            [...group.path, "aws", "security_groups", index],
            `aws.security_groups has no ${quoted(name)}`,
            names.length === 0 ? `aws: { security_groups: [{ name: ${name} }] }` : names.join(" or "),
          ),
        ],
  );
}

const gibibyte = 1024 ** 3;
/** Least and most GiB of each kind (AWS, "Amazon EBS volume types"). */
const sizes: Readonly<Record<string, readonly [number, number]>> = {
  gp2: [1, 16_384],
  gp3: [1, 65_536],
  io1: [4, 16_384],
  io2: [4, 65_536],
  st1: [125, 16_384],
  sc1: [125, 16_384],
  standard: [1, 1_024],
};

function volumeProblems({ name, size, type = "gp3", at }: Volume): Problem[] {
  const range = sizes[type];
  if (range === undefined)
    return [
      problem(
        "invalid-value",
        [...at, "type"],
        `${quoted(type)} is not a kind of EBS volume`,
        Object.keys(sizes).join(", "),
      ),
    ];
  if (size === undefined)
    return [
      problem(
        "missing-key",
        at,
        `the volume ${name} has no size, and AWS makes it as large as it is told`,
        "add size: 100G",
        { at: "key" },
      ),
    ];
  const [least, most] = range;
  if (size < least * gibibyte || size > most * gibibyte)
    return [
      problem(
        "out-of-range",
        [...at, "size"],
        `a volume of the kind ${type} cannot have this size`,
        `from ${least}G to ${most}G`,
      ),
    ];
  return [];
}

/** A machine's disks beside the first: as many as there are names that EC2 recommends for them. */
const mostVolumes = 11;

function crowdProblems({ volumes, path }: Group): Problem[] {
  if (volumes.length <= mostVolumes) return [];
  return [
    problem(
      "out-of-range",
      [...path, "volumes"],
      `${volumes.length} volumes are too many for a machine`,
      `at most ${mostVolumes}`,
      {
        at: "key",
      },
    ),
  ];
}

function deviceProblems(
  group: Group,
  volumes: Readonly<Record<string, { readonly device?: string | undefined }>>,
): Problem[] {
  return Object.entries(volumes).flatMap(([name, { device }]) =>
    device === undefined
      ? []
      : [
          problem(
            "unsupported",
            [...group.path, "volumes", name, "device"],
            "on AWS the disk comes with the machine, and its device is known",
            "no change, for --on aws",
            { severity: "warning" },
          ),
        ],
  );
}

// AWS takes 50; Slipway's own are Name and slipway.cluster, .group, .node, .interface, .stack, .resource, and a .volume for each of 11 disks.
const mostTags = 32;

function tagProblems({ aws, groups }: Cluster): Problem[] {
  return [
    { tags: aws.tags, path: ["aws", "tags"] },
    ...groups.map((group) => ({ tags: { ...aws.tags, ...group.aws.tags }, path: [...group.path, "aws", "tags"] })),
  ]
    .filter(({ tags }) => Object.keys(tags).length > mostTags)
    .slice(0, 1)
    .map(({ tags, path }) =>
      problem("out-of-range", path, `${Object.keys(tags).length} tags are too many`, `at most ${mostTags}`, {
        at: "key",
      }),
    );
}
