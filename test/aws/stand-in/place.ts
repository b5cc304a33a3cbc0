import type { Caller } from "./call.ts";
import type { StandInClock } from "./clock.ts";
import type { FaultBook } from "./faults.ts";
import type { Backend } from "./moto.ts";
import type { Given } from "./parameters.ts";
import type { Element } from "./xml.ts";

/** What a test may turn, beside faults. */
export type Settings = {
  /** All `Describe` answers have pages of at most so many. */
  pageSize: number | undefined;
  /** Milliseconds for which a new id is not found. */
  visibleAfter: number;
  /** Milliseconds for which EC2 does not know a new instance profile. */
  profileVisibleAfter: number;
  /** Milliseconds for which an interface lasts after what had it is gone. */
  interfaceLingers: number;
  /** Zones (`eu-central-1a`) or zone and type (`eu-central-1a/t3.small`) without capacity. */
  readonly noCapacity: Set<string>;
  /** vCPUs of standard on-demand instances, Elastic IPs, VPCs that the account may have. */
  readonly quotas: { vcpus: number; addresses: number; vpcs: number };
  /** Actions that the caller's policy does not allow, in `SimulatePrincipalPolicy` and for real. */
  readonly denied: Set<string>;
};

/** One account in one region: what the services of the layer share. */
export type Place = {
  readonly account: string;
  readonly region: string;
  readonly clock: StandInClock;
  readonly settings: Settings;
  readonly faults: FaultBook;
  readonly backend: Backend;
  /** Asks a service as AWS's own services do: with its rules, without faults and records. */
  ask(service: string, action: string, parameters?: { readonly [key: string]: Given }, as?: Caller): Promise<Element>;
  /** Notes what CloudFormation asks in its caller's name, for a resource of a type. */
  onBehalf(type: string, service: string, action: string, parameters: { readonly [key: string]: Given }): void;
  /** 17 hex digits, as ids end; the same at every run. */
  id(prefix: string): string;
};

export function seconds(count: number): number {
  return count * 1_000;
}
