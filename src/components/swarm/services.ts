import { hostPart, listRecords, readRecord, updateRecord } from "../../records/access.ts";
import type { RecordValue } from "../../records/table.ts";
import { EngineRefusal } from "../docker/engine.ts";
import type { NodePorts } from "../node.ts";
import { at, listAt, textAt, textsAt } from "../../host/answer.ts";
import { swarmNodes } from "./api.ts";
import { appliedHash, differences, mark, serviceSpec, swarmSecretName, type WantedService } from "./service-spec.ts";

type ServicesRevision = RecordValue<"servicesRevision">;
type ServiceState = RecordValue<"service">;

type Deployed = {
  readonly id: string;
  readonly version: number;
  readonly spec: unknown;
  readonly labels: Readonly<Record<string, string>>;
  readonly update: string;
  readonly updateMessage: string;
};

function ours(filter: string): string {
  return encodeURIComponent(JSON.stringify({ label: [filter] }));
}

async function deployed({ engine }: NodePorts): Promise<ReadonlyMap<string, Deployed>> {
  const services = listAt(await engine.call("GET", `/services?filters=${ours(mark.ours)}`));
  return new Map(
    services.map((service) => [
      textAt(service, "Spec", "Name"),
      {
        id: textAt(service, "ID"),
        version: Number(at(service, "Version", "Index")),
        spec: at(service, "Spec"),
        labels: textsAt(service, "Spec", "Labels"),
        update: textAt(service, "UpdateStatus", "State"),
        updateMessage: textAt(service, "UpdateStatus", "Message"),
      },
    ]),
  );
}

/** Makes the versions of secrets that services need; gives their ids by Swarm's name. */
async function ensureSecrets(
  { engine, store }: NodePorts,
  services: readonly WantedService[],
): Promise<ReadonlyMap<string, string>> {
  const ids = new Map(
    listAt(await engine.call("GET", `/secrets?filters=${ours(mark.ours)}`)).map((secret) => [
      textAt(secret, "Spec", "Name"),
      textAt(secret, "ID"),
    ]),
  );
  for (const service of services) {
    for (const secret of service.secrets) {
      const name = swarmSecretName(service.name, secret.name, secret.version);
      if (ids.has(name)) continue;
      const found = await readRecord(store, "secret", { name: `${service.name}.${secret.name}` });
      if (found === undefined || found.value.version !== secret.version)
        throw new Error(`the secret ${secret.name} of ${service.name} is not in the store`);
      const made = await engine.call("POST", "/secrets/create", {
        Name: name,
        Labels: { [mark.ours]: service.name },
        Data: Buffer.from(found.value.value).toString("base64"),
      });
      ids.set(name, textAt(made, "ID"));
    }
  }
  return ids;
}

/** Removes versions of secrets that no service uses any more. */
async function removeSecrets(
  { engine, say }: NodePorts,
  ids: ReadonlyMap<string, string>,
  services: readonly WantedService[],
): Promise<void> {
  const used = new Set(
    services.flatMap((service) =>
      service.secrets.map((secret) => swarmSecretName(service.name, secret.name, secret.version)),
    ),
  );
  for (const [name, id] of ids) {
    if (used.has(name)) continue;
    try {
      await engine.call("DELETE", `/secrets/${encodeURIComponent(id)}`);
    } catch (error) {
      // A service that was rolled back still uses the old version: it goes in a later round.
      if (!(error instanceof EngineRefusal)) throw error;
      say(`the secret ${name} stays for now: ${error.message}`);
    }
  }
}

/** The header with the login for an image's registry; empty when the file names none. */
async function loginFor(
  { store }: NodePorts,
  revision: ServicesRevision,
  image: string,
): Promise<Readonly<Record<string, string>>> {
  const first = image.split("/")[0] ?? "";
  const host = /[.:]/.test(first) || first === "localhost" ? first : "docker.io";
  if (!revision.logins.some((login) => login.host === host)) return {};
  const found = await readRecord(store, "login", { host: hostPart(host) });
  if (found === undefined) return {};
  const { username, password } = found.value;
  const text = JSON.stringify({
    username,
    password,
    serveraddress: host === "docker.io" ? "https://index.docker.io/v1/" : host,
  });
  return { "X-Registry-Auth": Buffer.from(text).toString("base64url") };
}

