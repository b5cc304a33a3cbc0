import { createHash } from "node:crypto";
import { loadedName } from "./image.ts";
import type { RecordValue } from "../../records/table.ts";

export type WantedService = RecordValue<"servicesRevision">["services"][number];

/** Labels of ours on a Swarm service and secret. */
export const mark = {
  /** Present on all that we made. */
  ours: "slipway.service",
  /** Hash of the wanted service and of how its ports are published. */
  applied: "slipway.applied",
  /** The pointer's `apply` when it was applied last. */
  apply: "slipway.apply",
} as const;

const nanoseconds = (milliseconds: number): number => milliseconds * 1_000_000;

/** Hash that changes when the service must be applied again. */
export function appliedHash(service: WantedService, mesh: boolean): string {
  return createHash("sha256")
    .update(JSON.stringify([2, service, mesh]))
    .digest("hex")
    .slice(0, 16);
}

/** Swarm takes no longer names of secrets. */
const longestName = 64;

/** Swarm's name of one version of a secret. */
export function swarmSecretName(service: string, secret: string, version: string): string {
  const whole = `${service}.${secret}.${version}`;
  if (whole.length <= longestName) return whole;
  const hash = createHash("sha256").update(whole).digest("hex").slice(0, 12);
  return `${whole.slice(0, longestName - hash.length - 1).replace(/[^A-Za-z0-9]+$/, "")}.${hash}`;
}

/** A text as a Go template that gives just this text: Swarm expands variables and mounts as templates. */
export function templateText(text: string): string {
  return text.replaceAll("{{", '{{"{{"}}');
}

/** The engine's description of a service. Without IPVS there is no routing mesh: ports are the nodes' own, names resolve to tasks. */
export function serviceSpec(
  service: WantedService,
  given: { readonly mesh: boolean; readonly apply: number; readonly secretIds: ReadonlyMap<string, string> },
): Readonly<Record<string, unknown>> {
  const { update, health } = service;
  const policy = {
    Parallelism: update.parallelism,
    Delay: nanoseconds(update.delay),
    Monitor: nanoseconds(update.monitor),
    FailureAction: update.onFailure,
    Order: update.order,
  };
  return {
    Name: service.name,
    Labels: {
      ...service.labels,
      [mark.ours]: service.name,
      [mark.applied]: appliedHash(service, given.mesh),
      [mark.apply]: String(given.apply),
    },
    TaskTemplate: {
      ContainerSpec: {
        Image: service.imageId === undefined ? service.image : loadedName(service.image, service.imageId),
        Labels: { ...service.labels, [mark.ours]: service.name },
        ...(service.command.length === 0 ? {} : { Args: service.command }),
        Env: Object.entries(service.environment).map(([name, value]) => `${name}=${templateText(value)}`),
        Mounts: service.mounts.map((mount) => ({
          Type: mount.kind,
          ...(mount.kind === "tmpfs" ? {} : { Source: templateText(mount.source) }),
          Target: templateText(mount.target),
          ReadOnly: mount.readOnly,
        })),
        ...(health === undefined
          ? {}
          : {
              Healthcheck: {
                Test: ["CMD", ...health.command],
                Interval: nanoseconds(health.interval),
                Timeout: nanoseconds(health.timeout),
                StartPeriod: nanoseconds(health.startPeriod),
                Retries: health.retries,
              },
            }),
        Secrets: service.secrets.map((secret) => {
          const name = swarmSecretName(service.name, secret.name, secret.version);
          return {
            File: { Name: secret.target, UID: "0", GID: "0", Mode: Number.parseInt(secret.mode, 8) },
            SecretID: given.secretIds.get(name) ?? "",
            SecretName: name,
          };
        }),
      },
      Placement: {
        Constraints: Object.entries(service.constraints).map(([label, value]) => `node.labels.${label}==${value}`),
      },
      // Failing tasks are tried for ever, with a pause between, as an orchestrator should.
      RestartPolicy: { Condition: "any", Delay: nanoseconds(2_000) },
    },
    Mode: service.replicas === "global" ? { Global: {} } : { Replicated: { Replicas: service.replicas } },
    UpdateConfig: policy,
    RollbackConfig: { ...policy, FailureAction: "pause" },
    EndpointSpec: {
      Mode: given.mesh ? "vip" : "dnsrr",
      Ports: service.ports.map((port) => ({
        Protocol: port.protocol,
        TargetPort: port.target,
        PublishedPort: port.published,
        PublishMode: given.mesh ? "ingress" : "host",
      })),
    },
  };
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === false || value === 0) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && Object.values(value).every(isEmpty);
}

/** Where an actual specification differs from a wanted one: paths with both values. What only the engine added is no difference. */
export function differences(wanted: unknown, actual: unknown, path = ""): readonly string[] {
  if (isEmpty(wanted) && isEmpty(actual)) return [];
  if (Array.isArray(wanted)) {
    if (!Array.isArray(actual) || actual.length !== wanted.length)
      return [`${path}: ${JSON.stringify(wanted)} became ${JSON.stringify(actual ?? null)}`];
    return wanted.flatMap((value, index) => differences(value, actual[index], `${path}[${index}]`));
  }
  if (typeof wanted === "object" && wanted !== null) {
    if (typeof actual !== "object" || actual === null) return [`${path}: is gone`];
    return Object.entries(wanted).flatMap(([name, value]) =>
      differences(value, Reflect.get(actual, name), path === "" ? name : `${path}.${name}`),
    );
  }
  return wanted === actual ? [] : [`${path}: ${JSON.stringify(wanted)} became ${JSON.stringify(actual ?? null)}`];
}
