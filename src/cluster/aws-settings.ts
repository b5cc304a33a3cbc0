import type { Path } from "../problems/problem.ts";

/** Who may come in on which ports; `all` and `icmp` have no ports. */
export type Inbound = {
  readonly protocol: "tcp" | "udp" | "icmp" | "all";
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly range: string;
  readonly at: Path;
};

/** A security group beside Slipway's own. */
export type OwnSecurityGroup = {
  readonly name: string;
  readonly action: "find" | "find_or_create" | "create";
  readonly allowAllOwnTraffic: boolean;
  readonly inbound: readonly Inbound[];
  readonly at: Path;
};

/** How many zones, or which. */
export type Zones =
  | { readonly kind: "count"; readonly count: number }
  | { readonly kind: "named"; readonly names: readonly string[] };

export type AwsNetwork =
  | {
      readonly kind: "made";
      readonly cidr: string;
      readonly zones: Zones;
      readonly nodes: "public" | "private";
      /** How private nodes reach the outside; public ones reach it by themselves. */
      readonly outbound: "gateway" | "nat" | "nat-per-zone" | "endpoints";
    }
  | {
      readonly kind: "given";
      readonly vpc: string;
      /** By zone, sorted. */
      readonly subnets: readonly { readonly zone: string; readonly subnet: string }[];
      readonly nodes: "public" | "private";
    };

export type AwsSettings = {
  /** Undefined: that of the caller's AWS settings. */
  readonly region: string | undefined;
  /** Empty: any account. */
  readonly accounts: readonly string[];
  readonly network: AwsNetwork;
  /** Image ids by region. */
  readonly images: Readonly<Record<string, string>>;
  /** Networks, or `caller`. */
  readonly sshFrom: readonly string[];
  readonly apiFrom: readonly string[];
  readonly servicesFrom: readonly string[];
  readonly securityGroups: readonly OwnSecurityGroup[];
  readonly sessionManager: boolean;
  /** Of the store; undefined: it follows from cluster, account and region. */
  readonly bucket: string | undefined;
  /** ARN; undefined: AWS's own keys. */
  readonly kmsKey: string | undefined;
  readonly permissionsBoundary: string | undefined;
  /** Days. */
  readonly logRetention: number;
  readonly tags: Readonly<Record<string, string>>;
};

/** What a group's machines are on AWS. */
export type GroupAws = {
  /** At least one, the preferred first. */
  readonly instanceTypes: readonly string[];
  readonly spotPercent: number;
  readonly onDemandBase: number;
  readonly min: number;
  readonly max: number;
  /** Bytes. */
  readonly rootVolume: { readonly size: number; readonly type: string };
  readonly keyPair: string | undefined;
  readonly detailedMonitoring: boolean;
  readonly fixedAddress: boolean;
  /** Names of `AwsSettings.securityGroups`. */
  readonly securityGroups: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
};
