import type { Origin } from "../../../machine/machine.ts";
import type { Properties, Value } from "./value.ts";

/** Parts of a cluster that come and go together, in the order in which they are made. */
export const layers = ["network", "access", "store", "control", "workers"] as const;
export type Layer = (typeof layers)[number];

/** How each type bears tags: a list, a list that says what goes to instances, specifications by kind, or not at all. */
export const resourceTypes = {
  "AWS::AutoScaling::AutoScalingGroup": "propagated",
  "AWS::EC2::EIP": "list",
  "AWS::EC2::EIPAssociation": "none",
  "AWS::EC2::InternetGateway": "list",
  "AWS::EC2::LaunchTemplate": "specifications",
  "AWS::EC2::NatGateway": "list",
  "AWS::EC2::NetworkInterface": "list",
  "AWS::EC2::Route": "none",
  "AWS::EC2::RouteTable": "list",
  "AWS::EC2::SecurityGroup": "list",
  "AWS::EC2::SecurityGroupIngress": "none",
  "AWS::EC2::Subnet": "list",
  "AWS::EC2::SubnetRouteTableAssociation": "none",
  "AWS::EC2::VPC": "list",
  "AWS::EC2::VPCEndpoint": "list",
  "AWS::EC2::VPCGatewayAttachment": "none",
  "AWS::EC2::Volume": "list",
  "AWS::IAM::InstanceProfile": "none",
  "AWS::IAM::Role": "list",
  "AWS::Logs::LogGroup": "list",
  "AWS::S3::Bucket": "list",
  "AWS::S3::BucketPolicy": "none",
} as const satisfies Record<string, "list" | "propagated" | "specifications" | "none">;
export type ResourceType = keyof typeof resourceTypes;

/** What becomes of a resource that leaves the stack, or that another takes the place of. */
export type Lasting = {
  readonly deleted: "delete" | "keep" | "keep-unless-new" | "snapshot";
  readonly replaced: "delete" | "keep" | "snapshot";
};

export type Resource = {
  /** Letters and digits; the same as long as what it stands for is the same. */
  readonly id: string;
  readonly type: ResourceType;
  readonly layer: Layer;
  readonly properties: Properties;
  readonly tags: Readonly<Record<string, Value>>;
  readonly origin: Origin;
  /** Made only where this condition holds. */
  readonly condition?: string;
  /** Made after these, though nothing in it points at them. */
  readonly after?: readonly string[];
  readonly lasting?: Lasting;
  /** It is there only when so many instances have said that they are ready, each within so many minutes. */
  readonly signals?: { readonly count: Value; readonly minutes: number };
  /** A changed launch template replaces instances in batches. */
  readonly rolling?: { readonly batch: number; readonly minutes: number };
};

/** What a person or a program that launches the stack says, beside the file. */
export type Parameter = {
  readonly name: string;
  readonly type: string;
  readonly description: string;
  readonly default?: string | number;
  readonly least?: number;
  readonly most?: number;
  readonly pattern?: string;
};

export type Output = { readonly name: string; readonly description: string; readonly value: Value };

/** Holds where a parameter is left empty. */
export type Condition = { readonly name: string; readonly empty: string };

/** A cluster on AWS as resources; knows nothing of the language that it is written in. */
export type Graph = {
  readonly description: string;
  readonly parameters: readonly Parameter[];
  readonly conditions: readonly Condition[];
  readonly resources: readonly Resource[];
  readonly outputs: readonly Output[];
};
