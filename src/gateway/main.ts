import { dirname } from "node:path";
import { gatewayCertificate, gatewayInstance } from "../components/certificates.ts";
import { requestOwn, type Keeper } from "../components/keeper.ts";
import { systemClock } from "../host/clock.ts";
import { systemNodeFiles } from "../host/nodeFiles.ts";
import { systemRandom } from "../host/random.ts";
import { listRecords, readRecord } from "../records/access.ts";
import { storeRules } from "../records/authorisation.ts";
import { diskStore } from "../store/disk.ts";
import { serveStore, type ServedStore, type ServerTls } from "../store/listen.ts";
import { forwardTcp, forwardUdp, parsePorts } from "./forward.ts";

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
  const folder = setting("SLIPWAY_STORE");
  const store = await diskStore(`${folder}/records`, {
    onBroken(why) {
      // A write whose outcome is unknown: only opening the store again tells. Docker starts this program anew.
      say(`store: ${why instanceof Error ? why.message : String(why)}`);
      process.exit(1);
    },
  });
  const rules = storeRules(store);
  const onError = (error: unknown): void => say(`store: ${error instanceof Error ? error.message : String(error)}`);
  const socket = setting("SLIPWAY_SOCKET");
  await systemNodeFiles.makeFolder(dirname(socket), { mode: 0o700, user: "root", group: "root" });
  const local = await serveStore({ store, rules, unixSocket: socket, onError });

  const listen = setting("SLIPWAY_LISTEN");
  const [host = "", port = ""] = listen.split(":");
  const pki = `${folder}/pki`;
  const keeper: Keeper = {
    store,
    files: systemNodeFiles,
    clock: systemClock,
    random: systemRandom,
    instance: gatewayInstance,
    kept: { folder: pki, owner: () => "root" },
  };
  await systemNodeFiles.makeFolder(pki, { mode: 0o700, user: "root", group: "root" });

  let network: ServedStore | undefined;
  let served = "";
  async function tls(): Promise<ServerTls | undefined> {
    const [key, cert, clientCa] = await Promise.all(
      ["key", "crt", "ca.crt"].map((end) => systemNodeFiles.read(`${pki}/store-server.${end}`)),
    );
    return key === undefined || cert === undefined || clientCa === undefined ? undefined : { key, cert, clientCa };
  }
  /** Asks for the server's certificate, serves the network once it is there, renews it. */
  async function tend(): Promise<boolean> {
    const kept = await requestOwn(keeper, [gatewayCertificate(host)]);
    const material = await tls();
    if (material === undefined) return false;
    if (material.cert !== served) {
      if (network === undefined) {
        network = await serveStore({ store, rules, network: { tls: material, port: Number(port), host }, onError });
        say(`store: serving ${listen}`);
      } else network.reload(material);
      served = material.cert;
    }
    return kept.settled;
  }

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
      settled = await tend();
      await lookAtNodes();
    } catch (error) {
      onError(error);
    }
    await systemClock.sleep(settled ? 1_000 : 100, stopping.signal);
  }
  for (const server of servers) server.close();
  await Promise.all([local.close(1_000), network?.close(1_000)]);
  await store.close();
  process.exit(0);
}

await main();
