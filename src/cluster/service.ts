import type { Path } from "../problems/problem.ts";
import type { SecretSpec, ServiceSpec } from "../spec/services.ts";
import type { SourceKeys } from "../spec/values.ts";
import type {
  HealthCheck,
  SecretSource,
  Service,
  ServiceMount,
  ServicePort,
  ServiceSecret,
  UpdatePolicy,
} from "./cluster.ts";
import { labelsOf, serviceName, sortedEntries } from "./names.ts";

/** A service with every default filled in. */
export function resolveService(name: string, spec: ServiceSpec): Service {
  const path = ["services", name];
  return {
    name: serviceName(name),
    image: spec.image,
    command: spec.command ?? [],
    replicas: spec.mode === "global" ? "global" : (spec.replicas ?? 1),
    ports: (spec.ports ?? []).map((port, index) => resolvePort(port, [...path, "ports", index])),
    environment: labelsOf(spec.environment),
    labels: labelsOf(spec.labels),
    mounts: (spec.mounts ?? []).map(resolveMount),
    health: spec.health === undefined ? undefined : resolveHealth(spec.health),
    update: resolveUpdate(spec.update ?? {}),
    constraints: labelsOf(spec.constraints),
    secrets: sortedEntries(spec.secrets ?? {}).map(([secret, value]) => resolveSecret(secret, value)),
    path,
  };
}

type Part<Key extends keyof ServiceSpec> = NonNullable<ServiceSpec[Key]>;

function resolvePort(port: Part<"ports">[number], path: Path): ServicePort {
  return { published: port.published, target: port.target, protocol: port.protocol ?? "tcp", path };
}

function resolveMount(mount: Part<"mounts">[number]): ServiceMount {
  return {
    kind: mount.type ?? "volume",
    source: mount.source ?? "",
    target: mount.target,
    readOnly: mount.read_only ?? false,
  };
}

function resolveHealth(health: Part<"health">): HealthCheck {
  return {
    command: health.command,
    interval: health.interval ?? 10_000,
    timeout: health.timeout ?? 5_000,
    startPeriod: health.start_period ?? 0,
    retries: health.retries ?? 3,
  };
}

// Docker's own defaults, written down, since a newer Docker may have others.
function resolveUpdate(update: Part<"update">): UpdatePolicy {
  return {
    parallelism: update.parallelism ?? 1,
    delay: update.delay ?? 0,
    monitor: update.monitor ?? 5_000,
    order: update.order ?? "stop-first",
    onFailure: update.on_failure ?? "pause",
  };
}

function resolveSecret(name: string, secret: SecretSpec): ServiceSecret {
  return {
    name,
    target: secret.target ?? `/run/secrets/${name}`,
    mode: secret.mode ?? "0444",
    source: secretSource(secret),
  };
}

/** Where a secret's value is found; reading made sure that one of the two is there. */
export function secretSource(keys: SourceKeys): SecretSource {
  if (keys.file !== undefined) return { kind: "file", path: keys.file };
  return { kind: "environment", variable: keys.environment ?? "" };
}
