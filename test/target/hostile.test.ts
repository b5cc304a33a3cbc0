import { describe, expect, test } from "vitest";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { readCluster } from "../../src/cluster/read.ts";
import { serviceSpec } from "../../src/components/swarm/service-spec.ts";
import { launch } from "../../src/operations/launch.ts";
import { describe as describeRevision, secretName } from "../../src/operations/revision.ts";
import { listRecords, readRecord } from "../../src/records/access.ts";
import { yamlText } from "../../src/spec/write.ts";
import { complete } from "./kill.ts";
import { clusterOf, memoryWorld, operator } from "./memory-target.ts";

const hostile: readonly string[] = [
  "one\ntwo: three",
  `it's "quoted" \\ twice`,
  "$(touch /tmp/owned)",
  "`reboot`",
  "%n %% %h %i",
  "${HOME} $$ $PATH",
  "a; rm -rf / #",
  "nul\\0\u0000byte",
  "line\u2028paragraph\u2029end",
  "--privileged -v /:/host",
  "{{.Id}} <&> | * ? ~ !",
];

type File = { [key: string]: unknown };
type Place = readonly (string | number)[];

/** A file that uses every field that takes text. */
const whole = (): File => ({
  name: "demo",
  target: "docker",
  orchestrator: "swarm",
  groups: {
    control: { role: "control", count: 1 },
    worker: {
      count: 1,
      labels: { disk: "ssd", note: "text" },
      files: [{ path: "/etc/note", content: "text", mode: "0644", user: "root", group: "root" }],
      units: [
        {
          name: "extra.service",
          content: "[Service]\nExecStart=/bin/true\n",
          drop_ins: [{ name: "10-more.conf", content: "[Service]\nNice=1\n" }],
        },
      ],
    },
  },
  services: {
    web: {
      image: "demo/hello",
      command: ["run", "it"],
      ports: ["8080:80"],
      environment: { GREETING: "hello" },
      labels: { team: "ops" },
      mounts: [
        { type: "volume", source: "data", target: "/var/lib/web" },
        { type: "bind", source: "/srv", target: "/srv/web" },
      ],
      health: { command: ["true"], interval: "10s", timeout: "2s", start_period: "1s" },
      update: { delay: "5s", monitor: "5s", order: "start-first", on_failure: "rollback" },
      constraints: { disk: "ssd" },
      secrets: { key: { environment: "KEY", target: "/run/secrets/key", mode: "0400" } },
    },
  },
  registries: { "registry.example.com": { username: "ada", password: { environment: "PASSWORD" } } },
  etcd: { share: "/app" },
  docker: { subnet: "10.209.7.0/24", publish_on: "127.0.0.1" },
});

/** Every place of text in a value. */
function texts(value: unknown, at: Place = []): Place[] {
  if (typeof value === "string") return [at];
  if (Array.isArray(value)) return value.flatMap((item: unknown, n) => texts(item, [...at, n]));
  return typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([key, item]) => texts(item, [...at, key]))
    : [];
}

/** Swarm expands templates in variables; so escaped, they come out as they were. */
const templateFree = (text: string): string => text.replaceAll("{{", '{{"{{"}}');

/** Every place of a name that the user chooses. */
const names: readonly Place[] = [
  ["groups", "worker"],
  ["groups", "worker", "labels", "disk"],
  ["services", "web"],
  ["services", "web", "environment", "GREETING"],
  ["services", "web", "labels", "team"],
  ["services", "web", "constraints", "disk"],
  ["services", "web", "secrets", "key"],
  ["registries", "registry.example.com"],
];

function parentOf(file: File, at: Place): object {
  const parent = at
    .slice(0, -1)
    .reduce<unknown>(
      (value, key) => (typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined),
      file,
    );
  if (typeof parent !== "object" || parent === null) throw new Error(`nothing at ${at.join(".")}`);
  return parent;
}
function withText(file: File, at: Place, text: string): File {
  Reflect.set(parentOf(file, at), at.at(-1) ?? "", text);
  return file;
}
function withName(file: File, at: Place, name: string): File {
  const parent = parentOf(file, at);
  const value: unknown = Reflect.get(parent, at.at(-1) ?? "");
  Reflect.deleteProperty(parent, at.at(-1) ?? "");
  Reflect.set(parent, name, value);
  return file;
}

const read = (file: File) => readCluster(yamlText(file), "cluster.yml");

/** Every text that a value holds, keys too. */
function allTexts(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(allTexts);
  return typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([key, item]) => [key, ...allTexts(item)])
    : [];
}

/** Where users' text may be of any kind: it must get through, not be refused. */
const free = /content$|web\.environment|web\.command|labels/;

