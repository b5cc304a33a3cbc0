import { createHash } from "node:crypto";
import type { Clock } from "../host/clock.ts";
import type { NodeFiles } from "../host/nodeFiles.ts";
import type { Random } from "../host/random.ts";
import type { Authority } from "../pki/authority.ts";
import type { CertificateTemplate, Purpose } from "../pki/purpose.ts";
import { certificatesIn, describeCertificate, due, isForKey } from "../pki/renewal.ts";
import { readRecord, updateRecord } from "../records/access.ts";
import type { RecordValue } from "../records/table.ts";
import type { ClusterStore } from "../store/store.ts";

/** Where keys and certificates lie; `owner` may differ by purpose, for programs that do not run as root. */
export type KeptFiles = {
  readonly folder: string;
  readonly owner: (purpose: string) => string;
};

export type Issuing = {
  /** The authority of a purpose with its key; only control nodes and operators have it. */
  readonly issuer: (purpose: Purpose) => Promise<Authority & { readonly anchor: string }>;
  readonly root: string;
};

export type Keeper = {
  readonly store: ClusterStore;
  readonly files: NodeFiles;
  readonly clock: Clock;
  readonly random: Random;
  readonly instance: string;
  readonly kept: KeptFiles;
  /** How long a certificate that is issued here lives, in milliseconds. */
  readonly life?: number;
  /** Where a provider knows who an instance is. */
  readonly proving?: Proving;
};

/** A provider's word for who an instance is, which no other instance can show, bound to what it is shown for. */
export type Proving = {
  /** `binding`: hexadecimal digits. */
  prove(binding: string): Promise<string>;
  /** Throws when the proof is not this instance's, or not for this. */
  check(instance: string, proof: string, binding: string): Promise<void>;
};

/** What a proof is bound to: these requests and this nonce. */
export function bindingOf({ requests, nonce }: Pick<RecordValue<"request">, "requests" | "nonce">): string {
  const sorted = Object.entries(requests).toSorted(([one], [two]) => (one < two ? -1 : 1));
  return createHash("sha256")
    .update(JSON.stringify([nonce, sorted]))
    .digest("hex");
}

export type Kept = {
  /** Whether all certificates are there and none is due. */
  readonly settled: boolean;
  readonly changed: readonly string[];
  /** notAfter by purpose. */
  readonly ends: Readonly<Record<string, number>>;
  readonly why: string;
};

const keyMode = 0o600;

/** The life of a certificate that is signed now, where it is not the usual one. */
function lifeOf(template: CertificateTemplate, wanted: number | undefined): { readonly life?: number } {
  const lives = [template.life, wanted].filter((life) => life !== undefined);
  return lives.length === 0 ? {} : { life: Math.min(...lives) };
}

async function needed(
  keeper: Keeper,
  templates: readonly CertificateTemplate[],
): Promise<{ missing: CertificateTemplate[]; ends: Record<string, number> }> {
  const missing: CertificateTemplate[] = [];
  const ends: Record<string, number> = {};
  for (const template of templates) {
    const [text, key] = await Promise.all(
      ["crt", "key"].map((end) => keeper.files.read(`${keeper.kept.folder}/${template.purpose}.${end}`)),
    );
    // A key that was lost and made anew makes its old certificate useless.
    if (text === undefined || key === undefined || !isForKey(text, key)) {
      missing.push(template);
      continue;
    }
    const described = describeCertificate(text);
    ends[template.purpose] = described.notAfter;
    const same =
      described.commonName === template.commonName &&
      template.addresses.every((address) => described.addresses.includes(address)) &&
      template.names.every((name) => described.names.includes(name));
    if (!same || due(described, keeper.clock.now())) missing.push(template);
  }
  return { missing, ends };
}

/** The key of one purpose: made once on this node, never leaves it; renewals keep it, so that key and certificate always fit. */
async function keyFor(keeper: Keeper, purpose: string): Promise<string> {
  const path = `${keeper.kept.folder}/${purpose}.key`;
  const there = await keeper.files.read(path);
  if (there !== undefined) return there;
  const { makeKey } = await import("../pki/request.ts");
  const key = makeKey();
  const user = keeper.kept.owner(purpose);
  await keeper.files.create(path, key, { mode: keyMode, user, group: user });
  return (await keeper.files.read(path)) ?? key;
}

async function install(keeper: Keeper, template: CertificateTemplate, chain: string, authority: string): Promise<void> {
  const user = keeper.kept.owner(template.purpose);
  const owner = { mode: 0o644, user, group: user };
  const base = `${keeper.kept.folder}/${template.purpose}`;
  if ((await keeper.files.read(`${base}.ca.crt`)) !== authority)
    await keeper.files.write(`${base}.ca.crt`, authority, owner);
  await keeper.files.write(`${base}.crt`, chain, owner);
}

