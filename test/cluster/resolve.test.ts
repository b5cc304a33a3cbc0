import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { controlGroup, type Cluster } from "../../src/cluster/cluster.ts";
import { readCluster } from "../../src/cluster/read.ts";
import { resolve, type ResolveOptions } from "../../src/cluster/resolve.ts";
import { resolvedYaml } from "../../src/cluster/show.ts";
import { readSpec } from "../../src/spec/read.ts";
import { yamlText } from "../../src/spec/write.ts";
import { validFile } from "../spec/specs.ts";

function resolved(text: string, options: ResolveOptions = {}): Cluster {
  const read = readCluster(text, "cluster.yml", options);
  if (read.kind === "bad") throw new Error(JSON.stringify(read.problems));
  return read.value;
}

const one = "name: demo\ngroups: { control: {} }\n";

describe("defaults", () => {
  test("the smallest file", () => {
    expect(resolved(one)).toEqual({
      name: "demo",
      target: "docker",
      orchestrator: "swarm",
      os: "debian",
      updates: { channel: undefined, group: undefined, server: undefined, reboot: "never", window: undefined },
      groups: [
        {
          name: "control",
          role: "control",
          count: 1,
          labels: {},
          files: [],
          directories: [],
          links: [],
          users: [],
          userGroups: [],
          units: [],
          kernelArguments: [],
          volumes: [],
          aws: {
            instanceTypes: ["t3.small"],
            spotPercent: 0,
            onDemandBase: 0,
            min: 1,
            max: 1,
            rootVolume: { size: 20 * 1024 ** 3, type: "gp3" },
            keyPair: undefined,
            detailedMonitoring: false,
            fixedAddress: false,
            securityGroups: [],
            tags: {},
          },
          path: ["groups", "control"],
        },
      ],
      services: [],
      registries: [],
      etcd: { share: undefined },
      docker: { subnet: undefined, publishOn: "127.0.0.1" },
      files: { store: undefined, data: "/srv/slipway", ssh: undefined, user: "debian" },
      aws: {
        region: undefined,
        accounts: [],
        network: {
          kind: "made",
          cidr: "10.42.0.0/16",
          zones: { kind: "count", count: 1 },
          nodes: "public",
          outbound: "gateway",
        },
        images: {},
        sshFrom: [],
        apiFrom: [],
        servicesFrom: [],
        securityGroups: [],
        sessionManager: true,
        bucket: undefined,
        kmsKey: undefined,
        permissionsBoundary: undefined,
        logRetention: 30,
        tags: {},
      },
    });
  });

  test("the smallest service", () => {
    expect(
      resolved(
        `${one}services: { web: { image: demo/hello, health: { command: ok }, secrets: { key: { file: key.txt } } } }`,
      ).services,
    ).toEqual([
      {
        name: "web",
        image: "demo/hello",
        command: [],
        replicas: 1,
        ports: [],
        environment: {},
        labels: {},
        mounts: [],
        health: { command: ["ok"], interval: 10_000, timeout: 5_000, startPeriod: 0, retries: 3 },
        update: {
          parallelism: 1,
          delay: 0,
          monitor: 5_000,
          order: "stop-first",
          onFailure: "pause",
        },
        constraints: {},
        secrets: [
          {
            name: "key",
            target: "/run/secrets/key",
            mode: "0444",
            source: { kind: "file", path: "key.txt" },
          },
        ],
        path: ["services", "web"],
      },
    ]);
  });

  test("the group called control has the role, unless another says so", () => {
    expect(controlGroup(resolved("name: demo\ngroups: { a: {}, control: { count: 3 } }\n")).name).toBe("control");
    expect(controlGroup(resolved("name: demo\ngroups: { a: { role: control }, control: {} }\n")).name).toBe("a");
  });

  test("control comes first, then the names in order", () => {
    const names = resolved("name: demo\ngroups: { b: {}, z: { role: control }, a: {} }\n").groups.map(
      ({ name }) => name,
    );
    expect(names).toEqual(["z", "a", "b"]);
  });

  test("a masked unit is not enabled", () => {
    const [group] = resolved(
      "name: demo\ngroups: { control: { units: [{ name: a.service, masked: true }, { name: b.service }] } }\n",
    ).groups;
    expect(group?.units.map(({ enabled, masked }) => ({ enabled, masked }))).toEqual([
      { enabled: false, masked: true },
      { enabled: true, masked: false },
    ]);
  });
});

