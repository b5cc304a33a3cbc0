import type { Cluster, SecretSource } from "../cluster/cluster.ts";
import { hostPart, readRecord, updateRecord } from "../records/access.ts";
import type { ClusterStore } from "../store/store.ts";
import { OperationError, type Context } from "./context.ts";
import { secretName } from "./revision.ts";

/** The value behind a reference; it goes to the store and nowhere else. */
async function valueOf(context: Context, source: SecretSource, what: string): Promise<string> {
  if (source.kind === "environment") {
    const value = context.environment[source.variable];
    if (value === undefined || value === "")
      throw new OperationError(`${what} comes from the environment variable ${source.variable}, which is not set`);
    return value;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await context.readFile(source.path));
  } catch (error) {
    throw new OperationError(
      `${what} comes from the file ${source.path}, which cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      undefined,
      { cause: error },
    );
  }
}

type Given = { readonly key: string; readonly what: string; readonly source: SecretSource };

function secretsOf(cluster: Cluster): readonly (Given & { readonly service: string; readonly secret: string })[] {
  return cluster.services.flatMap((service) =>
    service.secrets.map(({ name, source }) => ({
      key: secretName(service.name, name),
      what: `the secret ${name} of ${service.name}`,
      source,
      service: service.name,
      secret: name,
    })),
  );
}

/**
 * Which versions of secrets and logins the store would have after a launch. `write`: puts changed values there; else a value
 * that differs from the store's counts as version "changed".
 */
export async function secretVersions(
  context: Context,
  store: ClusterStore | undefined,
  cluster: Cluster,
  write: boolean,
): Promise<ReadonlyMap<string, string>> {
  const versions = new Map<string, string>();
  for (const { key, what, source } of secretsOf(cluster)) {
    const value = await valueOf(context, source, what);
    const there = store === undefined ? undefined : (await readRecord(store, "secret", { name: key }))?.value;
    if (there?.value === value) versions.set(key, there.version);
    else if (!write || store === undefined) versions.set(key, "changed");
    else {
      const version = context.random.hex(4);
      await updateRecord(store, "secret", { name: key }, () => ({ value, version }));
      versions.set(key, version);
    }
  }
  for (const { host, username, password } of cluster.registries) {
    const value = (await valueOf(context, password, `the password for ${host}`)).trim();
    const there = store === undefined ? undefined : (await readRecord(store, "login", { host: hostPart(host) }))?.value;
    if (there?.password === value && there.username === username) versions.set(host, there.version);
    else if (!write || store === undefined) versions.set(host, "changed");
    else {
      const version = context.random.hex(4);
      await updateRecord(store, "login", { host: hostPart(host) }, () => ({
        host,
        username,
        password: value,
        version,
      }));
      versions.set(host, version);
    }
  }
  return versions;
}
