import { certificatesOf, gatewayCertificate, gatewayInstance } from "../components/certificates.ts";
import { answerRequest, issueOwn, requestOwn, type Issuing, type Keeper, type Kept } from "../components/keeper.ts";
import { rosterOf, type NodePorts } from "../components/node.ts";
import { pkiFolder } from "../components/etcd/paths.ts";
import type { Purpose } from "../pki/purpose.ts";
import { listRecords, readRecord } from "../records/access.ts";

/** The issuing authorities, which only control nodes can read; read once, they never change. */
function issuing({ store }: NodePorts): () => Promise<Issuing> {
  let root: string | undefined;
  const known = new Map<Purpose, Awaited<ReturnType<Issuing["issuer"]>>>();
  return async () => {
    root ??= (await readRecord(store, "root"))?.value.certificate;
    if (root === undefined) throw new Error("the store has no root certificate");
    return {
      root,
      async issuer(purpose) {
        const there = known.get(purpose) ?? (await readRecord(store, "issuer", { purpose }))?.value;
        if (there === undefined) throw new Error(`the store has no ${purpose} authority`);
        known.set(purpose, there);
        return there;
      },
    };
  };
}

/** Keeps this node's certificates, and on a control node answers everyone else's requests. */
export class CertificateKeeper {
  readonly #node: NodePorts;
  readonly #keeper: Keeper;
  readonly #issuing: () => Promise<Issuing>;
  readonly #gateway: string;
  readonly #life: number | undefined;

  /** `gateway` is the address at which nodes reach the store; `life` (milliseconds) is for tests with short certificates. */
  constructor(node: NodePorts, gateway: string, life: number | undefined) {
    this.#node = node;
    this.#gateway = gateway;
    this.#life = life;
    this.#issuing = issuing(node);
    const { store, files, clock, random, me } = node;
    this.#keeper = {
      store,
      files,
      clock,
      random,
      instance: me.instance,
      // etcd runs as its own user and reads its keys itself.
      kept: { folder: pkiFolder, owner: (purpose) => (purpose === "etcd-peer" || purpose === "etcd-server" ? "etcd" : "root") },
      ...(life === undefined ? {} : { life }),
    };
  }

  async keep(share: boolean): Promise<Kept> {
    const templates = certificatesOf(this.#node.me, { share });
    return this.#node.me.role === "control" ? issueOwn(this.#keeper, templates, await this.#issuing()) : requestOwn(this.#keeper, templates);
  }

  /** Signs what the roster allows. An instance that is not present gets nothing. */
  async answer(share: boolean): Promise<number> {
    const { store, clock } = this.#node;
    const requests = await listRecords(store, "request");
    if (requests.length === 0) return 0;
    const roster = await rosterOf(store);
    const authorities = await this.#issuing();
    let answered = 0;
    for (const { key } of requests) {
      const instance = key.slice(key.lastIndexOf("/") + 1);
      const entry = roster.find((candidate) => candidate.instance === instance);
      const templates =
        instance === gatewayInstance ? [gatewayCertificate(this.#gateway)] : entry?.state === "present" ? certificatesOf(entry, { share }) : undefined;
      if (templates === undefined) continue;
      if (await answerRequest(store, instance, templates, authorities, clock.now(), this.#life)) {
        answered++;
        this.#node.say(`certificates of ${entry?.node ?? instance} are signed`);
      }
    }
    return answered;
  }
}
