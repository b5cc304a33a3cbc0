import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clearAway, cleanUp, clusterFile, inNode, shell, slipway, status, succeeds, untilTrue } from "./harness.ts";

const name = "disks";
const node = `${name}-control-1`;
const file = clusterFile("");
// Loop devices of this test alone; a container's /dev is made anew at every start, and so are they.
const first = 700 + (process.pid % 100) * 2;
const disk = "/var/lib/slipway/disk.img";
const attach = `
mkdir -p /run/loops
[ -c /dev/loop-control ] || mknod -m 0600 /dev/loop-control c 10 237
n=$(cat /var/lib/slipway/loop-number)
[ -b /dev/loop$n ] || mknod -m 0600 /dev/loop$n b 7 $n
losetup /dev/loop$n ${disk} || losetup -a`;
const write = (more = "") =>
  file.write(`name: ${name}
orchestrator: none
groups:
  control:
    role: control
    count: 1
    users:
      - { name: deploy, uid: 4242, keys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHVwcyBhIGRhaXN5IGFuZCBhIHJvc2UgbGllcyBkZWVw me@here"], groups: [adm] }
    user_groups: [{ name: readers, gid: 4343 }]
    directories: [{ path: /srv/shared, mode: "0750", user: deploy, group: readers }]
    links: [{ path: /srv/link, target: shared }]
    files:
      - { path: /srv/shared/packed, encoding: gzip+base64, content: "${packed}", user: deploy }
      - path: /etc/attach-loop
        mode: "0755"
        content: |
          #!/bin/sh -e${attach.replaceAll("\n", "\n          ")}
    units:
      - name: loop.service
        content: |
          [Unit]
          Before=slipway-disk-data.service
          ConditionPathExists=${disk}
          [Service]
          Type=oneshot
          RemainAfterExit=yes
          ExecStart=/bin/sh /etc/attach-loop
          [Install]
          WantedBy=multi-user.target
${more}`);
const packed = "H4sIAAAAAAACA8tIzcnJVyjPL8pJ4QIALTsIrwwAAAA=";
const volume = `    volumes:
      data: { device: /dev/loop${first}, size: 300M, mount: /srv/data }
`;

const failure = () =>
  untilTrue(
    "the node says why",
    async () => {
      const [seen] = (await status(name)).nodes;
      return seen?.state === "failed" ? seen.reason : undefined;
    },
    60_000,
  );
/** What was written to the disk, once it is mounted. */
const note = () => untilTrue("it is mounted", () => shell(node, "cat /srv/data/note"), 30_000);
/** The disk as it is to be when the node boots next. */
async function reshaped(change: string): Promise<void> {
  await shell(node, "systemctl stop srv-data.mount slipway-disk-data.service || true; losetup -D || true");
  await shell(node, change);
}

beforeAll(async () => {
  await clearAway(name);
  write();
  await succeeds(["launch", file.path, "--yes"]);
});
afterAll(async () => {
  await inNode(node, ["sh", "-c", "systemctl stop srv-data.mount; losetup -D"]);
  await cleanUp(name);
  file.remove();
});

describe("a group's own users, directories and files", () => {
  test("are there with their owners, numbers and keys", async () => {
    expect(await shell(node, "id -u deploy; id -Gn deploy; getent group readers | cut -d: -f3")).toBe(
      "4242\ndeploy adm\n4343",
    );
    expect(await shell(node, "stat -c '%a %U %G' /srv/shared; readlink /srv/link")).toBe("750 deploy readers\nshared");
    expect(await shell(node, "cat /srv/link/packed; stat -c %U /srv/shared/packed")).toBe("hello world\ndeploy");
    expect(
      await shell(
        node,
        "stat -c '%a %U' /home/deploy/.ssh/authorized_keys; cut -d' ' -f3 /home/deploy/.ssh/authorized_keys",
      ),
    ).toBe("600 deploy\nme@here");
  });
});

describe("a disk", () => {
  test("that is blank is formatted once; its data is there after restarts, also under another name", async () => {
    await shell(node, `truncate -s 400M ${disk}; echo ${first} >/var/lib/slipway/loop-number`);
    await succeeds(["restart", name, "--yes"]);
    write(volume);
    await succeeds(["launch", file.path, "--yes"]);
    await untilTrue("it is mounted", () => shell(node, "findmnt -no FSTYPE /srv/data"), 30_000);
    const id = await shell(node, `blkid -p -o value -s UUID ${disk}`);
    await shell(node, "echo kept >/srv/data/note");
    await succeeds(["restart", name, "--yes"]);
    expect(await note()).toBe("kept");

    await reshaped(`echo ${first + 1} >/var/lib/slipway/loop-number`);
    await succeeds(["restart", name, "--yes"]);
    expect(await note()).toBe("kept");
    expect(await shell(node, "readlink /run/slipway/disks/data")).toBe(`/dev/loop${first + 1}`);
    expect(await shell(node, `blkid -p -o value -s UUID ${disk}`)).toBe(id);
    await reshaped(`echo ${first} >/var/lib/slipway/loop-number`);
  });

  test.each([
    [
      "with a torn superblock",
      `dd if=/dev/zero of=${disk} bs=4k count=1 conv=notrunc 2>/dev/null`,
      /not blank at byte|bears a signature|is not empty/,
    ],
    [
      "with a foreign file system",
      `mkfs.ext4 -q -F -L other ${disk}`,
      /is not empty: it holds ext4 with the label 'other'/,
    ],
    ["that is too small", `rm ${disk}; truncate -s 200M ${disk}`, /has 209715200 bytes, fewer than 314572800/],
  ])("%s is left alone, and the node says so", async (_, change, message) => {
    await reshaped(`cp --sparse=always ${disk} ${disk}.kept; ${change}`);
    const sum = await shell(node, `openssl dgst -sha256 <${disk}`);
    await slipway(["restart", name, "--yes"]);
    expect(await failure()).toContain("slipway-disk-data.service failed");
    expect(await shell(node, "journalctl --boot --no-pager -o cat -u slipway-disk-data.service")).toMatch(message);
    expect(await shell(node, `openssl dgst -sha256 <${disk}`)).toBe(sum);
    expect((await inNode(node, ["findmnt", "/srv/data"])).code).not.toBe(0);
    await reshaped(`mv ${disk}.kept ${disk}`);
    await succeeds(["restart", name, "--yes"]);
    expect(await note()).toBe("kept");
  });
});
