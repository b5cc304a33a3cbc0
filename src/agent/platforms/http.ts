import { createHash } from "node:crypto";
import { pkiFolder } from "../../components/etcd/paths.ts";
import type { NodeFiles } from "../../host/nodeFiles.ts";
import type { Processes } from "../../host/processes.ts";
import { httpStore } from "../../store/client.ts";
import { nameHost, type Joined } from "./files.ts";
import type { Arrival } from "./local.ts";
import type { Platform } from "./platform.ts";

/** A node whose store is a server: it shows its token at first, and from then on its certificate. */
export async function httpPlatform(
  ports: {
    readonly files: NodeFiles;
    readonly processes: Processes;
    readonly say: (message: string) => void;
    readonly signal: AbortSignal;
  },
  who: Arrival | Joined,
): Promise<Platform> {
  const { files, processes, say, signal } = ports;
  const { instance, token, store: url, pin } = who;
  const joined = "ask" in who ? who : undefined;
  let certificate: { readonly cert: string; readonly key: string } | undefined;
  const readCertificate = async (): Promise<void> => {
    const [cert, key] = await Promise.all([files.read(`${pkiFolder}/store.crt`), files.read(`${pkiFolder}/store.key`)]);
    certificate = cert === undefined || key === undefined ? undefined : { cert, key };
  };
  await readCertificate();
  const store = httpStore({ url, pin, tls: () => certificate ?? {}, token: { instance, token }, signal });
  return {
    instance,
    store,
    gateway: new URL(url).hostname,
    // Of a machine that joined, the system may be another one over the same data.
    life: createHash("sha256")
      .update(`${token}${joined?.machine ?? ""}`)
      .digest("hex")
      .slice(0, 16),
    ask: async () => joined?.ask(),
    async admitted(node) {
      if (joined === undefined) return;
      await joined.admitted();
      await nameHost(processes, node, say);
    },
    certificatesChanged: readCertificate,
    tend: async () => joined?.keep(),
    close: () => store.close(),
  };
}
