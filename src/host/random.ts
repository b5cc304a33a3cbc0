import { randomBytes } from "node:crypto";

/** Randomness as a port. */
export interface Random {
  /** Hex text of so many random bytes. */
  hex(bytes: number): string;
  /** In [0, 1). */
  fraction(): number;
}

export const systemRandom: Random = {
  hex: (bytes) => randomBytes(bytes).toString("hex"),
  fraction: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
};
