import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { status, succeeds, untilTrue } from "./harness.ts";

type Credentials = { readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer };

/** What `slipway env` gives a person's own etcdctl. */
async function credentials(cluster: string): Promise<Credentials> {
  const folder = mkdtempSync(join(tmpdir(), "slipway-writer-"));
  try {
    await succeeds(["env", cluster], { environment: { XDG_RUNTIME_DIR: folder } });
    const [ca, cert, key] = ["ca", "cert", "key"].map((part) =>
      readFileSync(join(folder, "slipway", cluster, `etcd-${part}.pem`)),
    );
    if (ca === undefined || cert === undefined || key === undefined) throw new Error("no credentials");
    return { ca, cert, key };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Whether one member has acknowledged the write. */
function put(host: string, key: string, value: string, credentials: Credentials): Promise<boolean> {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  return new Promise((resolve) => {
    const asked = request(
      { host, port: 2379, path: "/v3/kv/put", method: "POST", timeout: 3_000, ...credentials },
      (answer) => {
        answer.resume();
        answer.on("end", () => resolve(answer.statusCode === 200));
        answer.on("error", () => resolve(false));
      },
    );
    asked.on("timeout", () => asked.destroy());
    // Nobody has acknowledged it, which is all that is asked.
    asked.on("error", () => resolve(false));
    asked.end(JSON.stringify({ key: base64(key), value: base64(value) }));
  });
}

export type Writer = {
  /** The numbers of the writes that were acknowledged. */
  readonly acked: readonly number[];
  /** Comes back when writes are acknowledged again. */
  more(): Promise<void>;
  stop(): Promise<void>;
};

/**
 * Writes `value N` to the key `PREFIX N`, one number after the other, through any control node that takes it, until it is
 * stopped. From this process: an etcdctl in a container for each was a tenth of the machine.
 */
export async function writer(cluster: string, prefix: string): Promise<Writer> {
  const [credential, { nodes }] = await Promise.all([credentials(cluster), status(cluster)]);
  const hosts = nodes.filter(({ role }) => role === "control").map(({ address }) => address);
  const acked: number[] = [];
  let going = true;
  const done = (async () => {
    for (let n = 1; going; n++) {
      if (await put(hosts[n % hosts.length] ?? "", `${prefix}${n}`, `value ${n}`, credential)) acked.push(n);
      await pause(200);
    }
  })();
  return {
    acked,
    async more() {
      const before = acked.length;
      await untilTrue("etcd takes writes", async () => acked.length > before + 1, 30_000);
    },
    async stop() {
      going = false;
      await done;
    },
  };
}
