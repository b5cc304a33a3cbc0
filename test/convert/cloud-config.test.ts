import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { clusterOf, problemsOf, unitsConfig } from "./converting.ts";

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO0000000000000000000000000000000000000000 ada@laptop";

const hyphens = `#cloud-config
ssh-authorized-keys:
  - ${key}
write-files:
  - path: /etc/app.conf
    permissions: 0600
    owner: root:root
    content: x
coreos:
  update:
    reboot-strategy: reboot
  locksmith:
    window-start: Thu 04:00
    window-length: 1h
  etcd2:
    advertise-client-urls: http://$private_ipv4:2379
  units:
    - name: once.service
      command: start
      drop-ins:
        - name: 10-x.conf
          content: |
            [Service]
            Nice=5
      content: |
        [Service]
        ExecStart=/bin/true
`;

/** A group of the only cloud-config. */
async function group(text: string) {
  const { cluster, rows } = await clusterOf({ "cloud-config.yml": text });
  const [first] = cluster.groups;
  if (first === undefined) throw new Error("no group");
  return { group: first, rows, cluster };
}

const why = (rows: readonly { readonly what: string; readonly why: string; readonly by: string }[], what: string) => {
  const row = rows.find((candidate) => candidate.what === what);
  return row === undefined ? undefined : [row.by, row.why].filter(Boolean).join("; ");
};

describe("keys", () => {
  it("with hyphens and with underscores give the same", async () => {
    const underscores = hyphens.replace(/^[\s-]*[a-z-]+(?=:)/gm, (found) =>
      found.replace(/[a-z]+(?:-[a-z]+)+/, (word) => word.replaceAll("-", "_")),
    );
    expect(underscores).toContain("window_start");
    const [one, other] = await Promise.all([group(hyphens), group(underscores)]);
    expect(other.cluster).toEqual(one.cluster);
  });

  it("of users and of core, modes and windows arrive", async () => {
    const { group: found, cluster } = await group(hyphens);
    expect(found.users.map(({ name, keys }) => [name, keys])).toEqual([["core", [key]]]);
    expect(found.files.map(({ path, mode }) => [path, mode])).toEqual([["/etc/app.conf", "0600"]]);
    expect(found.units).toMatchObject([{ name: "once.service", enabled: true, dropIns: [{ name: "10-x.conf" }] }]);
    expect(cluster.updates).toMatchObject({ reboot: "window", window: { start: 240, length: 60, days: ["Thu"] } });
  });

  it("that CoreOS did not know are said", async () => {
    const { rows } = await group("#cloud-config\nruncmd: [ls]\ncoreos: { etcd3: {} }\nhostname: web\n");
    expect(rows.map(({ verdict, what }) => [verdict, what])).toEqual([
      ["kept", "cloud-config.yml"],
      ["dropped", "runcmd"],
      ["dropped", "coreos.etcd3"],
      ["replaced", "hostname: web"],
    ]);
  });

  it("of the wrong kind are problems with their place", async () => {
    expect(await problemsOf({ "c.yml": "#cloud-config\ncoreos:\n  units: yes\nwrite_files:\n  - content: x\n" }))
      .toMatchInlineSnapshot(`
        "c.yml:3:3: error: units is not a list
              units: yes
              ^~~~~
          fix: - first
        c.yml:5:5: error: the file has no path
              - content: x
                ^~~~~~~~~~
          fix: path: /etc/…
        "
      `);
  });
});

describe("files", () => {
  const file = (lines: string) => `#cloud-config\nwrite_files:\n  - path: /etc/app\n${lines}`;
  const packed = gzipSync("hello\n").toString("base64");

  it.each([
    ["b64", Buffer.from("hello\n").toString("base64")],
    ["base64", Buffer.from("hello\n").toString("base64")],
    ["gz+b64", packed],
    ["gzip+base64", packed],
  ])("in %s keep their content", async (encoding, content) => {
    const { group: found } = await group(file(`    encoding: ${encoding}\n    content: ${content}\n`));
    expect(found.files[0]?.contents).toEqual({ kind: "text", text: "hello\n" });
  });

  it("that cannot be written as text are packed", async () => {
    const { group: found } = await group(file('    content: "a\\tb\\r\\n"\n'));
    expect(found.files[0]?.contents).toEqual({ kind: "text", text: "a\tb\r\n" });
  });

  it.each(["0644", "644", '"0644"', "0o644"])("with the mode %s have it", async (mode) => {
    expect((await group(file(`    permissions: ${mode}\n`))).group.files[0]?.mode).toBe("0644");
  });

  it("of unknown encodings, broken packing, and of Slipway's own paths are left out and said", async () => {
    const text = `#cloud-config
write_files:
  - { path: /etc/a, encoding: rot13, content: x }
  - { path: /etc/b, encoding: gzip+base64, content: aGVsbG8= }
  - { path: /etc/slipway/x, content: x }
  - { path: /etc/hosts, content: x }
  - { path: /etc/ok, content: ok }
`;
    const { group: found, rows } = await group(text);
    expect(found.files.map(({ path }) => path)).toEqual(["/etc/ok"]);
    expect(rows.filter(({ verdict }) => verdict === "dropped").map(({ what, at }) => [what, at])).toEqual([
      ["file /etc/a", "cloud-config.yml:3"],
      ["file /etc/b", "cloud-config.yml:4"],
      ["file /etc/slipway/x", "cloud-config.yml:5"],
      ["file /etc/hosts", "cloud-config.yml:6"],
    ]);
  });

  it("with addresses that CoreOS filled in are kept and marked", async () => {
    const { rows, group: found } = await group(file("    owner: core\n    content: ip=$private_ipv4\n"));
    expect(why(rows, "file /etc/app")).toContain("stay as they are");
    expect([found.files[0]?.user, why(rows, "file /etc/app: owner core")]).toEqual([
      "root",
      "nodes have no core; the file is root's",
    ]);
  });
});

