/** What Slipway itself asks of AWS, beside what CloudFormation does for it: by purpose, and by what it can be bound to. */
export type Calls = {
  readonly see: readonly string[];
  readonly stack: readonly string[];
  /** On the cluster's bucket. */
  readonly bucket: readonly string[];
  readonly objects: readonly string[];
  /** On instances that bear the cluster's tag. */
  readonly instances: readonly string[];
  /** On the cluster's autoscaling groups. */
  readonly groups: readonly string[];
  readonly logs: readonly string[];
};
export type Purpose = "launch" | "operate" | "cleanup";

const identity = ["sts:GetCallerIdentity"] as const;
const look = ["autoscaling:DescribeAutoScalingGroups", "ec2:DescribeInstances"] as const;
const state = [
  "cloudformation:DescribeStackEvents",
  "cloudformation:DescribeStackResources",
  "cloudformation:DescribeStacks",
  "cloudformation:GetTemplate",
] as const;
const change = [
  "cloudformation:CreateChangeSet",
  "cloudformation:DeleteChangeSet",
  "cloudformation:DescribeChangeSet",
  "cloudformation:ExecuteChangeSet",
] as const;
const records = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"] as const;

export const calls: Readonly<Record<Purpose, Calls>> = {
  launch: {
    see: [
      ...identity,
      ...look,
      "cloudformation:ValidateTemplate",
      "ec2:DescribeAvailabilityZones",
      "ec2:DescribeImages",
      "ec2:DescribeInstanceTypeOfferings",
      "ec2:DescribeInstanceTypes",
      "ec2:DescribeKeyPairs",
      "ec2:DescribeSecurityGroups",
      "ec2:DescribeSubnets",
      "ec2:DescribeVpcs",
      "iam:SimulatePrincipalPolicy",
      "pricing:GetProducts",
      "servicequotas:ListServiceQuotas",
    ],
    stack: [
      ...state,
      ...change,
      "cloudformation:CancelUpdateStack",
      "cloudformation:ContinueUpdateRollback",
      "cloudformation:CreateStack",
      "cloudformation:DeleteStack",
      "cloudformation:DetectStackDrift",
      "cloudformation:DescribeStackResourceDrifts",
      "cloudformation:RollbackStack",
      "cloudformation:TagResource",
      "cloudformation:UpdateTerminationProtection",
    ],
    bucket: [
      "s3:CreateBucket",
      "s3:GetBucketLocation",
      "s3:GetBucketTagging",
      "s3:ListBucket",
      "s3:PutBucketOwnershipControls",
      "s3:PutBucketPolicy",
      "s3:PutBucketPublicAccessBlock",
      "s3:PutBucketTagging",
      "s3:PutBucketVersioning",
      "s3:PutEncryptionConfiguration",
      "s3:PutLifecycleConfiguration",
    ],
    objects: records,
    instances: ["ec2:GetConsoleOutput", "ec2:TerminateInstances"],
    groups: ["autoscaling:SetInstanceHealth", "autoscaling:TerminateInstanceInAutoScalingGroup"],
    logs: ["logs:FilterLogEvents", "logs:GetLogEvents"],
  },
  operate: {
    see: [...identity, ...look, "ec2:DescribeVolumes"],
    stack: state,
    bucket: ["s3:GetBucketLocation", "s3:ListBucket"],
    objects: records,
    instances: [
      "ec2:GetConsoleOutput",
      "ec2:RebootInstances",
      "ec2:StartInstances",
      "ec2:StopInstances",
      "ec2:TerminateInstances",
      "ssm:StartSession",
    ],
    groups: [
      "autoscaling:ResumeProcesses",
      "autoscaling:SetInstanceHealth",
      "autoscaling:SuspendProcesses",
      "autoscaling:TerminateInstanceInAutoScalingGroup",
      "autoscaling:UpdateAutoScalingGroup",
    ],
    logs: ["logs:FilterLogEvents", "logs:GetLogEvents"],
  },
  cleanup: {
    see: [
      ...identity,
      ...look,
      "ec2:DescribeAddresses",
      "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeSnapshots",
      "ec2:DescribeVolumes",
      "tag:GetResources",
    ],
    stack: [...state, "cloudformation:DeleteStack", "cloudformation:UpdateTerminationProtection"],
    bucket: ["s3:DeleteBucket", "s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketVersions"],
    objects: [...records, "s3:DeleteObjectVersion"],
    instances: ["ec2:TerminateInstances"],
    groups: ["autoscaling:UpdateAutoScalingGroup"],
    logs: [],
  },
};
