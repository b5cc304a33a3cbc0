import { createHash } from "node:crypto";
import { connect } from "node:net";
import * as z from "zod/mini";
import { pkiFolder } from "../../components/etcd/paths.ts";
import type { NodeFiles } from "../../host/nodeFiles.ts";
import type { Processes } from "../../host/processes.ts";
import type { Random } from "../../host/random.ts";
import { encodeRecord, keyOf } from "../../records/access.ts";
import type { RecordValue } from "../../records/table.ts";
import { httpStore } from "../../store/client.ts";
import { bootstrapFile, tokenFile, type Arrival } from "./local.ts";
import { NoNode } from "./platform.ts";

const identityFile = "/var/lib/slipway/identity.json";
const owner = { mode: 0o600, user: "root", group: "root" } as const;

const identitySchema = z.object({
  instance: z.string(),
  token: z.string(),
  /** The id of the join token that this identity asked with; with another one a new identity asks. */
  asked: z.string(),
  /** Set when the store has let it in: from then on no join token is needed, and this identity stays. */
  admitted: z.boolean(),
  /** The mark of the machine that it was made on. Who takes it out says that this machine is to be the same node. */
  machine: z.optional(z.string()),
});
type Identity = z.infer<typeof identitySchema>;

export type Joining = {
  readonly files: NodeFiles;
  readonly random: Random;
  readonly say: (message: string) => void;
  readonly signal: AbortSignal;
};

/** This machine's way into the cluster: who it is, how it asks, and what it keeps when it is let in. */
export type Joined = Arrival & {
  /** This machine's mark. */
  readonly machine: string;
  /** Asks to join, unless this identity was let in before; asking twice is asking once. */
  readonly ask: () => Promise<void>;
  /** The store knows this identity. */
  readonly admitted: () => Promise<void>;
  /** Writes the identity again where a disk was mounted over it while this agent ran. */
  readonly keep: () => Promise<void>;
};

/** An identity that was let in from another machine: this one bears a copy of its disk, or its disk. */
export class OtherMachine extends NoNode {
  constructor(instance: string) {
    super(
      `this disk is that of another machine, which is ${instance} of the cluster, and one identity is not for two: set this machine up anew; only if that one is no more and this is to be the same node, take "machine" out of ${identityFile}, and start slipway-agent`,
    );
    this.name = "OtherMachine";
  }
}

/** What tells machines apart: the system's id, which is to be made anew on a copy, and the (virtual) hardware's, where it has one. */
async function machineMark(files: NodeFiles): Promise<string> {
  const ids = await Promise.all(["/etc/machine-id", "/sys/class/dmi/id/product_uuid"].map((path) => files.read(path)));
  return createHash("sha256")
    .update(ids.map((id) => id?.trim() ?? "").join("\n"))
    .digest("hex")
    .slice(0, 16);
}

async function readIdentity(files: NodeFiles): Promise<Identity | undefined> {
  const text = await files.read(identityFile);
  return text === undefined ? undefined : identitySchema.parse(JSON.parse(text));
}

/** The part of a join token that may be said aloud. */
function idOf(token: string): string {
  return token.split(".", 1)[0] ?? "";
}

/**
 * A machine that only got its group's user data: it makes its own identity, once, and the store's server turns it into a
 * node. Written to the disk before anyone hears of it, so that a machine that dies in between asks as the same one. On
 * another machine an identity that was let in is an `OtherMachine`.
 */
export async function joining({ files, random, say, signal }: Joining): Promise<Joined> {
  const [{ store: url, pin }, joinToken, kept, machine] = await Promise.all([
    bootstrapFile(files),
    tokenFile(files),
    readIdentity(files),
    machineMark(files),
  ]);
  if (pin === undefined) throw new Error("the user data names no pin of the store's root certificate");
  const foreign = kept?.machine !== undefined && kept.machine !== machine;
  if (foreign && kept.admitted) throw new OtherMachine(kept.instance);
  const asked = joinToken === undefined ? "" : idOf(joinToken);
  // What was refused with one token asks again, under another identity, with the next.
  const outdated = kept !== undefined && !kept.admitted && asked !== "" && (kept.asked !== asked || foreign);
  let identity: Identity;
  if (kept !== undefined && !outdated) {
    identity = { ...kept, machine };
    if (kept.machine === undefined) await files.write(identityFile, `${JSON.stringify(identity)}\n`, owner);
  } else {
    if (joinToken === undefined) throw new Error("this machine has neither an identity nor a join token");
    identity = { instance: `i-${random.hex(8)}`, token: random.hex(32), asked, admitted: false, machine };
    await files.write(identityFile, `${JSON.stringify(identity)}\n`, owner);
  }
  const { instance, token } = identity;
  let said = false;
  return {
    instance,
    store: url,
    pin,
    token,
    machine,
    async ask() {
      if (said || identity.admitted || joinToken === undefined) return;
      const address = await ownAddress(new URL(url), signal);
      const store = httpStore({ url, pin, tls: () => ({}), joinToken, signal });
      try {
        const tokenHash = createHash("sha256").update(token).digest("hex");
        const join: RecordValue<"join"> = { instance, token: asked, address, tokenHash, nonce: random.hex(8) };
        // Not `writeOnce`: who asks may not read, not even what it has written itself.
        await store.putIfAbsent(keyOf("join", { instance }), encodeRecord(join));
        said = true;
        say(`join: ${instance} asks with the token ${asked} from ${address}`);
      } finally {
        store.close();
      }
    },
    async admitted() {
      if (identity.admitted) return;
      identity = { ...identity, admitted: true };
      await files.write(identityFile, `${JSON.stringify(identity)}\n`, owner);
    },
    async keep() {
      if ((await files.read(identityFile)) !== undefined) return;
      await files.makeFolder(pkiFolder, { ...owner, mode: 0o755 });
      await files.write(identityFile, `${JSON.stringify(identity)}\n`, owner);
    },
  };
}

/** This machine's address in the cluster's network: the local end of a connection to the store. */
function ownAddress(url: URL, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: url.hostname, port: Number(url.port || 443), signal });
    socket.setTimeout(10_000, () => socket.destroy(new Error(`${url.host} does not answer`)));
    socket.once("connect", () => {
      const { localAddress } = socket;
      socket.destroy();
      if (localAddress === undefined) reject(new Error(`the connection to ${url.host} has no local address`));
      else resolve(localAddress.replace(/^::ffff:/, ""));
    });
    socket.once("error", reject);
  });
}

/** Gives the machine its node's name; where that is refused, as in some containers, it is said and nothing depends on it. */
export async function nameHost(processes: Processes, node: string, say: (message: string) => void): Promise<void> {
  try {
    await processes.run(["hostnamectl", "set-hostname", node], { timeout: 20_000 });
  } catch (error) {
    say(`host name: ${node} could not be set: ${error instanceof Error ? (error.message.split("\n")[0] ?? "") : ""}`);
  }
}
