import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { prepareScript, tableScript } from "../../src/components/disks/blank.ts";
import { DiskContainer } from "./disk-container.ts";

const disk = new DiskContainer("slipway-test-file-systems", 900);
const least = String(1 << 20);
// Labels are looked for on all disks that the kernel shows, and those of other tests are among them.
const own = `fs-${process.pid}`;

/** What the script says of the device, as the unit of a volume runs it. */
const prepare = (format: string, name = own, partition?: number) =>
  disk.run(prepareScript, name, format, disk.device, least, ...(partition === undefined ? [] : [String(partition)]));

beforeAll(() => disk.start());
afterAll(() => disk.stop());

const formats = ["xfs", "btrfs", "ext4", "swap"] as const;
/** What of each is lost to make its first superblock unreadable, and a size that it takes: all of a disk is read and summed. */
const mounted = [
  ["xfs", "bs=512 count=8 seek=0", "320M"],
  ["btrfs", "bs=4096 count=1 seek=16", "128M"],
  ["ext4", "bs=1024 count=1 seek=1", "64M"],
] as const;

describe.each(formats)("a disk with %s", (format) => {
  test("is made once, bears the volume's name, and is found by it", async () => {
    await disk.blank();
    expect(await prepare(format)).toMatchObject({ code: 0 });
    const label = () => disk.shell(`blkid -p -o value -s LABEL ${disk.device}`);
    const id = () => disk.shell(`blkid -p -o value -s UUID ${disk.device}`);
    expect(await label()).toBe(own);
    const made = await id();
    expect(await prepare(format)).toMatchObject({ code: 0 });
    expect(await id()).toBe(made);
    expect(await disk.shell(`readlink /run/slipway/disks/${own}`)).toBe(disk.device);
  });

  test("is refused under another name, or for another file system", async () => {
    const other = await prepare(format, `${own}x`);
    expect([other.code, other.stderr]).toEqual([1, expect.stringContaining("is not empty")]);
    const changed = await prepare(format === "xfs" ? "ext4" : "xfs");
    expect([changed.code, changed.stderr]).toEqual([1, expect.stringContaining(`holds ${format}, not`)]);
  });
});

describe.each(mounted)("what is on a disk with %s", (format, torn, size) => {
  test("is kept", async () => {
    await disk.blank(size);
    await prepare(format);
    await disk.shell(`mkdir -p /mnt && mount /run/slipway/disks/${own} /mnt && echo kept >/mnt/note && umount /mnt`);
    expect(await prepare(format)).toMatchObject({ code: 0 });
    expect(await disk.shell(`mount /run/slipway/disks/${own} /mnt && cat /mnt/note; umount /mnt`)).toBe("kept");
  });

  test("is not touched when the first superblock is lost", async () => {
    await disk.shell(`dd if=/dev/zero of=${disk.device} ${torn} conv=notrunc status=none; sync`);
    const before = await disk.shell(`openssl dgst -sha256 <${disk.file}`);
    const { code, stderr } = await prepare(format);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/not blank|signature|not empty|damaged/)]);
    expect(await disk.shell(`openssl dgst -sha256 <${disk.file}`)).toBe(before);
  });
});

describe("a disk that volumes share", () => {
  const mebibyte = 1 << 20;
  const one = `1:${16 * mebibyte}:one`;
  const blank = () => disk.blank("160M");
  const rest = "3:0:rest";
  const table = (...places: readonly string[]) => disk.run(tableScript, disk.device, ...places);
  const written = async () => expect(await table(one, rest)).toMatchObject({ code: 0, stderr: "" });
  const sum = () => disk.shell(`openssl dgst -sha256 <${disk.file}`);
  const refused = async (said: RegExp, ...places: readonly string[]) => {
    const before = await sum();
    const { code, stderr } = await table(...places);
    expect([code, stderr]).toEqual([1, expect.stringMatching(said)]);
    expect(await sum()).toBe(before);
  };

  test("gets its table once, when it is blank, and its partitions are found by their volumes", async () => {
    await blank();
    await written();
    const made = await disk.shell(`sfdisk --dump ${disk.device}`);
    expect(made).toMatch(/p1 : .*size= *32768, .*name="one"/);
    expect(made).toMatch(/p3 : .*name="rest"/);
    expect(await prepare("ext4", "one", 1)).toMatchObject({ code: 0 });
    expect(await prepare("swap", "rest", 3)).toMatchObject({ code: 0 });
    await disk.shell("mkdir -p /mnt && mount /run/slipway/disks/one /mnt && echo kept >/mnt/note && umount /mnt");

    // As after a reboot of a machine whose kernel has not looked at the table.
    await disk.shell(`partx --delete ${disk.device}; rm -rf /run/slipway`);
    await written();
    expect(await prepare("ext4", "one", 1)).toMatchObject({ code: 0 });
    expect(await disk.shell("readlink /run/slipway/disks/one")).toBe(`${disk.device}p1`);
    expect(await disk.shell("mount /run/slipway/disks/one /mnt && cat /mnt/note; umount /mnt")).toBe("kept");
    expect(await disk.shell(`sfdisk --dump ${disk.device}`)).toBe(made);
  });

  test("goes on where it was stopped between its table and its file systems", async () => {
    await blank();
    await written();
    await written();
    expect(await prepare("btrfs", "rest", 3)).toMatchObject({ code: 0 });
    expect(await disk.shell(`blkid -p -o value -s LABEL ${disk.device}p3`)).toBe("rest");
  });

  test("is left alone when its table is not the one asked for", async () => {
    await refused(/no partition 2 for the volume two.*sfdisk --append/, one, "2:0:two");
    await refused(/partition 3 is named 'rest', not other/, one, "3:0:other");
    await refused(/has 16777216 bytes, not 33554432/, `1:${32 * mebibyte}:one`, rest);
  });

  test("is left alone when it is not blank, its table is of another kind or torn, or it is too small", async () => {
    await blank();
    await refused(/its partitions need \d+/, `1:${200 * mebibyte}:one`, rest);
    await disk.shell(`mkfs.ext4 -q -F -L other ${disk.device}`);
    await refused(/is not empty: it holds ext4 with the label 'other'/, one, rest);
    await blank();
    await disk.shell(`echo 'label: dos' | sfdisk --quiet ${disk.device}`);
    await refused(/table of the kind 'dos', not gpt/, one, rest);
    await blank();
    await table(one, rest);
    await disk.shell(
      `partx --delete ${disk.device}; dd if=/dev/zero of=${disk.device} bs=512 count=34 conv=notrunc status=none`,
    );
    await refused(/not blank|signature|not empty|no partition/, one, rest);
  });

  test("of which a partition holds what is not the volume's is left alone", async () => {
    await blank();
    await table(one, rest);
    await disk.shell(`mkfs.ext4 -q -F -L other ${disk.device}p1`);
    const { code, stderr } = await prepare("ext4", "one", 1);
    expect([code, stderr]).toEqual([1, expect.stringContaining("is not empty: it holds ext4 with the label 'other'")]);
  });
});
