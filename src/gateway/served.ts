import { dirname } from "node:path";
import { answerJoins } from "../components/admission.ts";
import { gatewayCertificate, gatewayInstance } from "../components/certificates.ts";
import { requestOwn, type Keeper } from "../components/keeper.ts";
import type { Clock } from "../host/clock.ts";
import type { NodeFiles, Ownership } from "../host/nodeFiles.ts";
import type { Random } from "../host/random.ts";
import { certificatesIn, fingerprint } from "../pki/renewal.ts";
import { readRecord } from "../records/access.ts";
import { storeRules } from "../records/authorisation.ts";
import { diskStore } from "../store/disk.ts";
import { serveStore, type ServedStore, type ServerTls } from "../store/listen.ts";
import type { ClusterStore } from "../store/store.ts";
import { serveRuntime, type ServedProgram } from "./programs.ts";

export type ServingOptions = {
  /** The folder with the records and the server's own keys. */
  readonly folder: string;
  /** The operator's end. */
  readonly socket: string;
  /** Who owns the folder where it is made here: a name or a number, and the group of the same. */
  readonly user: string;
  /** `ip:port`: the address at which nodes reach the store. */
  readonly listen: string;
  readonly programs: readonly ServedProgram[];
  readonly files: NodeFiles;
  readonly clock: Clock;
  readonly random: Random;
  readonly say: (message: string) => void;
  /** A write whose outcome is unknown: only opening the store again tells, so the program is to end. */
  readonly onBroken: () => void;
};

export interface Serving {
  readonly store: ClusterStore;
  /** One round: the server's certificate, and everyone who asks to join. True when nothing is under way. */
  tend(): Promise<boolean>;
  close(): Promise<void>;
}

/** Serves a cluster's store: to the operator over a unix socket at once, to nodes over TLS once a launch has signed its certificate. */
export async function serveCluster(options: ServingOptions): Promise<Serving> {
  const { folder, socket, listen, files, clock, random, say } = options;
  const owner = await ownerOf(files, folder, options.user);
  await files.makeFolder(folder, { ...owner, mode: 0o700 });
  const store = await diskStore(`${folder}/records`, {
    onBroken(why) {
      say(`store: ${why instanceof Error ? why.message : String(why)}`);
      options.onBroken();
    },
  });
  const rules = storeRules(store, clock);
  const onError = (error: unknown): void => say(`store: ${error instanceof Error ? error.message : String(error)}`);
  const beside = serveRuntime(options.programs, onError);
  await files.makeFolder(dirname(socket), { ...owner, mode: 0o700 });
  const local = await serveStore({ store, rules, unixSocket: socket, onError, beside });

  const at = listen.lastIndexOf(":");
  const [host, port] = [listen.slice(0, at), Number(listen.slice(at + 1))];
  const pki = `${folder}/pki`;
  const keeper: Keeper = {
    store,
    files,
    clock,
    random,
    instance: gatewayInstance,
    kept: { folder: pki, owner: () => owner.user },
  };
  await files.makeFolder(pki, { ...owner, mode: 0o700 });

  let network: ServedStore | undefined;
  let served = "";
  async function tls(): Promise<ServerTls | undefined> {
    const [key, cert, clientCa] = await Promise.all(
      ["key", "crt", "ca.crt"].map((end) => files.read(`${pki}/store-server.${end}`)),
    );
    return key === undefined || cert === undefined || clientCa === undefined ? undefined : { key, cert, clientCa };
  }
  /** A cluster that was cleaned up leaves its server with a certificate that no later one trusts. */
  async function dropForeign(): Promise<void> {
    const chain = await files.read(`${pki}/store-server.crt`);
    if (chain === undefined) return;
    const root = (await readRecord(store, "root"))?.value.certificate;
    if (root !== undefined && certificatesIn(chain).some((one) => fingerprint(one) === fingerprint(root))) return;
    say("store: the cluster is gone, and the server's certificate with it");
    await Promise.all(["crt", "ca.crt"].map((end) => files.remove(`${pki}/store-server.${end}`)));
    await network?.close(1_000);
    network = undefined;
    served = "";
  }
  /** Asks for the server's certificate, serves the network once it is there, renews it. */
  async function certificate(): Promise<boolean> {
    await dropForeign();
    const kept = await requestOwn(keeper, [gatewayCertificate(host)]);
    const material = await tls();
    if (material === undefined) return false;
    if (material.cert !== served) {
      if (network === undefined) {
        network = await serveStore({ store, rules, network: { tls: material, port, host }, onError, beside });
        say(`store: serving ${listen}`);
      } else network.reload(material);
      served = material.cert;
    }
    return kept.settled;
  }

  return {
    store,
    async tend() {
      const settled = await certificate();
      const { admitted } = await answerJoins({ store, clock, random, say });
      return settled && admitted.length === 0;
    },
    async close() {
      await Promise.all([local.close(1_000), network?.close(1_000)]);
      await store.close();
    },
  };
}

/** The folder's own where it is there; else of who makes it. */
async function ownerOf(files: NodeFiles, folder: string, user: string): Promise<Omit<Ownership, "mode">> {
  const there = await files.ownership(folder);
  if (there !== undefined) return { user: String(there.uid), group: String(there.gid) };
  return { user, group: user };
}