describe("what the command line says", () => {
  test("goes over the file", () => {
    expect(resolved(one, { name: "other", on: "docker" })).toMatchObject({
      name: "other",
      target: "docker",
    });
  });

  test("is judged like the file", () => {
    expect(readCluster(one, "cluster.yml", { name: "Other" })).toMatchObject({
      kind: "bad",
      problems: [{ code: "invalid-name", path: ["name"], fix: "other" }],
    });
  });
});

describe("a file in which something is wrong is judged on", () => {
  const codes = (text: string) => {
    const read = readCluster(text, "cluster.yml");
    return read.kind === "bad" ? read.problems.map(({ code, path }) => `${code} ${path.join(".")}`) : [];
  };

  test("rules across fields are told with it", () => {
    expect(codes("name: Demo\ngroups: { control: { count: 2, cuont: 1 } }\n")).toEqual([
      "invalid-name name",
      "unknown-key groups.control.cuont",
      "even-control-count groups.control.count",
    ]);
  });

  test("nothing is said that only follows from what is missing", () => {
    expect(codes("name: demo\ngroups: { a: { role: contrl }, b: {} }\n")).toEqual(["invalid-value groups.a.role"]);
    expect(codes("name: demo\ngroups: { control: [] }\n")).toEqual(["wrong-type groups.control"]);
    expect(
      codes(
        "name: demo\norchestrator: nnoe\ngroups: { control: {} }\nservices: { web: { image: a, ports: [1, x] } }\n",
      ),
    ).toEqual(["invalid-value orchestrator", "invalid-value services.web.ports.1"]);
  });
});

test("drop-ins may change Slipway's own units, and nothing else may", () => {
  const unit = (keys: string) =>
    readCluster(`name: demo\ngroups: { control: { units: [{ name: etcd.service, ${keys} }] } }\n`, "cluster.yml").kind;
  expect(unit('drop_ins: [{ name: a.conf, content: "" }]')).toBe("good");
  expect([unit("masked: true"), unit("enabled: false"), unit('content: ""')]).toEqual(["bad", "bad", "bad"]);
});

test("a cluster written down in full reads back to itself, and without a warning more", () => {
  fc.assert(
    fc.property(validFile, (file) => {
      const first = readCluster(yamlText(file), "cluster.yml");
      if (first.kind === "bad") throw new Error(JSON.stringify(first.problems));
      const text = resolvedYaml(first.value);
      const again = readCluster(text, "resolved.yml");
      expect(again).toMatchObject({ kind: "good", warnings: first.warnings });
      expect(again.kind === "good" && again.value).toEqual(first.value);
      expect(again.kind === "good" && resolvedYaml(again.value)).toBe(text);
    }),
    { numRuns: 200 },
  );
});

test("the order of a file's keys changes nothing but paths of lists", () => {
  fc.assert(
    fc.property(validFile, (file) => {
      const turned = Object.fromEntries(Object.entries(file).reverse());
      expect(JSON.stringify(resolved(yamlText(turned)))).toBe(JSON.stringify(resolved(yamlText(file))));
    }),
    { numRuns: 50 },
  );
});

test("resolving leaves the spec as it was", () => {
  fc.assert(
    fc.property(validFile, (file) => {
      const read = readSpec(yamlText(file), "cluster.yml");
      if (read.kind === "bad") throw new Error(JSON.stringify(read.problems));
      const before = JSON.stringify(read.value);
      resolve(read.value);
      expect(JSON.stringify(read.value)).toBe(before);
    }),
    { numRuns: 50 },
  );
});

test("5,000 nodes are one number", () => {
  const cluster = resolved(
    "name: big\ngroups: { control: { count: 5 }, worker: { count: 5000 } }\ndocker: { subnet: 10.77.0.0/16 }\n".replace(
      "10.77.0.0/16",
      "172.20.0.0/16",
    ),
  );
  expect(cluster.groups.map(({ count }) => count)).toEqual([5, 5000]);
});