/** Issues what is missing or due with authorities at hand: a control node for itself. */
export async function issueOwn(
  keeper: Keeper,
  templates: readonly CertificateTemplate[],
  issuing: Issuing,
): Promise<Kept> {
  const { missing, ends } = await needed(keeper, templates);
  if (missing.length === 0) return { settled: true, changed: [], ends, why: "" };
  const { makeRequest, signRequest } = await import("../pki/request.ts");
  for (const template of missing) {
    const key = await keyFor(keeper, template.purpose);
    const issuer = await issuing.issuer(template.issuer);
    const chain = await signRequest({
      csr: await makeRequest(key, template),
      issuer,
      template,
      now: keeper.clock.now(),
      root: issuing.root,
      ...lifeOf(template, keeper.life),
    });
    // Programs on OpenSSL (socat, Node's servers) trust the anchor; Go's take either form.
    await install(keeper, template, chain, issuer.anchor);
    ends[template.purpose] = describeCertificate(chain).notAfter;
  }
  return { settled: true, changed: missing.map((template) => template.purpose), ends, why: "" };
}

/** Asks for what is missing or due through the store and installs the answer when it has come. */
export async function requestOwn(keeper: Keeper, templates: readonly CertificateTemplate[]): Promise<Kept> {
  const { missing, ends } = await needed(keeper, templates);
  if (missing.length === 0) return { settled: true, changed: [], ends, why: "" };
  const { store, instance } = keeper;
  const [asked, answered] = await Promise.all([
    readRecord(store, "request", { instance }),
    readRecord(store, "certificate", { instance }),
  ]);
  const covers =
    asked !== undefined && missing.every((template) => asked.value.requests[template.purpose] !== undefined);
  if (covers && answered !== undefined && answered.value.answers === asked.value.nonce) {
    const changed: string[] = [];
    for (const template of missing) {
      const bundle = answered.value.certificates[template.purpose];
      if (bundle === undefined) continue;
      const described = describeCertificate(bundle);
      if (due(described, keeper.clock.now()) || !isForKey(bundle, await keyFor(keeper, template.purpose))) continue;
      const authority = certificatesIn(bundle)[1];
      if (authority === undefined) continue;
      await install(keeper, template, bundle, answered.value.certificates[`${template.purpose}.anchor`] ?? authority);
      ends[template.purpose] = described.notAfter;
      changed.push(template.purpose);
    }
    if (changed.length === missing.length) return { settled: true, changed, ends, why: "" };
  } else if (covers && answered?.value.answers !== asked.value.nonce && !isStale(asked.value, keeper.clock.now())) {
    return { settled: false, changed: [], ends, why: "waiting for a control node to sign the certificate request" };
  }
  const { makeRequest } = await import("../pki/request.ts");
  const requests: Record<string, string> = {};
  for (const template of missing)
    requests[template.purpose] = await makeRequest(await keyFor(keeper, template.purpose), template);
  const request = { requests, nonce: keeper.random.hex(8) };
  const text = await keeper.proving?.prove(bindingOf(request));
  const proof = text === undefined ? {} : { proof: { text, time: keeper.clock.now() } };
  await updateRecord(store, "request", { instance }, () => ({ ...request, ...proof }));
  return { settled: false, changed: [], ends, why: "asked for a certificate" };
}

/** AWS takes a signed request for 15 minutes: who has waited nearly as long asks again. Milliseconds. */
const provenFor = 10 * 60_000;

function isStale({ proof }: RecordValue<"request">, now: number): boolean {
  return proof !== undefined && now - proof.time > provenFor;
}

/** Answers the request of one instance: what its templates allow, and nothing else. */
export async function answerRequest(
  store: ClusterStore,
  instance: string,
  templates: readonly CertificateTemplate[],
  issuing: Issuing,
  now: number,
  { life, proving }: { readonly life?: number | undefined; readonly proving?: Proving | undefined } = {},
): Promise<boolean> {
  const [asked, answered] = await Promise.all([
    readRecord(store, "request", { instance }),
    readRecord(store, "certificate", { instance }),
  ]);
  if (asked === undefined || answered?.value.answers === asked.value.nonce) return false;
  await proving?.check(instance, asked.value.proof?.text ?? "", bindingOf(asked.value));
  const { signRequest } = await import("../pki/request.ts");
  const certificates: Record<string, string> = {};
  for (const template of templates) {
    const csr = asked.value.requests[template.purpose];
    if (csr === undefined) continue;
    const issuer = await issuing.issuer(template.issuer);
    certificates[template.purpose] = await signRequest({
      csr,
      issuer,
      template,
      now,
      root: issuing.root,
      ...lifeOf(template, life),
    });
    certificates[`${template.purpose}.anchor`] = issuer.anchor;
  }
  await updateRecord(store, "certificate", { instance }, (there) =>
    there?.answers === asked.value.nonce ? undefined : { certificates, answers: asked.value.nonce },
  );
  return true;
}