describe("hostile text", () => {
  test.each(texts(whole()).map((at) => [at.join("."), at] as const))(
    "in %s is refused, or arrives as it is",
    (_, at) => {
      let accepted = 0;
      for (const text of hostile) {
        const result = read(withText(whole(), at, text));
        if (result.kind === "bad") {
          expect(result.problems.length).toBeGreaterThan(0);
          for (const problem of result.problems) expect(problem.message, text).not.toMatch(/[\u0000\u2028\u2029\n]/);
          continue;
        }
        accepted++;
        const revision = describeRevision(result.value, { imageIds: new Map(), secretVersions: new Map() });
        if (revision.kind === "bad") throw new Error(JSON.stringify(revision.problems));
        const specs = revision.value.services.services.map((service) =>
          serviceSpec(service, { mesh: true, apply: 0, secretIds: new Map() }),
        );
        // A login, a secret's source and what only the operator's side reads is not part of the revision.
        const places = allTexts([
          revision.value,
          specs,
          result.value.registries,
          result.value.services.map((service) => service.secrets),
          result.value.docker,
          result.value.etcd,
        ]);
        expect(
          places.some(
            (place) =>
              place === text ||
              place === `GREETING=${text}` ||
              place === `node.labels.disk==${text}` ||
              // A unit that nothing wants gets a section more, and nothing else.
              place ===
                `${text}${text.endsWith("\n") || text === "" ? "" : "\n"}\n[Install]\nWantedBy=multi-user.target\n`,
          ),
          `${JSON.stringify(text)} is lost`,
        ).toBe(true);
      }
      if (free.test(at.join("."))) expect(accepted).toBeGreaterThan(6);
    },
  );

  test.each(names.map((at) => [at.join("."), at] as const))("as the name %s is refused", (_, at) => {
    for (const text of hostile) {
      const result = read(withName(whole(), at, text));
      expect(result.kind, JSON.stringify(text)).toBe("bad");
    }
  });

  /** All places at once that take this text. */
  function everywhere(text: string): Cluster {
    let file = whole();
    for (const at of texts(whole())) {
      // What must fit something else (a variable that is there, a label that a node has) is not free.
      if (["secrets", "registries", "constraints", "disk"].some((word) => at.includes(word))) continue;
      const tried = withText(structuredClone(file), at, text);
      if (read(tried).kind === "good") file = tried;
    }
    const result = read(file);
    if (result.kind === "bad") throw new Error("it was good a moment ago");
    return result.value;
  }

  test.each(hostile.map((text) => [JSON.stringify(text), text] as const))(
    "%s reaches nodes and services as it is, and no command",
    async (_, text) => {
      const world = memoryWorld();
      const cluster = everywhere(text);
      const one = operator(world, { environment: { KEY: text, PASSWORD: "secret" } });
      await complete(world, ({ context }) => launch(context, { cluster }), one);
      const store = world.engine.store("demo")!;
      const groups = (
        await listRecords(store, "groupRevision", {
          revision: (await readRecord(store, "pointer"))?.value.revision ?? "",
        })
      ).map(({ value }) => value);
      const expected = describeRevision(cluster, { imageIds: world.images, secretVersions: new Map() });
      if (expected.kind === "bad") throw new Error("it was described a moment ago");
      expect(groups.map((group) => group.machine)).toEqual(expected.value.groups.map((group) => group.machine));
      expect((await readRecord(store, "secret", { name: secretName("web", "key") }))?.value.value).toBe(text);
      const service = cluster.services[0];
      const deployed = clusterOf(world, "demo").services.get("web")?.spec;
      expect(deployed).toMatchObject({
        TaskTemplate: {
          ContainerSpec: {
            Args: service?.command,
            Env: [`GREETING=${templateFree(service?.environment["GREETING"] ?? "")}`],
          },
        },
      });
      // What lies in a node before its first start is the machine config's text, byte for byte.
      const worker = world.engine.containers.get("demo-worker-1");
      const note = cluster.groups.find((group) => group.name === "worker")?.files[0];
      expect(worker?.files.get(note?.path ?? "")).toBe(note?.contents.kind === "text" ? note.contents.text : undefined);
      expect(one.commands.length).toBeGreaterThan(0);
      for (const command of one.commands) {
        expect(command[0]).toBe("docker");
        expect(command.some((word) => word === "sh" || word === "bash" || word === "-c")).toBe(false);
        expect(command.some((word) => word.includes(text))).toBe(false);
      }
      // Nor is a secret in an event or in the journal.
      const said = JSON.stringify([one.events, (await listRecords(store, "journal")).map(({ value }) => value)]);
      expect(said).not.toContain(JSON.stringify(`value:${text}`).slice(1, -1));
      if (text.length > 8) expect(allTexts(JSON.parse(said))).not.toContain(text);
    },
  );
});