describe("users", () => {
  it("keep what a node's user can have", async () => {
    const { group: found, rows } = await group(`#cloud-config
users:
  - name: ada
    passwd: "$6$x"
    gecos: "Ada, the first"
    groups: [sudo, docker, rkt]
    shell: /bin/bash
    coreos-ssh-import-github: ada
    ssh-authorized-keys: ["${key}", "not a key"]
  - default
`);
    expect(found.users).toMatchObject([
      { name: "ada", keys: [key], groups: ["sudo", "docker", "rkt"], shell: "/bin/bash", comment: "" },
    ]);
    expect(found.userGroups.map(({ name }) => name)).toEqual(["rkt"]);
    expect(rows.filter(({ verdict }) => verdict === "dropped").map(({ what }) => what)).toEqual(
      [
        "user ada: passwd",
        "user ada: comment",
        "user ada: coreos-ssh-import-github",
        "user ada: keys",
        "user default",
      ].toSorted((a, b) => rows.findIndex(({ what }) => what === a) - rows.findIndex(({ what }) => what === b)),
    );
  });
});

describe("units", () => {
  const doubtful: readonly (readonly [what: string, line: string, why: string])[] = [
    ["an address that CoreOS filled in", "ExecStart=/bin/echo $private_ipv4", "$private_ipv4"],
    ["etcdctl's old commands", "ExecStart=/usr/bin/etcdctl set /a b", "etcdctl"],
    ["etcd's old port", "ExecStart=/usr/bin/curl http://127.0.0.1:4001/v2/keys", "old API"],
    ["fleet", "ExecStart=/usr/bin/fleetctl start x", "fleet"],
    ["a host that is gone", "ExecStart=/usr/bin/curl -O http://storage.googleapis.com/kubernetes/x", "gone"],
    ["a program that nodes may not have", "ExecStart=/opt/bin/thing", "/opt/bin/thing"],
    ["a file that is not there", "EnvironmentFile=/etc/environment", "/etc/environment"],
    ["a disk", "ExecStart=/bin/cat /dev/xvdc", "disk"],
    ["AWS's metadata", "ExecStart=/usr/bin/curl http://169.254.169.254/", "metadata"],
  ];
  const unit = (line: string) =>
    unitsConfig(
      `- name: a.service\n  command: start\n  content: |\n    [Service]\n    ExecStart=/bin/true\n    ${line}\n`,
    );

  it.each(doubtful)("with %s are kept, but off", async (_, line, reason) => {
    const { group: found, rows } = await group(unit(line));
    expect(found.units).toMatchObject([{ name: "a.service", enabled: false }]);
    expect(why(rows, "unit a.service")).toContain(reason);
  });

  it("that were not started are not started now", async () => {
    const { group: found } = await group(
      unitsConfig("- name: a.service\n  content: |\n    [Service]\n    ExecStart=/bin/true\n"),
    );
    expect(found.units).toMatchObject([{ enabled: false }]);
  });

  it("that need one that is off are off, and a timer too", async () => {
    const { group: found, rows } = await group(
      unitsConfig(`- name: b.timer
  command: start
  content: |
    [Timer]
    OnCalendar=daily
- name: b.service
  content: |
    [Unit]
    Requires=a.service
    [Service]
    ExecStart=/bin/true
- name: a.service
  command: start
  content: |
    [Service]
    ExecStart=/usr/bin/fleetctl list-units
`),
    );
    expect(found.units.map(({ name, enabled }) => [name, enabled])).toEqual([
      ["b.timer", false],
      ["b.service", false],
      ["a.service", false],
    ]);
    expect(why(rows, "unit b.timer")).toContain("it needs b.service");
  });

  it("that run a file of the same cloud-config start", async () => {
    const { group: found } = await group(
      `${unit("ExecStartPost=/opt/bin/thing")}\nwrite_files:\n  - { path: /opt/bin/thing, permissions: "0755", content: "#!/bin/sh" }\n`,
    );
    expect(found.units).toMatchObject([{ enabled: true }]);
  });

  it("without a text, of networks, masked, and of an open Docker port each have their way", async () => {
    const { group: found, rows } = await group(
      unitsConfig(`- name: rpcbind.service
  command: start
- name: 10-eth0.network
  content: "[Match]"
- name: rpc-statd.service
  mask: true
- name: docker-tcp.socket
  command: start
  content: |
    [Socket]
    ListenStream=2375
`),
    );
    expect(found.units.map(({ name, masked }) => [name, masked])).toEqual([["rpc-statd.service", true]]);
    expect(found.files.map(({ path }) => path)).toEqual(["/etc/systemd/network/10-eth0.network"]);
    expect(why(rows, "unit rpcbind.service")).toContain("it has no text");
    expect(why(rows, "unit docker-tcp.socket")).toContain("slipway env");
  });

  it("with the same name twice are one, and the other is said", async () => {
    const one = "- name: a.service\n  command: start\n  content: |\n    [Service]\n    ExecStart=/bin/true\n";
    const { group: found, rows } = await group(unitsConfig(one + one));
    expect(found.units).toHaveLength(1);
    expect(rows.filter(({ verdict }) => verdict === "dropped")).toHaveLength(1);
  });
});

