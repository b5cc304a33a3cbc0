import { certificatesOf, gatewayCertificate, gatewayInstance } from "../components/certificates.ts";
import {
  answerRequest,
  issueOwn,
  requestOwn,
  type Issuing,
  type Keeper,
  type Kept,
  type Proving,
} from "../components/keeper.ts";
import { rosterOf, type NodePorts } from "../components/node.ts";
import { pkiFolder } from "../components/etcd/paths.ts";
import type { CertificateTemplate, Purpose } from "../pki/purpose.ts";
import { readRecord } from "../records/access.ts";

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

export type Certifying = {
  /** The address at which nodes reach the store. */
  readonly gateway: string;
  /** Milliseconds, for tests with short certificates. */
  readonly certificateLife: number | undefined;
  /** Where a provider knows who an instance is: requests for certificates carry its word. */
  readonly proving: Proving | undefined;
};

/** Keeps this node's certificates, and on a control node answers everyone else's requests. */
export class CertificateKeeper {
  readonly #node: NodePorts;
  readonly #keeper: Keeper;
  readonly #issuing: () => Promise<Issuing>;
  readonly #gateway: string;
  readonly #life: number | undefined;
  readonly #proving: Proving | undefined;
  readonly #answered = new Set<string>();
  #known: { readonly at: number; readonly share: boolean; readonly good: number; readonly kept: Kept } | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(node: NodePorts, { gateway, certificateLife: life, proving }: Certifying) {
    this.#node = node;
    this.#proving = proving;
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
      kept: {
        folder: pkiFolder,
        owner: (purpose) => (purpose === "etcd-peer" || purpose === "etcd-server" ? "etcd" : "root"),
      },
      ...(life === undefined ? {} : { life }),
      ...(proving === undefined ? {} : { proving }),
    };
  }

  /** Brings this node's certificates to what it should have; what was well is read again only after a while. */
  async keep(share: boolean): Promise<Kept> {
    const { me, clock } = this.#node;
    const templates = certificatesOf(me, { share });
    const known = this.#known;
    if (
      known !== undefined &&
      known.share === share &&
      clock.now() - known.at < known.good &&
      (await this.#areThere(templates))
    )
      return { ...known.kept, changed: [] };
    const kept = await (me.role === "control"
      ? issueOwn(this.#keeper, templates, await this.#issuing())
      : requestOwn(this.#keeper, templates));
    const rest = Math.min(...Object.values(kept.ends)) - clock.now();
    this.#known = kept.settled ? { at: clock.now(), share, good: Math.min(readAgain, rest / 20), kept } : undefined;
    return kept;
  }

  async #areThere(templates: readonly CertificateTemplate[]): Promise<boolean> {
    const paths = templates.flatMap(({ purpose }) => [`${pkiFolder}/${purpose}.key`, `${pkiFolder}/${purpose}.crt`]);
    const found = await Promise.all(paths.map((path) => this.#node.files.ownership(path)));
    return found.every((entry) => entry !== undefined);
  }

  /**
   * Signs what the roster allows; an instance that is not present gets nothing. Says whether a worker is expected that
   * has not asked yet, so that it will not have to wait for the next round at rest.
   */
  async answer(share: boolean): Promise<{ readonly expecting: boolean }> {
    const { store, clock } = this.#node;
    const keys = [...(await store.list("requests/")).keys()];
    const roster = await rosterOf(store);
    const asked = new Set(keys.map(instanceOf));
    const expecting = roster.some(
      (entry) => entry.state === "present" && entry.role === "worker" && !asked.has(entry.instance),
    );
    // Known requests are looked at again now and then, for renewals; new ones at once.
    const all = clock.now() - this.#lookedAt > lookAgain;
    const open = [...asked].filter((instance) => all || !this.#answered.has(instance));
    if (all) this.#lookedAt = clock.now();
    if (open.length === 0) return { expecting };
    const authorities = await this.#issuing();
    for (const instance of open) {
      const entry = roster.find((candidate) => candidate.instance === instance);
      const templates =
        instance === gatewayInstance
          ? [gatewayCertificate(this.#gateway)]
          : entry?.state === "present"
            ? certificatesOf(entry, { share })
            : undefined;
      if (templates === undefined) continue;
      const how = { life: this.#life, proving: this.#proving };
      try {
        if (await answerRequest(store, instance, templates, authorities, clock.now(), how))
          this.#node.say(`certificates of ${entry?.node ?? instance} are signed`);
        this.#answered.add(instance);
      } catch (error) {
        // One that cannot prove who it is must not keep the others waiting.
        if (this.#proving === undefined) throw error;
        const why = error instanceof Error ? error.message : String(error);
        this.#node.say(`certificates of ${entry?.node ?? instance} are not signed: ${why}`);
      }
    }
    return { expecting };
  }
}

/** How long certificates on disk that were well are taken to be so, milliseconds; short-lived ones a twentieth of their rest. */
const readAgain = 30_000;
/** How often requests that were answered before are looked at again, milliseconds. */
const lookAgain = 3_000;

function instanceOf(key: string): string {
  return key.slice(key.lastIndexOf("/") + 1);
}
