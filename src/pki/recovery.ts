export type RecoveryKey = {
  /** `AGE-SECRET-KEY-1…`: shown once, kept by the operator, opens the root key with plain `age -d`. */
  readonly identity: string;
  /** `age1…`: public, kept beside what is encrypted to it. */
  readonly recipient: string;
};

/** The text cannot be opened: a wrong identity, or not an age file. */
export class RecoveryError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "RecoveryError";
  }
}

/** A new X25519 key of the age format. */
export async function makeRecoveryKey(): Promise<RecoveryKey> {
  const age = await import("age-encryption");
  const identity = await age.generateX25519Identity();
  return { identity, recipient: await age.identityToRecipient(identity) };
}

/** The text encrypted to every recipient, as an armored age file. Throws when there is no recipient. */
export async function encryptKey(pem: string, recipients: readonly string[]): Promise<string> {
  if (recipients.length === 0) throw new RecoveryError("a key is encrypted to at least one recipient");
  const age = await import("age-encryption");
  const encrypter = new age.Encrypter();
  for (const recipient of recipients) {
    try {
      encrypter.addRecipient(recipient);
    } catch (cause) {
      throw new RecoveryError(`not an age recipient: ${recipient}`, { cause });
    }
  }
  return age.armor.encode(await encrypter.encrypt(pem));
}

/** The text of an armored age file. Throws `RecoveryError`, which never shows the identity. */
export async function decryptKey(armored: string, identity: string): Promise<string> {
  const age = await import("age-encryption");
  const decrypter = new age.Decrypter();
  try {
    decrypter.addIdentity(identity.trim());
  } catch {
    // The library's message may quote the text, and a mistyped secret is still a secret.
    throw new RecoveryError("not an age identity: it begins with AGE-SECRET-KEY-1");
  }
  try {
    return await decrypter.decrypt(age.armor.decode(armored), "text");
  } catch (cause) {
    throw new RecoveryError("the recovery key does not open this file", { cause });
  }
}
