import { Agent } from "node:https";
import { isIP } from "node:net";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { exchange, openStream, type Answer, type Ask, type Body, type Stream } from "./exchange.ts";
import { HttpError, TlsError } from "./failure.ts";
import { clientContext, materialText, type Material, type TlsVersion } from "./material.ts";

export { HttpError, TlsError } from "./failure.ts";
export { reloadableContext, type Material } from "./material.ts";
export type { Answer, Ask, Body, Stream } from "./exchange.ts";

export type MutualTlsOptions = {
  /** Read at the first request and at each `reload`. */
  readonly read: () => Material | Promise<Material>;
  /** Whom the server's certificate must be for; by default for the host of the URL. */
  readonly expect?: {
    /** A DNS name or an address among its alternative names, in place of the URL's host. */
    readonly name?: string;
    readonly commonName?: string;
  };
  /** TLS 1.2 by default, which etcd's clients and servers still speak. */
  readonly minVersion?: TlsVersion;
  /** How long an idle connection is kept, milliseconds; 4 seconds by default, below Node's servers' 5. */
  readonly idle?: number;
};

export interface MutualTls {
  request(ask: Ask, body?: Body): Promise<Answer>;
  stream(ask: Ask, body?: Body): Promise<Stream>;
  /** New requests show the new certificate, those in flight go on; false: it has not changed. Throws and keeps the old when it is unusable. */
  reload(): Promise<boolean>;
  /** Ends all connections, also those in use. */
  close(): void;
}

/** The connections that were made with one state of the material. */
type Generation = {
  readonly agent: Agent;
  readonly text: string;
  active: number;
  retired: boolean;
};

/** HTTPS with certificates on both sides, connections kept, certificates replaced while it runs. */
export function mutualTls(options: MutualTlsOptions): MutualTls {
  const generations = new Set<Generation>();
  let current: Generation | undefined;
  let loading: Promise<Generation> | undefined;
  let closed = false;

  async function load(): Promise<Generation> {
    const material = await options.read();
    const text = materialText(material);
    const old = current;
    if (old?.text === text) return old;
    const made = { agent: agentFor(options, material), text, active: 0, retired: closed };
    generations.add(made);
    current = made;
    if (old !== undefined) {
      old.retired = true;
      removeIdle(old);
    }
    return made;
  }
  /** Two readers at once would race for which is the newest: they share one reading. */
  function loadOnce(): Promise<Generation> {
    loading ??= load().finally(() => {
      loading = undefined;
    });
    return loading;
  }
  function removeIdle(generation: Generation): void {
    if (!generation.retired || generation.active > 0) return;
    generations.delete(generation);
    generation.agent.destroy();
  }
  async function use<T>(
    ask: Ask,
    work: (agent: Agent, released: () => void) => Promise<T>,
  ): Promise<T> {
    const method = ask.method ?? "GET";
    let generation: Generation;
    try {
      generation = current ?? (await loadOnce());
    } catch (cause) {
      throw new TlsError(method, new URL(ask.url), "our own certificates are unusable", { cause });
    }
    if (closed) throw new HttpError("aborted", method, new URL(ask.url), "this client is closed");
    generation.active += 1;
    return work(generation.agent, () => {
      generation.active -= 1;
      removeIdle(generation);
    });
  }

  return {
    request: (ask, body) => use(ask, (agent, released) => exchange(agent, ask, body, released)),
    stream: (ask, body) => use(ask, (agent, released) => openStream(agent, ask, body, released)),
    async reload() {
      // A reading that began before this call may have seen the old files.
      if (loading !== undefined) await Promise.allSettled([loading]);
      const before = current;
      return (await loadOnce()) !== before;
    },
    close() {
      closed = true;
      for (const generation of generations) generation.agent.destroy();
      generations.clear();
    },
  };
}

function agentFor(options: MutualTlsOptions, material: Material): Agent {
  const { expect } = options;
  const name = expect?.name;
  return new Agent({
    secureContext: clientContext(material, options.minVersion),
    keepAlive: true,
    maxFreeSockets: 8,
    scheduling: "lifo",
    timeout: options.idle ?? 4000,
    ...(name === undefined || isIP(name) !== 0 ? {} : { servername: name }),
    checkServerIdentity: (host: string, certificate: PeerCertificate): Error | undefined => {
      const wrongName = checkServerIdentity(name ?? host, certificate);
      if (wrongName !== undefined) return wrongName;
      const commonName: unknown = certificate.subject?.CN;
      if (expect?.commonName === undefined || commonName === expect.commonName) return undefined;
      return new WrongPeer(
        `the server is ${JSON.stringify(commonName)}, expected ${expect.commonName}`,
      );
    },
  });
}

/** The server's certificate is good, but somebody else's. */
class WrongPeer extends Error {
  readonly code = "ERR_TLS_WRONG_PEER";
}
