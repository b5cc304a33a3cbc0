import { systemClock } from "../host/clock.ts";
import { systemNodeFiles } from "../host/nodeFiles.ts";
import { systemRandom } from "../host/random.ts";
import { listRecords, readRecord } from "../records/access.ts";
import { forwardTcp, forwardUdp, parsePorts } from "./forward.ts";
import { serveCluster } from "./served.ts";

/** Ports of the gateway that lead to control nodes only: the managers' Docker API and etcd. */
const controlPorts = [2376, 2379];

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`the gateway needs ${name}`);
  return value;
}

function say(message: string): void {
  process.stdout.write(`${new Date().toISOString()} ${message}\n`);
}

async function main(): Promise<void> {
  const onError = (error: unknown): void => say(`store: ${error instanceof Error ? error.message : String(error)}`);
  const serving = await serveCluster({
    folder: setting("SLIPWAY_STORE"),
    socket: setting("SLIPWAY_SOCKET"),
    listen: setting("SLIPWAY_LISTEN"),
    user: "root",
    // Nodes here have the runtime's volume.
    programs: [],
    files: systemNodeFiles,
    clock: systemClock,
    random: systemRandom,
    say,
    // Docker starts this program anew.
    onBroken: () => process.exit(1),
  });
  const { store } = serving;

  let control: readonly string[] = [];
  let all: readonly string[] = [];
  let running: ReadonlyMap<string, readonly string[]> = new Map();
  /** Which nodes may answer on a port: those that run the service first. */
  async function lookAtNodes(): Promise<void> {
    const roster = (await listRecords(store, "roster"))
      .map((record) => record.value)
      .filter((entry) => entry.state === "present");
    const addressOf = new Map(roster.map((entry) => [entry.node, entry.address]));
    all = roster.map((entry) => entry.address);
    control = roster.filter((entry) => entry.role === "control").map((entry) => entry.address);
    const pointer = await readRecord(store, "pointer");
    const revision =
      pointer === undefined
        ? undefined
        : await readRecord(store, "servicesRevision", { revision: pointer.value.revision });
    const states = new Map((await listRecords(store, "service")).map((record) => [record.value.name, record.value]));
    running = new Map(
      (revision?.value.services ?? []).flatMap((service) => {
        const nodes = (states.get(service.name)?.tasks ?? [])
          .filter((task) => task.state === "running")
          .map((task) => addressOf.get(task.node));
        const addresses = nodes.filter((address) => address !== undefined);
        return service.ports.map(({ published }) => [String(published), addresses] as const);
      }),
    );
  }
  const backends = (wanted: number): readonly string[] => {
    if (controlPorts.includes(wanted)) return control;
    const first = running.get(String(wanted)) ?? [];
    return first.length > 0 ? first : all;
  };
  const forwards = [
    ...controlPorts.map((number) => ({ port: number, protocol: "tcp" as const })),
    ...parsePorts(setting("SLIPWAY_FORWARD")),
  ];
  const servers = await Promise.all(
    forwards.map(async (forward) =>
      forward.protocol === "tcp" ? forwardTcp(forward.port, backends) : forwardUdp(forward.port, backends),
    ),
  );

  const stopping = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stopping.abort());
  say("gateway: ready");
  while (!stopping.signal.aborted) {
    let settled = false;
    try {
      settled = await serving.tend();
      await lookAtNodes();
    } catch (error) {
      onError(error);
    }
    await systemClock.sleep(settled ? 1_000 : 100, stopping.signal);
  }
  for (const server of servers) server.close();
  await serving.close();
  process.exit(0);
}

await main();
