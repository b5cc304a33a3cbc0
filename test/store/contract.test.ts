import { join } from "node:path";
import { beforeAll } from "vitest";
import { systemRandom } from "../../src/host/random.ts";
import type { Caller, StoreRules } from "../../src/store/caller.ts";
import { httpStore } from "../../src/store/client.ts";
import { diskStore } from "../../src/store/disk.ts";
import { serveStore } from "../../src/store/listen.ts";
import { memoryStore } from "../../src/store/memory.ts";
import { clientCertificate, type Issued, trust } from "./certificates.ts";
import { storeContract } from "./contract.ts";
import { temporaryFolder } from "./places.ts";

const open: StoreRules<Caller> = {
  authenticate: async (caller) => {
    const known = caller.kind === "local" || caller.certificate?.name === "worker-1";
    return known ? { kind: "known", principal: caller } : { kind: "unknown", why: "not known here" };
  },
  authorise: () => ({ allowed: true }),
  checkWrite: () => ({ kind: "good" }),
};

storeContract("memory", async () => ({ store: memoryStore(systemRandom), close: async () => {} }));

storeContract("disk", async () => {
  const { folder, remove } = await temporaryFolder();
  const store = await diskStore(join(folder, "store"));
  return {
    store,
    close: async () => {
      await store.close();
      await remove();
    },
  };
});

storeContract("http over a unix socket", async () => {
  const { folder, remove } = await temporaryFolder();
  const socketPath = join(folder, "store.sock");
  const served = await serveStore({
    store: memoryStore(systemRandom),
    rules: open,
    unixSocket: socketPath,
  });
  const store = httpStore({ socketPath });
  return {
    store,
    close: async () => {
      store.close();
      await served.close();
      await remove();
    },
  };
});

let pki: Awaited<ReturnType<typeof trust>>;
let client: Issued;
beforeAll(async () => {
  pki = await trust();
  client = await clientCertificate(pki.issuer, "CN=worker-1,OU=worker,O=worker");
});

storeContract("https with certificates on both sides", async () => {
  const { root, issuer, server, chain } = pki;
  const served = await serveStore({
    store: memoryStore(systemRandom),
    rules: open,
    network: {
      tls: { key: server.key, cert: chain, clientCa: issuer.cert },
      host: "127.0.0.1",
      port: 0,
    },
  });
  const store = httpStore({
    url: `https://127.0.0.1:${served.port}`,
    tls: () => ({ ca: root.cert, cert: client.cert, key: client.key }),
  });
  return {
    store,
    close: async () => {
      store.close();
      await served.close();
    },
  };
});
