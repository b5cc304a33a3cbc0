import type { Path } from "../problems/problem.ts";
import type { AwsSpec } from "../spec/aws.ts";
import type { GroupSpec } from "../spec/groups.ts";
import type { DirectorySpec, FileSpec, UnitSpec, UserGroupSpec, UserSpec } from "../spec/machine.ts";
import { bytesOf, type VolumeSpec } from "../spec/volumes.ts";
import { resolveGroupAws } from "./aws.ts";
import type {
  ExtraDirectory,
  ExtraFile,
  ExtraUnit,
  ExtraUser,
  ExtraUserGroup,
  Group,
  Role,
  Volume,
} from "./cluster.ts";
import { contentsOf } from "./contents.ts";
import { groupName, labelsOf, sortedEntries } from "./names.ts";

/** A group with every default filled in. */
export function resolveGroup(name: string, spec: GroupSpec, role: Role, aws: AwsSpec): Group {
  const path = ["groups", name];
  const each = <Item, Result>(
    key: string,
    items: readonly Item[] | undefined,
    one: (item: Item, at: Path) => Result,
  ): readonly Result[] => (items ?? []).map((item, index) => one(item, [...path, key, index]));
  return {
    name: groupName(name),
    role,
    count: spec.count ?? 1,
    labels: labelsOf(spec.labels),
    files: each("files", spec.files, resolveFile),
    directories: each("directories", spec.directories, (directory, at) => resolveOwned(directory, "0755", at)),
    links: each("links", spec.links, (link, at) => ({ ...link, at })),
    users: each("users", spec.users, resolveUser),
    userGroups: each("user_groups", spec.user_groups, resolveUserGroup),
    units: each("units", spec.units, resolveUnit),
    kernelArguments: each("kernel_arguments", spec.kernel_arguments, (argument, at) => ({ argument, at })),
    volumes: sortedEntries(spec.volumes ?? {}).map(([volume, keys]) =>
      resolveVolume(volume, keys, [...path, "volumes", volume]),
    ),
    aws: resolveGroupAws(spec.aws ?? {}, aws, spec.count ?? 1),
    path,
  };
}

function resolveOwned({ path, mode, user, group }: DirectorySpec, usual: string, at: Path): ExtraDirectory {
  return { path, mode: mode ?? usual, user: user ?? "root", group: group ?? "root", at };
}

function resolveFile(file: FileSpec, at: Path): ExtraFile {
  return { ...resolveOwned(file, "0644", at), contents: contentsOf(file) };
}

function resolveUser(user: UserSpec, at: Path): ExtraUser {
  return {
    name: user.name,
    keys: user.keys ?? [],
    uid: user.uid,
    comment: user.comment ?? "",
    home: user.home ?? `/home/${user.name}`,
    shell: user.shell,
    primaryGroup: user.primary_group,
    groups: user.groups ?? [],
    system: user.system ?? false,
    at,
  };
}

function resolveUserGroup(group: UserGroupSpec, at: Path): ExtraUserGroup {
  return { name: group.name, gid: group.gid, system: group.system ?? false, at };
}

function resolveVolume(name: string, volume: VolumeSpec, at: Path): Volume {
  return {
    name,
    size: volume.size === undefined ? undefined : bytesOf(volume.size),
    type: volume.type,
    device: volume.device,
    partition: volume.partition,
    format: volume.format ?? "ext4",
    mount: volume.mount,
    onTermination: volume.on_termination ?? "delete",
    at,
  };
}

function resolveUnit(unit: UnitSpec, at: Path): ExtraUnit {
  const masked = unit.masked ?? false;
  return {
    name: unit.name,
    content: unit.content,
    enabled: unit.enabled ?? !masked,
    masked,
    dropIns: (unit.drop_ins ?? []).map((dropIn, index) => ({
      ...dropIn,
      at: [...at, "drop_ins", index],
    })),
    at,
  };
}
