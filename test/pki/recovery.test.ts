import { describe, expect, test } from "vitest";
import { Decrypter, armor } from "age-encryption";
import { decryptKey, encryptKey, makeRecoveryKey, RecoveryError } from "../../src/pki/recovery.ts";
import { makeKey } from "../../src/pki/request.ts";

describe("the root's key at rest", () => {
  test("is an armored age file for an X25519 recipient, which any age opens", async () => {
    const { identity, recipient } = await makeRecoveryKey();
    expect(identity).toMatch(/^AGE-SECRET-KEY-1[A-Z0-9]+$/);
    expect(recipient).toMatch(/^age1[a-z0-9]+$/);
    const key = makeKey();
    const text = await encryptKey(key, [recipient]);
    expect(text).toMatch(
      /^-----BEGIN AGE ENCRYPTED FILE-----\n(?:[A-Za-z0-9+/=]{1,64}\n)+-----END AGE ENCRYPTED FILE-----\n$/,
    );
    const file = Buffer.from(armor.decode(text));
    expect(file.toString("latin1")).toMatch(/^age-encryption\.org\/v1\n-> X25519 [A-Za-z0-9+/]{43}\n/);
    expect(text).not.toContain("PRIVATE KEY");
    const plain = new Decrypter();
    plain.addIdentity(identity);
    expect(await plain.decrypt(file, "text")).toBe(key);
    expect(await decryptKey(`\n${text}`, ` ${identity}\n`)).toBe(key);
  });

  test("opens for each recipient, and for nobody else", async () => {
    const [one, two, other] = await Promise.all([makeRecoveryKey(), makeRecoveryKey(), makeRecoveryKey()]);
    const text = await encryptKey("secret", [one.recipient, two.recipient]);
    expect(await decryptKey(text, one.identity)).toBe("secret");
    expect(await decryptKey(text, two.identity)).toBe("secret");
    await expect(decryptKey(text, other.identity)).rejects.toThrow(RecoveryError);
  });

  test("no recipient, a bad one, a mistyped identity, a changed file: errors that show no secret", async () => {
    const { identity, recipient } = await makeRecoveryKey();
    await expect(encryptKey("secret", [])).rejects.toThrow(/at least one recipient/);
    await expect(encryptKey("secret", ["age1nobody"])).rejects.toThrow(/not an age recipient: age1nobody/);
    const text = await encryptKey("secret", [recipient]);
    const typo = identity.replace(/.$/, (end) => (end === "Q" ? "P" : "Q"));
    const failure = await decryptKey(text, typo).then(
      () => "opened",
      (error: unknown) => (error instanceof RecoveryError ? error.message : "another error"),
    );
    expect(failure).toMatch(/not an age identity/);
    expect(failure).not.toContain(typo.slice(20));
    const bytes = armor.decode(text);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await expect(decryptKey(armor.encode(bytes), identity)).rejects.toThrow(/does not open/);
    await expect(decryptKey("nonsense", identity)).rejects.toThrow(/does not open/);
  });
});
