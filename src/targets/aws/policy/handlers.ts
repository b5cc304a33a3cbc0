import type { ResourceType } from "../graph/resource.ts";

/** What CloudFormation calls in its caller's name for a resource of a type, with the properties that our graph gives it. */
export type Handler = {
  /** Asks, and names no resource. */
  readonly see: readonly string[];
  /** Makes what is not there yet, so that no tag can be asked for. */
  readonly make: readonly string[];
  readonly change: readonly string[];
  readonly remove: readonly string[];
};

const none: readonly string[] = [];
const tags = ["ec2:CreateTags"] as const;
const untag = ["ec2:DeleteTags"] as const;

/**
 * From the `handlers` of CloudFormation's registry schemas, without the actions for properties that no graph of ours has. Read
 * in November 2026 from the copies of the schemas that the public repositories of the AWSCC Terraform provider (EIP,
 * NetworkInterface, Volume) and of LocalStack (VPC and its parts, IAM, Logs, S3) keep; types whose schema names no handlers
 * (AutoScalingGroup, EIPAssociation, LaunchTemplate, Route, SecurityGroup and its rules, VPCGatewayAttachment, BucketPolicy) have the
 * calls of their API that do the same (AWS, service authorization reference).
 */
export const handlers: Readonly<Record<ResourceType, Handler>> = {
  "AWS::AutoScaling::AutoScalingGroup": {
    see: [
      "autoscaling:DescribeAutoScalingGroups",
      "autoscaling:DescribeScalingActivities",
      "ec2:DescribeLaunchTemplateVersions",
    ],
    make: ["ec2:RunInstances", ...tags],
    change: [
      "autoscaling:CreateAutoScalingGroup",
      "autoscaling:CreateOrUpdateTags",
      "autoscaling:DeleteTags",
      "autoscaling:PutLifecycleHook",
      "autoscaling:ResumeProcesses",
      "autoscaling:SuspendProcesses",
      "autoscaling:TerminateInstanceInAutoScalingGroup",
      "autoscaling:UpdateAutoScalingGroup",
    ],
    remove: [
      "autoscaling:DeleteAutoScalingGroup",
      "autoscaling:DeleteLifecycleHook",
      "autoscaling:UpdateAutoScalingGroup",
    ],
  },
  "AWS::EC2::EIP": {
    see: ["ec2:DescribeAddresses"],
    make: ["ec2:AllocateAddress", ...tags],
    change: untag,
    remove: ["ec2:DisassociateAddress", "ec2:ReleaseAddress"],
  },
  "AWS::EC2::EIPAssociation": {
    see: ["ec2:DescribeAddresses"],
    make: none,
    change: ["ec2:AssociateAddress"],
    remove: ["ec2:DisassociateAddress"],
  },
  "AWS::EC2::InternetGateway": {
    see: ["ec2:DescribeInternetGateways"],
    make: ["ec2:CreateInternetGateway", ...tags],
    change: untag,
    remove: ["ec2:DeleteInternetGateway"],
  },
  "AWS::EC2::LaunchTemplate": {
    see: ["ec2:DescribeLaunchTemplateVersions", "ec2:DescribeLaunchTemplates"],
    make: ["ec2:CreateLaunchTemplate", ...tags],
    change: ["ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate", ...untag],
    remove: ["ec2:DeleteLaunchTemplate"],
  },
  "AWS::EC2::NatGateway": {
    see: ["ec2:DescribeNatGateways"],
    make: ["ec2:CreateNatGateway", ...tags],
    change: untag,
    remove: ["ec2:DeleteNatGateway"],
  },
  "AWS::EC2::NetworkInterface": {
    see: ["ec2:DescribeNetworkInterfaces"],
    make: ["ec2:CreateNetworkInterface", ...tags],
    change: ["ec2:ModifyNetworkInterfaceAttribute", ...untag],
    remove: ["ec2:DeleteNetworkInterface"],
  },
  "AWS::EC2::Route": {
    see: ["ec2:DescribeRouteTables"],
    make: none,
    change: ["ec2:CreateRoute", "ec2:ReplaceRoute"],
    remove: ["ec2:DeleteRoute"],
  },
  "AWS::EC2::RouteTable": {
    see: ["ec2:DescribeRouteTables"],
    make: ["ec2:CreateRouteTable", ...tags],
    change: untag,
    remove: ["ec2:DeleteRouteTable"],
  },
  "AWS::EC2::SecurityGroup": {
    see: ["ec2:DescribeSecurityGroupRules", "ec2:DescribeSecurityGroups"],
    make: ["ec2:CreateSecurityGroup", ...tags],
    change: ["ec2:AuthorizeSecurityGroupEgress", "ec2:RevokeSecurityGroupEgress", ...untag],
    remove: ["ec2:DeleteSecurityGroup"],
  },
  "AWS::EC2::SecurityGroupIngress": {
    see: ["ec2:DescribeSecurityGroupRules"],
    make: none,
    change: ["ec2:AuthorizeSecurityGroupIngress", "ec2:UpdateSecurityGroupRuleDescriptionsIngress"],
    remove: ["ec2:RevokeSecurityGroupIngress"],
  },
  "AWS::EC2::Subnet": {
    see: ["ec2:DescribeNetworkAcls", "ec2:DescribeSubnets"],
    make: ["ec2:CreateSubnet", ...tags],
    change: ["ec2:ModifySubnetAttribute", ...untag],
    remove: ["ec2:DeleteSubnet"],
  },
  "AWS::EC2::SubnetRouteTableAssociation": {
    see: ["ec2:DescribeRouteTables", "ec2:DescribeSubnets"],
    make: none,
    change: ["ec2:AssociateRouteTable", "ec2:ReplaceRouteTableAssociation"],
    remove: ["ec2:DisassociateRouteTable"],
  },
  "AWS::EC2::VPC": {
    see: ["ec2:DescribeNetworkAcls", "ec2:DescribeSecurityGroups", "ec2:DescribeVpcAttribute", "ec2:DescribeVpcs"],
    make: ["ec2:CreateVpc", ...tags],
    change: ["ec2:ModifyVpcAttribute", ...untag],
    remove: ["ec2:DeleteVpc"],
  },
  "AWS::EC2::VPCEndpoint": {
    see: ["ec2:DescribeVpcEndpoints"],
    make: ["ec2:CreateVpcEndpoint", ...tags],
    change: ["ec2:ModifyVpcEndpoint", ...untag],
    remove: ["ec2:DeleteVpcEndpoints"],
  },
  "AWS::EC2::VPCGatewayAttachment": {
    see: ["ec2:DescribeInternetGateways"],
    make: none,
    change: ["ec2:AttachInternetGateway"],
    remove: ["ec2:DetachInternetGateway"],
  },
  "AWS::EC2::Volume": {
    see: ["ec2:DescribeVolumes", "ec2:DescribeVolumesModifications"],
    make: ["ec2:CreateVolume", ...tags],
    change: ["ec2:ModifyVolume", ...untag],
    remove: ["ec2:DeleteVolume"],
  },
  "AWS::IAM::InstanceProfile": {
    see: none,
    make: none,
    change: [
      "iam:AddRoleToInstanceProfile",
      "iam:CreateInstanceProfile",
      "iam:GetInstanceProfile",
      "iam:RemoveRoleFromInstanceProfile",
    ],
    remove: ["iam:DeleteInstanceProfile", "iam:GetInstanceProfile", "iam:RemoveRoleFromInstanceProfile"],
  },
  "AWS::IAM::Role": {
    see: none,
    make: none,
    change: [
      "iam:CreateRole",
      "iam:DeleteRolePolicy",
      "iam:GetRole",
      "iam:GetRolePolicy",
      "iam:ListAttachedRolePolicies",
      "iam:ListRolePolicies",
      "iam:PutRolePermissionsBoundary",
      "iam:PutRolePolicy",
      "iam:TagRole",
      "iam:UntagRole",
      "iam:UpdateAssumeRolePolicy",
      "iam:UpdateRoleDescription",
    ],
    remove: [
      "iam:DeleteRole",
      "iam:DeleteRolePolicy",
      "iam:GetRole",
      "iam:ListAttachedRolePolicies",
      "iam:ListRolePolicies",
    ],
  },
  "AWS::Logs::LogGroup": {
    see: ["logs:DescribeLogGroups"],
    make: none,
    change: [
      "logs:CreateLogGroup",
      "logs:DeleteRetentionPolicy",
      "logs:ListTagsForResource",
      "logs:PutRetentionPolicy",
      "logs:TagResource",
      "logs:UntagResource",
    ],
    remove: ["logs:DeleteLogGroup"],
  },
  // A launch makes the bucket itself; the stack's own is for who launches the template without us.
  "AWS::S3::Bucket": { see: none, make: none, change: none, remove: none },
  "AWS::S3::BucketPolicy": { see: none, make: none, change: none, remove: none },
};
