import { expect, test } from "vitest";
import { launch } from "../../src/operations/launch.ts";
import { readRecord } from "../../src/records/access.ts";
import { decryptKey } from "../../src/pki/recovery.ts";
import { killEverywhere } from "./kill.ts";
import { demoCluster, memoryWorld, type Operator } from "./memory-target.ts";

const first = ({ context }: Operator): Promise<unknown> => launch(context, { cluster: demoCluster(3, 2) });

test("a first launch that is killed at any call is completed by the same command", async () => {
  const points = await killEverywhere({
    base: async () => memoryWorld(),
    command: first,
    async after(world, killed, resumed) {
      // The owner has been shown the key that opens the root's, whichever run showed it.
      const root = await readRecord(world.engine.store("demo")!, "root");
      const shown = [...killed.events, ...resumed.events].flatMap((event) =>
        event.name === "root.recoveryKey" ? [event.key] : [],
      );
      expect(await decryptKey(root?.value.encryptedKey ?? "", shown.at(-1) ?? "")).toContain("PRIVATE KEY");
    },
  });
  expect(points).toBeGreaterThan(60);
}, 300_000);