describe("disks", () => {
  it("by label are found where they were formatted, the engine's own is left to Slipway", async () => {
    const { group: found, rows } = await group(
      unitsConfig(`- name: format.service
  command: start
  content: |
    [Service]
    ExecStart=/bin/sh -c "wipefs -f /dev/xvdc; mkfs.xfs -L opt-data /dev/xvdc"
- name: opt-data.mount
  command: start
  content: |
    [Mount]
    What=/dev/disk/by-label/opt-data
    Where=/opt/data
    Type=xfs
- name: var-lib-docker.mount
  command: start
  content: |
    [Mount]
    What=/dev/xvdb
    Where=/var/lib/docker
- name: nfs.mount
  command: start
  content: |
    [Mount]
    What=server:/export
    Where=/mnt/nfs
    Type=nfs
`),
    );
    expect(found.volumes).toMatchObject([{ name: "data", mount: "/opt/data", format: "xfs", device: undefined }]);
    expect(why(rows, "unit var-lib-docker.mount")).toContain("the engine's own volume");
    expect(found.units).toMatchObject([{ name: "nfs.mount", enabled: false }]);
  });
});

describe("containers", () => {
  const run = (line: string) =>
    unitsConfig(
      `- name: web.service\n  command: start\n  content: |\n    [Service]\n    ExecStartPre=-/usr/bin/docker rm -f web\n    ExecStart=/usr/bin/docker run ${line}\n`,
    );

  it("of units that run docker run are services on every node", async () => {
    const { cluster } = await group(
      run("--rm --name web -p 8080:80 -e A=b=c --volume /srv:/srv:ro nginx:1.29 nginx -g 'daemon off;'"),
    );
    expect(cluster.services).toMatchObject([
      {
        name: "web",
        image: "nginx:1.29",
        replicas: "global",
        command: ["nginx", "-g", "daemon off;"],
        ports: [{ published: 8080, target: 80 }],
        environment: { A: "b=c" },
        mounts: [{ kind: "bind", source: "/srv", target: "/srv", readOnly: true }],
      },
    ]);
  });

  it.each(["--net=host nginx", "--privileged nginx", "nginx %i", "nginx ${A}"])(
    "with %s stay units that are off",
    async (line) => {
      const { cluster, group: found } = await group(run(line));
      expect([cluster.services, found.units[0]?.enabled]).toEqual([[], false]);
    },
  );

  it("of one group only get its label as a constraint", async () => {
    const { cluster } = await clusterOf({ "manager.yml": "#cloud-config\n", "worker.yml": run("nginx") });
    expect(cluster.services).toMatchObject([{ name: "web", constraints: { group: "worker" } }]);
    expect(cluster.groups.map(({ name, role, labels }) => [name, role, labels])).toEqual([
      ["manager", "control", {}],
      ["worker", "worker", { group: "worker" }],
    ]);
  });

  it("publish no port that Slipway needs or that names an address: the port alone is left out", async () => {
    const { cluster, rows } = await group(run("-p 2379:2379 -p 127.0.0.1:81:80 -p 82:80 nginx"));
    expect(cluster.services[0]?.ports).toMatchObject([{ published: 82 }]);
    expect(rows.filter(({ verdict }) => verdict === "dropped").map(({ what }) => what)).toEqual([
      "unit web.service: ports",
      "unit web.service: ports",
    ]);
  });

  it("that fleet placed by metadata ask for the label, where a group has it", async () => {
    const config = "#cloud-config\ncoreos: { fleet: { metadata: role=web } }\n";
    const unit =
      "[Service]\nExecStart=/usr/bin/docker run nginx\n[X-Fleet]\nGlobal=true\nMachineMetadata=role=web\nMachineMetadata=zone=b\nConflicts=x@*.service\n";
    const { cluster, rows } = await clusterOf({ "c.yml": config, "web.service": unit });
    expect(cluster.services).toMatchObject([{ name: "web", replicas: "global", constraints: { role: "web" } }]);
    expect(why(rows, "unit web.service: zone=b")).toContain("no group has this label");
    expect(why(rows, "unit web.service: Conflicts")).toContain("it spreads a service");
  });
});
