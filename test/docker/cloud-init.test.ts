import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCluster } from "../../src/cluster/read.ts";
import { cloudInit } from "../../src/machine/formats/cloud-init.ts";
import { bytesOf, type MachineConfig } from "../../src/machine/machine.ts";
import { machineOf } from "../../src/operations/revision.ts";
import { cloudImage, seedFolder } from "./cloud-image.ts";
import { clearAway, cleanUp, clusterFile, docker, inNode, shell, succeeds, untilTrue } from "./harness.ts";

// One group's extras by the agent, and the same in another group by the real cloud-init of Debian at its first boot.
const name = "seeded";
const agentNode = `${name}-agent-1`;
const cloudNode = `${name}-cloud-1`;
const gzipped = "H4sIAAAAAAACA8tIzcnJVyjPL8pJ4QIALTsIrwwAAAA=";
const binary = Buffer.from([0, 255, 1, 254, 10]).toString("base64");
const text = `name: ${name}
orchestrator: none
groups:
  control: { role: control, count: 1 }
  cloud: { count: 1 }
  agent:
    count: 1
    users:
      - { name: deploy, uid: 4242, comment: "Who deploys", shell: /bin/sh, groups: [readers, adm], keys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHVwcyBhIGRhaXN5IGFuZCBhIHJvc2UgbGllcyBkZWVw me@here"] }
      - { name: robot, system: true, home: /var/lib/robot, primary_group: robots }
    user_groups: [{ name: readers, gid: 4343 }, { name: robots, system: true }]
    directories: [{ path: /srv/shared, mode: "2750", user: deploy, group: readers }]
    links: [{ path: /srv/deep/link, target: ../shared }]
    files:
      - { path: /etc/plain.conf, content: "no: yes\\n$HOME %n 'quoted' \\"twice\\" \\\\ \${x}\\n\\ttab" }
      - { path: /srv/shared/packed, encoding: gzip+base64, content: ${gzipped}, mode: "0640", user: deploy, group: readers }
      - { path: /srv/binary, encoding: base64, content: ${binary}, mode: "0600" }
      - { path: /srv/empty, content: "" }
    units:
      - { name: greeting.service, content: "[Service]\\nType=oneshot\\nRemainAfterExit=yes\\nExecStart=/bin/sh -c 'echo %n >/run/greeting'\\n[Install]\\nWantedBy=multi-user.target\\n", drop_ins: [{ name: 10-more.conf, content: "[Service]\\nNice=1\\n" }] }
      - { name: never.service, masked: true }
      - { name: later.service, enabled: false, content: "[Service]\\nExecStart=/bin/sleep infinity\\n" }
`;
const file = clusterFile(text);
const read = readCluster(text, "cluster.yml");
if (read.kind === "bad") throw new Error(JSON.stringify(read.problems));
const group = read.value.groups.find((one) => one.name === "agent");
if (group === undefined) throw new Error("no group");
const { machine } = machineOf(read.value, group);

/** What a machine config asks for, as it is on a node. */
async function treeOf(node: string, wanted: MachineConfig): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  const stat = (path: string) => shell(node, `stat -c '%a %U %G' '${path}'`);
  for (const { path } of wanted.files) tree[path] = `${await stat(path)} ${await shell(node, `sha256sum <'${path}'`)}`;
  for (const { path } of wanted.directories) tree[path] = await stat(path);
  for (const { path } of wanted.links) tree[path] = await shell(node, `readlink '${path}'`);
  for (const { name: its } of wanted.groups)
    tree[`group ${its}`] = await shell(node, `getent group ${its} | cut -d: -f1,3`);
  for (const { name: its, keys } of wanted.users) {
    tree[`user ${its}`] = await shell(
      node,
      `getent passwd ${its} | cut -d: -f1,3,5-7; id -gn ${its}; id -Gn ${its} | tr ' ' '\\n' | sort`,
    );
    if (keys.length > 0) tree[`keys of ${its}`] = await shell(node, `cat ~${its}/.ssh/authorized_keys`);
  }
  for (const unit of wanted.units) {
    const { stdout } = await inNode(node, ["systemctl", "is-enabled", unit.name]);
    tree[unit.name] = `${stdout.trim()} ${(await inNode(node, ["systemctl", "is-active", unit.name])).stdout.trim()}`;
    if (unit.content !== undefined) tree[`text of ${unit.name}`] = await shell(node, `systemctl cat ${unit.name}`);
  }
  return tree;
}
/** Numbers that nobody asked for are the system's to choose, and differ. */
const chosen = (tree: Record<string, string>) =>
  Object.fromEntries(
    Object.entries(tree).map(([what, value]) => [
      what,
      /^(user|group) robot/.test(what) ? value.replace(/^(robots?):\d+/, "$1:N") : value,
    ]),
  );

beforeAll(async () => {
  await clearAway(name);
  const image = await cloudImage();
  await succeeds(["launch", file.path, "--yes"], { environment: { SLIPWAY_NODE_IMAGE: image } });
  const { text: userData, problems } = cloudInit.render(machine, { system: "debian" });
  expect(problems).toEqual([]);
  await shell(cloudNode, `mkdir -p ${seedFolder} && cat >${seedFolder}/user-data`, {
    input: userData,
  });
  await shell(cloudNode, `echo 'instance-id: i-test' >${seedFolder}/meta-data; cloud-init clean --logs`);
  await docker("restart", cloudNode);
  await untilTrue(
    "cloud-init is done",
    async () =>
      /^status: (done|error)/m.exec((await inNode(cloudNode, ["cloud-init", "status", "--long"])).stdout)?.[1],
    120_000,
  );
});
afterAll(async () => {
  await cleanUp(name);
  file.remove();
});

describe("the same machine config", () => {
  test("is taken by cloud-init without an error or a warning", async () => {
    const { stdout } = await inNode(cloudNode, ["cloud-init", "status", "--long"]);
    expect(stdout).toMatch(/^status: done$/m);
    expect(await shell(cloudNode, "cloud-init schema --system")).toContain("Valid");
    const log = await shell(cloudNode, "grep -E 'WARNING|ERROR|CRITICAL' /var/log/cloud-init.log || true");
    expect(log).toBe("");
  });

  test("gives the same files, accounts and units by the agent and by cloud-init", async () => {
    const [byAgent, byCloud] = await Promise.all([treeOf(agentNode, machine), treeOf(cloudNode, machine)]);
    expect(chosen(byCloud)).toEqual(chosen(byAgent));
  });

  test("is what the file says", async () => {
    const tree = await treeOf(cloudNode, machine);
    for (const { path, mode, user, group: owner, contents } of machine.files) {
      const sum = contents.kind === "remote" ? "" : createHash("sha256").update(bytesOf(contents)).digest("hex");
      expect(tree[path]).toBe(`${Number.parseInt(mode, 8).toString(8)} ${user} ${owner} ${sum}  -`);
    }
    expect(tree["/srv/shared"]).toBe("2750 deploy readers");
    expect(tree["greeting.service"]).toBe("enabled active");
    expect(tree["never.service"]).toBe("masked inactive");
    expect(tree["later.service"]).toBe("static inactive");
    expect(tree["group readers"]).toBe("readers:4343");
  });
});
