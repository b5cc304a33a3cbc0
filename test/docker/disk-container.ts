import { prepareScript, tableScript } from "../../src/components/disks/blank.ts";
import { prepareText } from "../../src/components/disks/script.ts";
import { tableText } from "../../src/components/disks/table.ts";
import { cloudImage } from "./cloud-image.ts";
import { docker, inNode, shell } from "./harness.ts";

/** A container in which the scripts that prepare disks are tried on one loop device, which is this test's alone. */
export class DiskContainer {
  readonly name: string;
  readonly device: string;
  readonly file = "/disk.img";

  /** @param first Loop devices are the whole machine's: each test file takes its hundred. */
  constructor(name: string, first: number) {
    this.name = name;
    this.device = `/dev/loop${first + (process.pid % 100)}`;
  }

  async start(): Promise<void> {
    const image = await cloudImage();
    await docker("rm", "--force", this.name);
    await docker(
      "run",
      "--detach",
      `--name=${this.name}`,
      "--cap-add=SYS_ADMIN",
      "--device-cgroup-rule=b 7:* rwm",
      // Partitions.
      "--device-cgroup-rule=b 259:* rwm",
      "--device-cgroup-rule=c 10:237 rwm",
      "--security-opt=seccomp=unconfined",
      "--security-opt=apparmor=unconfined",
      "--network=none",
      "--entrypoint=sleep",
      image,
      "infinity",
    );
    for (const [path, text] of [
      [prepareScript, prepareText],
      [tableScript, tableText],
    ] as const)
      await inNode(this.name, ["sh", "-c", `mkdir -p /etc/slipway; cat >${path}; chmod 0755 ${path}`], { input: text });
    // The kernel's own devices, so that those of partitions come and go as on a machine.
    await this.shell("mount -t devtmpfs none /dev");
    const number = this.device.replace("/dev/loop", "");
    await this.shell(`[ -b ${this.device} ] || mknod ${this.device} b 7 ${number}`);
  }

  async stop(): Promise<void> {
    await inNode(this.name, ["sh", "-c", `losetup -d ${this.device}; rm -f ${this.device}`]);
    await docker("rm", "--force", this.name);
  }

  /** A blank disk in the place of the one before: 400 MiB, more than the least that XFS takes. */
  async blank(size = "400M"): Promise<void> {
    const { device, file } = this;
    await this.shell(
      `partx --delete ${device} 2>/dev/null; losetup -d ${device} 2>/dev/null; rm -rf ${file} /run/slipway; truncate -s ${size} ${file}; losetup ${device} ${file}`,
    );
  }

  shell(script: string): Promise<string> {
    return shell(this.name, script);
  }

  /** What a script says, as the unit runs it. */
  run(...words: readonly string[]): ReturnType<typeof inNode> {
    return inNode(this.name, words);
  }
}
