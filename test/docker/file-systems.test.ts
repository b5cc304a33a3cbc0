import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { prepareScript, prepareText } from "../../src/components/disks/script.ts";
import { cloudImage } from "./cloud-image.ts";
import { docker, inNode, shell } from "./harness.ts";

const container = "slipway-test-file-systems";
const least = 1 << 20;
// Loop devices are the whole machine's: these are of this test alone.
const loop = 900 + (process.pid % 100);
const device = `/dev/loop${loop}`;
const file = "/disk.img";

/** What the script says of the device, as the unit of a volume runs it. */
const prepare = (format: string, name = "data") =>
  inNode(container, [prepareScript, name, format, device, String(least)]);
/** A blank disk in the place of the one before: 400 MiB, more than the least that XFS takes. */
const blank = () =>
  shell(
    container,
    `losetup -d ${device} 2>/dev/null || true; rm -rf ${file} /run/slipway; truncate -s 400M ${file}; losetup ${device} ${file}`,
  );

beforeAll(async () => {
  const image = await cloudImage();
  await docker("rm", "--force", container);
  await docker(
    "run",
    "--detach",
    `--name=${container}`,
    "--cap-add=SYS_ADMIN",
    "--cap-add=MKNOD",
    "--device-cgroup-rule=b 7:* rwm",
    "--device-cgroup-rule=c 10:237 rwm",
    "--security-opt=seccomp=unconfined",
    "--security-opt=apparmor=unconfined",
    "--network=none",
    "--entrypoint=sleep",
    image,
    "infinity",
  );
  await inNode(
    container,
    ["sh", "-c", `mkdir -p "$(dirname ${prepareScript})"; cat >${prepareScript}; chmod 0755 ${prepareScript}`],
    {
      input: prepareText,
    },
  );
  await shell(
    container,
    `[ -c /dev/loop-control ] || mknod /dev/loop-control c 10 237; [ -b ${device} ] || mknod ${device} b 7 ${loop}`,
  );
});
afterAll(async () => {
  await inNode(container, ["losetup", "-d", device]);
  await docker("rm", "--force", container);
});

const formats = ["xfs", "btrfs", "ext4", "swap"] as const;
/** What of each is lost to make its first superblock unreadable. */
const mounted = [
  ["xfs", "bs=512 count=8 seek=0"],
  ["btrfs", "bs=4096 count=1 seek=16"],
  ["ext4", "bs=1024 count=1 seek=1"],
] as const;

describe.each(formats)("a disk with %s", (format) => {
  test("is made once, bears the volume's name, and is found by it", async () => {
    await blank();
    expect(await prepare(format)).toMatchObject({ code: 0 });
    const label = () => shell(container, `blkid -p -o value -s LABEL ${device}`);
    const id = () => shell(container, `blkid -p -o value -s UUID ${device}`);
    expect(await label()).toBe("data");
    const made = await id();
    expect(await prepare(format)).toMatchObject({ code: 0 });
    expect(await id()).toBe(made);
    expect(await shell(container, "readlink /run/slipway/disks/data")).toBe(device);
  });

  test("is refused under another name, or for another file system", async () => {
    const other = await prepare(format, "other");
    expect([other.code, other.stderr]).toEqual([1, expect.stringContaining("is not empty")]);
    const changed = await prepare(format === "xfs" ? "ext4" : "xfs");
    expect([changed.code, changed.stderr]).toEqual([1, expect.stringContaining(`holds ${format}, not`)]);
  });
});

describe.each(mounted)("what is on a disk with %s", (format, torn) => {
  test("is kept", async () => {
    await blank();
    await prepare(format);
    await shell(
      container,
      "mkdir -p /mnt && mount /run/slipway/disks/data /mnt && echo kept >/mnt/note && umount /mnt",
    );
    expect(await prepare(format)).toMatchObject({ code: 0 });
    expect(await shell(container, "mount /run/slipway/disks/data /mnt && cat /mnt/note; umount /mnt")).toBe("kept");
  });

  test("is not touched when the first superblock is lost", async () => {
    await shell(container, `dd if=/dev/zero of=${device} ${torn} conv=notrunc status=none; sync`);
    const before = await shell(container, `sha256sum <${file}`);
    const { code, stderr } = await prepare(format);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/not blank|signature|not empty|damaged/)]);
    expect(await shell(container, `sha256sum <${file}`)).toBe(before);
  });
});
