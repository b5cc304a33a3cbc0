import type { FilesSettings } from "../../cluster/cluster.ts";
import { commandStream, StreamEnded } from "../../host/command.ts";
import { shellWord } from "../../machine/quote.ts";
import { httpStore, type HttpStore } from "../../store/client.ts";
import { storeRequester, type Requester, type StorePlace } from "../../store/requester.ts";
import { StoreError } from "../../store/store.ts";
import { NotHere, type ProgramSums } from "../target.ts";

export const operatorSocket = (data: string): string => `${data}/operator.sock`;

/** The operator's way in: the socket beside the records, from another machine through ssh. */
function placeOf({ data, ssh }: FilesSettings): StorePlace {
  if (ssh === undefined) return { socketPath: operatorSocket(data) };
  const remote = `slipway store connect --data ${shellWord(data)}`;
  return { connect: () => commandStream(["ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", ssh, remote]) };
}

export type OpenStore = { readonly store: HttpStore; readonly requester: Requester };

export function openStore(settings: FilesSettings): OpenStore {
  const requester = storeRequester(placeOf(settings), 10_000);
  return { store: httpStore({ requester }), requester };
}

/** The address of the store in parts; a launch needs one. */
export function addressOf({ store }: FilesSettings): {
  readonly url: string;
  readonly host: string;
  readonly port: string;
} {
  if (store === undefined)
    throw new NotHere(
      "--on files needs the address at which nodes reach the store",
      "write it into cluster.yml: files: { store: https://10.0.0.5:7443 }",
    );
  const { hostname, port } = new URL(store);
  return { url: store, host: hostname, port: port || "443" };
}

/** The command that serves this cluster's store, for whoever finds that nothing does. */
export function serveCommand(settings: FilesSettings): string {
  const listen = settings.store === undefined ? "IP:PORT" : new URL(settings.store).host;
  const where = settings.ssh === undefined ? "" : ` (on ${settings.ssh})`;
  return `slipway store serve --data ${settings.data} --listen ${listen}${where}`;
}

/** Nobody serves the store: `undefined` from `look`, an error with the next command where one is needed. */
export function notServed(settings: FilesSettings, error: unknown): NotHere {
  const why = error instanceof Error ? error.message : String(error);
  const ended = endedIn(error);
  const { ssh } = settings;
  if (ssh !== undefined && ended !== undefined) {
    // ssh's own code, and the shell's for a command that is not there.
    if (ended.code === 255)
      return new NotHere(`ssh does not reach ${ssh}: ${ended.said}`, `ssh ${ssh} slipway --version`);
    if (ended.code === 127)
      return new NotHere(
        `${ssh} has no slipway in its PATH: ${ended.said}`,
        `install slipway on ${ssh}, beside its store`,
      );
  }
  return new NotHere(`no store answers at ${operatorSocket(settings.data)}: ${why}`, serveCommand(settings));
}

/** The command that ended beneath an error, however often that was wrapped. */
function endedIn(error: unknown): StreamEnded | undefined {
  for (let one = error; one instanceof Error; one = one.cause) if (one instanceof StreamEnded) return one;
  return undefined;
}

/** Whether the store's server answers at all; its own refusals are thrown as they are. */
export async function answers({ store }: OpenStore): Promise<{ readonly error: unknown } | undefined> {
  try {
    await store.get("cluster");
    return undefined;
  } catch (error) {
    if (error instanceof StoreError && error.kind === "unreachable") return { error };
    throw error;
  }
}

/** The sums of the programs that this store hands out. */
export async function programSums({ requester }: OpenStore): Promise<ProgramSums> {
  const { status, body } = await requester.request({ method: "GET", path: "/runtime", headers: {} });
  const sums: unknown = status === 200 ? JSON.parse(Buffer.from(body).toString("utf8")) : undefined;
  const sum = (name: string): string => {
    const value: unknown = typeof sums === "object" && sums !== null ? Reflect.get(sums, name) : undefined;
    // A machine of another architecture is told by the store that there is no such program.
    return typeof value === "string" && /^[0-9a-f]{64}$/.test(value) ? value : "0".repeat(64);
  };
  return { agent: sum("agent"), node: { x86_64: sum("node-x86_64"), aarch64: sum("node-aarch64") } };
}
