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

const look = [
  "autoscaling:DescribeAutoScalingGroups",
  "ec2:DescribeInstances",
  "sts:GetCallerIdentity",
  "tag:GetResources",
] as const;
const records = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"] as const;
const store = ["s3:GetBucketTagging", "s3:ListBucket"] as const;
/** So that stopped instances are left alone, and minded again when they have been started. */
const still = [
  "autoscaling:CreateOrUpdateTags",
  "autoscaling:ResumeProcesses",
  "autoscaling:SetInstanceHealth",
  "autoscaling:TerminateInstanceInAutoScalingGroup",
  "autoscaling:UpdateAutoScalingGroup",
] as const;

/** What is really called: test/aws/operator compares it with the calls of whole lives. */
export const calls: Readonly<Record<Purpose, Calls>> = {
  launch: {
    see: [
      ...look,
      "autoscaling:DescribeScalingActivities",
      "ec2:DescribeAddresses",
      "ec2:DescribeImages",
      "ec2:DescribeInstanceTypeOfferings",
      "ec2:DescribeInstanceTypes",
      "ec2:DescribeKeyPairs",
      "ec2:DescribeSecurityGroups",
      "ec2:DescribeSubnets",
      "ec2:DescribeVolumes",
      "ec2:DescribeVpcs",
      "iam:SimulatePrincipalPolicy",
      "logs:DescribeLogGroups",
      "pricing:GetProducts",
      "servicequotas:GetServiceQuota",
    ],
    stack: [
      "cloudformation:CreateChangeSet",
      "cloudformation:DeleteChangeSet",
      "cloudformation:DeleteStack",
      "cloudformation:DescribeChangeSet",
      "cloudformation:DescribeStackDriftDetectionStatus",
      "cloudformation:DescribeStackEvents",
      "cloudformation:DescribeStackResourceDrifts",
      "cloudformation:DescribeStacks",
      "cloudformation:DetectStackDrift",
      "cloudformation:ExecuteChangeSet",
      "cloudformation:GetTemplate",
      "cloudformation:ListChangeSets",
      "cloudformation:SignalResource",
      "cloudformation:TagResource",
      "cloudformation:UpdateTerminationProtection",
    ],
    bucket: [
      ...store,
      "s3:CreateBucket",
      "s3:PutBucketOwnershipControls",
      "s3:PutBucketPolicy",
      "s3:PutBucketPublicAccessBlock",
      "s3:PutBucketTagging",
      "s3:PutBucketVersioning",
      "s3:PutEncryptionConfiguration",
      "s3:PutLifecycleConfiguration",
    ],
    objects: records,
    instances: ["ec2:GetConsoleOutput", "ec2:StartInstances", "ec2:StopInstances"],
    groups: still,
    logs: [],
  },
  operate: {
    see: [...look, "ec2:DescribeAddresses", "ec2:DescribeImages", "ec2:DescribeVpcs", "servicequotas:GetServiceQuota"],
    stack: ["cloudformation:DescribeStacks", "cloudformation:ListChangeSets"],
    bucket: store,
    objects: records,
    instances: ["ec2:GetConsoleOutput", "ec2:StartInstances", "ec2:StopInstances", "ssm:StartSession"],
    groups: [...still, "autoscaling:SuspendProcesses"],
    logs: [],
  },
  cleanup: {
    see: [
      ...look,
      "ec2:DescribeAddresses",
      "ec2:DescribeInternetGateways",
      "ec2:DescribeLaunchTemplates",
      "ec2:DescribeNatGateways",
      "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeRouteTables",
      "ec2:DescribeSecurityGroups",
      "ec2:DescribeSnapshots",
      "ec2:DescribeSubnets",
      "ec2:DescribeTags",
      "ec2:DescribeVolumes",
      "ec2:DescribeVpcEndpoints",
      "ec2:DescribeVpcs",
      "iam:ListRoles",
      "logs:DescribeLogGroups",
    ],
    stack: [
      "cloudformation:DeleteStack",
      "cloudformation:DescribeStackEvents",
      "cloudformation:DescribeStacks",
      "cloudformation:ListChangeSets",
      "cloudformation:UpdateTerminationProtection",
    ],
    bucket: [...store, "s3:DeleteBucket", "s3:ListBucketVersions"],
    objects: [...records, "s3:DeleteObjectVersion"],
    instances: [
      "ec2:DeleteNetworkInterface",
      "ec2:DeleteSecurityGroup",
      "ec2:DeleteSnapshot",
      "ec2:DeleteVolume",
      "ec2:ReleaseAddress",
      "ec2:TerminateInstances",
    ],
    groups: [],
    logs: ["logs:DeleteLogGroup"],
  },
};
