import { readRecord } from "../../records/access.ts";
import type { NodePorts } from "../node.ts";
import { clientPort, gatewayEnvironment, gatewayUnit, pkiFolder } from "./paths.ts";

const certificateFiles = ["crt", "key", "ca.crt"].map((end) => `${pkiFolder}/etcd-client.${end}`);
const owner = { mode: 0o644, user: "root", group: "root" } as const;

/** A worker's side of a shared prefix: its local endpoint leads to the control nodes' etcd, while the file shares something. */
export class WorkerEtcd {
  #runs = false;

  /** `waits` says what is missing; `moved`: something was changed on this node. */
  async settle(node: NodePorts): Promise<{ readonly waits?: string; readonly moved: boolean }> {
    const { store, files, systemd } = node;
    const share = node.wanted()?.group.wanted.etcd?.share;
    if (share === undefined) return { moved: await this.#forget(node) };
    const told = (await readRecord(store, "workerEtcd"))?.value;
    if (told?.share !== share) return { waits: `no control node has shared ${share} yet`, moved: false };
    if ((await files.read(`${pkiFolder}/etcd-client.crt`)) === undefined)
      return { waits: "its certificate for etcd is not there yet", moved: false };
    const text = `SLIPWAY_ETCD_ENDPOINTS=${told.addresses.map((address) => `${address}:${clientPort}`).join(",")}\n`;
    if ((await files.read(gatewayEnvironment)) !== text) {
      await files.write(gatewayEnvironment, text, owner);
      await systemd.resetFailed(gatewayUnit);
      await systemd.restart([gatewayUnit]);
      this.#runs = false;
    }
    if (this.#runs) return { moved: false };
    const state = (await systemd.states([gatewayUnit])).get(gatewayUnit);
    if (state?.active === "active") {
      this.#runs = true;
      return { moved: true };
    }
    // Its condition was not met when systemd looked at it.
    if (state?.active === "inactive") await systemd.start([gatewayUnit]);
    return { waits: `${gatewayUnit} is ${state?.active ?? "not there"}`, moved: true };
  }

  /** The unit goes with the machine config that had it; what the agent wrote beside it goes here. */
  async #forget({ files }: NodePorts): Promise<boolean> {
    this.#runs = false;
    const there = await Promise.all(
      [gatewayEnvironment, ...certificateFiles].map(async (path) =>
        (await files.read(path)) === undefined ? [] : [path],
      ),
    );
    for (const path of there.flat()) await files.remove(path);
    return there.flat().length > 0;
  }
}
