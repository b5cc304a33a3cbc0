import type { Cluster } from "../cluster/cluster.ts";
import { readRecord } from "../records/access.ts";
import type { RecordValue } from "../records/table.ts";
import type { ClusterStore } from "../store/store.ts";
import { OperationError, type Context } from "./context.ts";

type ServiceState = RecordValue<"service">;

/** How long a service may take to run, and how long one and the same task error may last, milliseconds. */
const patience = { start: 180_000, error: 20_000 } as const;
const askEvery = 150;

/** Waits until every service of the revision runs as the file asks; a service that cannot says why, in its task's own words. */
export async function awaitServices(
  context: Context,
  store: ClusterStore,
  cluster: Cluster,
  published: { readonly revision: string; readonly apply: number },
): Promise<void> {
  if (cluster.services.length === 0) return;
  const { clock, emit, signal, target } = context;
  const deadline = clock.now() + patience.start;
  const waiting = new Set(cluster.services.map((service) => service.name as string));
  const told = new Map<string, string>();
  const failing = new Map<string, { readonly reason: string; readonly since: number }>();
  const { published: ports } = await target.observe(cluster.name);
  while (waiting.size > 0) {
    signal.throwIfAborted();
    for (const name of waiting) {
      const record = (await readRecord(store, "service", { name }))?.value;
      if (record === undefined || record.revision !== published.revision || record.apply < published.apply) continue;
      tell(context, told, record);
      if (record.state === "ready" && record.drift.length === 0) {
        waiting.delete(name);
        const own = cluster.services.find((service) => service.name === name)?.ports ?? [];
        const address = ports.find((port) =>
          own.some((wanted) => wanted.published === port.port && wanted.protocol === port.protocol),
        )?.address;
        emit("service.ready", { service: name, ...(address === undefined ? {} : { address: `http://${address}` }) });
      } else remember(failing, name, record, clock.now());
      const failed = failing.get(name);
      if (failed !== undefined && clock.now() - failed.since > patience.error)
        throw givenUp(context, cluster, name, failed.reason);
    }
    if (waiting.size === 0) return;
    if (clock.now() > deadline) {
      const [name = ""] = waiting;
      throw givenUp(context, cluster, name, told.get(name) ?? "no manager has reported on it");
    }
    await clock.sleep(askEvery, signal);
  }
}

function tell({ emit }: Context, told: Map<string, string>, record: ServiceState): void {
  const line = `${record.running} of ${record.desired} run${record.reason === undefined ? "" : `: ${record.reason}`}`;
  if (told.get(record.name) === line) return;
  told.set(record.name, line);
  emit("service.state", {
    service: record.name,
    running: record.running,
    desired: record.desired,
    ...(record.reason === undefined ? {} : { reason: record.reason }),
  });
}

/** An image that is being pulled has no error; one that is not there has the same error again and again. */
function remember(
  failing: Map<string, { readonly reason: string; readonly since: number }>,
  name: string,
  record: ServiceState,
  now: number,
): void {
  const { reason } = record;
  if (reason === undefined || reason === "") failing.delete(name);
  else if (failing.get(name)?.reason !== reason) failing.set(name, { reason, since: now });
}

function givenUp({ place }: Context, cluster: Cluster, service: string, reason: string): OperationError {
  const path = cluster.services.find((candidate) => candidate.name === service)?.path ?? ["services", service];
  return new OperationError(
    `service ${service} does not run: ${reason} (${place?.(path) ?? path.join(".")})`,
    `slipway logs ${cluster.name} --service ${service}`,
  );
}