type Task = {
  readonly node: string;
  readonly state: string;
  readonly desired: string;
  readonly error: string;
  readonly at: string;
};

async function tasksOf(
  { engine }: NodePorts,
  names: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, readonly Task[]>> {
  const found = new Map<string, Task[]>();
  for (const task of listAt(await engine.call("GET", `/tasks?filters=${ours(mark.ours)}`))) {
    const id = textAt(task, "ServiceID");
    const list = found.get(id) ?? [];
    list.push({
      node: names.get(textAt(task, "NodeID")) ?? "",
      state: textAt(task, "Status", "State"),
      desired: textAt(task, "DesiredState"),
      error: textAt(task, "Status", "Err"),
      at: textAt(task, "Status", "Timestamp"),
    });
    found.set(id, list);
  }
  return found;
}

/** What Swarm does not call an error: a container that ends with 0, also one that is stopped for not being healthy. */
function endedWell({ health }: WantedService): string {
  return `its tasks end with exit code 0${health === undefined ? "" : "; a health check that fails (unhealthy) ends them, too"}`;
}

type About = {
  readonly pointer: RecordValue<"pointer">;
  readonly applied: string;
  readonly drift: readonly string[];
  readonly now: number;
};

function stateOf(
  service: WantedService,
  there: Deployed,
  tasks: readonly Task[],
  { pointer, applied, drift, now }: About,
): ServiceState {
  const live = tasks.filter((task) => task.desired === "running" || task.state === "running");
  const running = live.filter((task) => task.state === "running" && task.desired === "running").length;
  const wantedTasks = Number(
    at(there.spec, "Mode", "Replicated", "Replicas") ?? live.filter((task) => task.desired === "running").length,
  );
  const failed = tasks.filter((task) => task.error !== "").toSorted((a, b) => (a.at < b.at ? 1 : -1));
  const extra = live.filter((task) => task.desired !== "running").length;
  const busy = there.update === "updating" || there.update === "rollback_started" || extra > 0;
  const stuck =
    there.update === "paused" ||
    there.update === "rollback_paused" ||
    (there.update === "rollback_completed" && drift.length > 0);
  const whole = running === wantedTasks && !busy && !stuck;
  const error = failed[0]?.error ?? (tasks.some((task) => task.state === "complete") ? endedWell(service) : undefined);
  const reason = whole
    ? undefined
    : stuck
      ? [there.updateMessage, error].filter((part) => part !== undefined && part !== "").join(": ")
      : error;
  return {
    name: service.name,
    revision: pointer.revision,
    apply: pointer.apply,
    applied,
    desired: wantedTasks,
    running,
    state: whole
      ? "ready"
      : stuck || (reason !== undefined && running === 0)
        ? "failed"
        : running > 0
          ? "degraded"
          : "starting",
    ...(reason === undefined || reason === "" ? {} : { reason }),
    // An update that has stopped half-way is put right like what somebody changed: applied once more.
    drift: stuck && reason !== undefined ? [reason] : [...drift],
    tasks: live.map((task) => ({
      node: task.node,
      state: task.state,
      ...(task.error === "" ? {} : { error: task.error }),
    })),
    seen: now,
  };
}

/** A service that Swarm has not taken. */
function absent(service: WantedService, pointer: RecordValue<"pointer">, now: number): ServiceState {
  const desired = service.replicas === "global" ? 0 : service.replicas;
  return {
    name: service.name,
    revision: pointer.revision,
    apply: pointer.apply,
    applied: "",
    desired,
    running: 0,
    state: "failed",
    drift: [],
    tasks: [],
    seen: now,
  };
}

/** Whether Swarm took this very update back: it is tried again only when it is asked for again. */
async function rolledBack({ store }: NodePorts, there: Deployed, applied: string, apply: number): Promise<boolean> {
  if (!there.update.startsWith("rollback_")) return false;
  const last = (await readRecord(store, "service", { name: textAt(there.spec, "Name") }))?.value;
  return last !== undefined && last.applied === applied && last.apply >= apply;
}

/** Whether every node of the swarm can take part in the routing mesh. */
async function meshEverywhere({ store }: NodePorts): Promise<boolean> {
  const records = (await listRecords(store, "node"))
    .map((record) => record.value.swarm)
    .filter((swarm) => swarm !== undefined);
  return records.length > 0 && records.every((swarm) => swarm.mesh);
}

function sameState(one: ServiceState, other: ServiceState): boolean {
  return JSON.stringify({ ...one, seen: 0 }) === JSON.stringify({ ...other, seen: 0 });
}

/**
 * Deploys what the current revision lists, and reports what runs; only the swarm leader's agent does it. What someone
 * else changed is reported as drift and put back when the operator's next launch asks for it. Gives what does not run yet, in
 * words; empty: all does.
 */
export async function tendServices(node: NodePorts, leader: boolean): Promise<string> {
  const { store, engine, clock } = node;
  const pointer = await readRecord(store, "pointer");
  if (pointer === undefined || !leader) return "";
  const revision = await readRecord(store, "servicesRevision", { revision: pointer.value.revision });
  if (revision === undefined) return `the services of revision ${pointer.value.revision} are not in the store`;
  const wanted = revision.value.services;
  const before = await deployed(node);
  const mesh = before.size === 0 && wanted.length === 0 ? false : await meshEverywhere(node);
  const secretIds =
    wanted.some((service) => service.secrets.length > 0) || before.size > 0
      ? await ensureSecrets(node, wanted)
      : new Map<string, string>();

  for (const [name, there] of before) {
    if (!wanted.some((service) => service.name === name))
      await engine.call("DELETE", `/services/${encodeURIComponent(there.id)}`);
  }
  let changed = false;
  const refused = new Map<string, string>();
  for (const service of wanted) {
    const there = before.get(service.name);
    const spec = serviceSpec(service, { mesh, apply: pointer.value.apply, secretIds });
    const same =
      there?.labels[mark.applied] === appliedHash(service, mesh) &&
      Number(there.labels[mark.apply] ?? "0") >= pointer.value.apply;
    if (
      same ||
      (there !== undefined && (await rolledBack(node, there, appliedHash(service, mesh), pointer.value.apply)))
    )
      continue;
    const path =
      there === undefined
        ? "/services/create"
        : `/services/${encodeURIComponent(there.id)}/update?version=${there.version}`;
    try {
      await engine.call("POST", path, spec, await loginFor(node, revision.value, service.image));
      changed = true;
    } catch (error) {
      // What Swarm does not take is that service's own trouble; the others go on. 503 is a swarm without a leader.
      if (!(error instanceof EngineRefusal) || error.status === 503) throw error;
      refused.set(service.name, error.message);
    }
  }
  const after = changed ? await deployed(node) : before;
  await removeSecrets(node, secretIds, wanted);

  const driftOf = (service: WantedService, there: Deployed): readonly string[] =>
    differences(serviceSpec(service, { mesh, apply: Number(there.labels[mark.apply] ?? "0"), secretIds }), there.spec);
  const names = new Map((await swarmNodes(engine)).map((swarmNode) => [swarmNode.id, swarmNode.hostname]));
  const tasks = after.size === 0 ? new Map<string, readonly Task[]>() : await tasksOf(node, names);
  const waiting: string[] = [];
  for (const service of wanted) {
    const there = after.get(service.name);
    const why = refused.get(service.name);
    if (there === undefined && why === undefined) continue;
    const seen =
      there === undefined
        ? absent(service, pointer.value, clock.now())
        : stateOf(service, there, tasks.get(there.id) ?? [], {
            pointer: pointer.value,
            applied: appliedHash(service, mesh),
            drift: driftOf(service, there),
            now: clock.now(),
          });
    const state: ServiceState = why === undefined ? seen : { ...seen, state: "failed", reason: why, drift: [] };
    await updateRecord(store, "service", { name: service.name }, (now) =>
      now !== undefined && sameState(now, state) && state.seen - now.seen < 30_000 ? undefined : state,
    );
    if (state.state !== "ready")
      waiting.push(
        `${service.name}: ${state.running} of ${state.desired} tasks run${state.reason === undefined ? "" : ` (${state.reason})`}`,
      );
  }
  // Services are the cluster's, not the node's: a node whose services still start is ready all the same.
  return waiting.join("; ");
}
