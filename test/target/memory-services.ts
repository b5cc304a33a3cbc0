import { differences, mark, serviceSpec } from "../../src/components/swarm/service-spec.ts";
import type { SwarmNode } from "../../src/components/swarm/tend.ts";
import { updateRecord } from "../../src/records/access.ts";
import type { RecordValue } from "../../src/records/table.ts";
import type { ClusterStore } from "../../src/store/store.ts";

/** A service as the swarm has it; `spec` may be changed behind our back. */
export type Deployed = { readonly id: string; spec: Readonly<Record<string, unknown>> };

type Given = {
  readonly store: ClusterStore;
  readonly services: Map<string, Deployed>;
  readonly pointer: RecordValue<"pointer">;
  readonly revision: RecordValue<"servicesRevision">;
  readonly nodes: readonly SwarmNode[];
  readonly hostname: (nodeId: string) => string;
  /** Local images that a node's engine has. */
  readonly images: (node: string) => readonly string[];
  readonly now: number;
};

function labelsOf(spec: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const labels = spec["Labels"];
  return typeof labels === "object" && labels !== null ? { ...labels } : {};
}

function replicasOf(spec: Readonly<Record<string, unknown>>): number | undefined {
  const replicated: unknown = Reflect.get(spec["Mode"] as object, "Replicated");
  return typeof replicated === "object" && replicated !== null
    ? Number(Reflect.get(replicated, "Replicas"))
    : undefined;
}

/**
 * What the leading manager's agent does with services: deploys what changed or what the operator asks to put back, removes
 * what the revision no longer has, and writes a record of each. Every replica runs at once on some active node that has the
 * labels and the image; without such a node none runs.
 */
export async function tendServices({
  store,
  services,
  pointer,
  revision,
  nodes,
  hostname,
  images,
  now,
}: Given): Promise<void> {
  const secretIds = new Map<string, string>();
  for (const name of services.keys())
    if (!revision.services.some((service) => service.name === name)) services.delete(name);
  for (const service of revision.services) {
    const spec = serviceSpec(service, { mesh: true, apply: pointer.apply, secretIds });
    const there = services.get(service.name);
    const asked = there !== undefined && Number(labelsOf(there.spec)[mark.apply] ?? 0) < pointer.apply;
    if (there === undefined) services.set(service.name, { id: `service-${service.name}`, spec });
    else if (labelsOf(there.spec)[mark.applied] !== labelsOf(spec)[mark.applied] || asked) there.spec = spec;
    const deployed = services.get(service.name)?.spec ?? spec;
    const fit = nodes.filter(
      (node) =>
        node.state === "ready" &&
        node.availability === "active" &&
        Object.entries(service.constraints).every(([label, value]) => node.labels[label] === value) &&
        (service.imageId === undefined || images(hostname(node.id)).includes(service.image)),
    );
    const desired = replicasOf(deployed) ?? fit.length;
    const running = fit.length === 0 ? 0 : desired;
    const drift = differences(
      serviceSpec(service, { mesh: true, apply: Number(labelsOf(deployed)[mark.apply] ?? 0), secretIds }),
      deployed,
    );
    const record: RecordValue<"service"> = {
      name: service.name,
      revision: pointer.revision,
      apply: pointer.apply,
      applied: String(labelsOf(deployed)[mark.applied] ?? ""),
      desired,
      running,
      state: running === desired ? "ready" : "starting",
      drift: [...drift],
      tasks: Array.from({ length: running }, (_, n) => ({
        node: hostname(fit[n % fit.length]?.id ?? ""),
        state: "running",
      })),
      seen: now,
    };
    await updateRecord(store, "service", { name: service.name }, (before) =>
      before !== undefined && JSON.stringify({ ...before, seen: 0 }) === JSON.stringify({ ...record, seen: 0 })
        ? undefined
        : record,
    );
  }
}
