import { awsKeys, groupAwsKeys, said } from "./show-aws.ts";
import { durationText } from "../spec/values.ts";
import { yamlText } from "../spec/write.ts";
import { sizeText } from "../spec/volumes.ts";
import { resolveFiles } from "./files.ts";
import type {
  Cluster,
  ExtraFile,
  ExtraUnit,
  ExtraUser,
  Group,
  Registry,
  SecretSource,
  Service,
  Updates,
  Volume,
} from "./cluster.ts";

/** Written where a launch on files is meant, or anything of it was said. */
function filesKeys({ target, files, os }: Cluster): string {
  const { store, data, ssh, user } = files;
  const usual = resolveFiles({}, os);
  if (target !== "files" && store === undefined && ssh === undefined && data === usual.data && user === usual.user)
    return "";
  return yamlText({
    files: { ...(store === undefined ? {} : { store }), data, ...(ssh === undefined ? {} : { ssh }), user },
  });
}

/** The cluster as a file in which every default is written down; it reads back to the same cluster. */
export function resolvedYaml(cluster: Cluster): string {
  const { share } = cluster.etcd;
  const { subnet, publishOn } = cluster.docker;
  const head = yamlText({
    name: cluster.name,
    orchestrator: cluster.orchestrator,
    target: cluster.target,
    os: cluster.os,
    updates: updateKeys(cluster.updates),
    groups: named(cluster.groups, (group) => groupKeys(group, cluster.target)),
    ...(cluster.services.length === 0 ? {} : { services: named(cluster.services, serviceKeys) }),
    ...(cluster.registries.length === 0
      ? {}
      : {
          registries: Object.fromEntries(cluster.registries.map((registry) => [registry.host, registryKeys(registry)])),
        }),
  });
  // What has no value cannot be written as one, but it should be seen.
  const etcd = share === undefined ? "etcd: {} # share: workers have no access\n" : yamlText({ etcd: { share } });
  const docker = yamlText({
    docker: { ...(subnet === undefined ? {} : { subnet }), publish_on: publishOn },
  });
  const aws = cluster.target === "aws" ? awsText(cluster) : "";
  return `${head}${filesKeys(cluster)}${etcd}${aws}${docker}${subnet === undefined ? "  # subnet: a free one is chosen at launch\n" : ""}`;
}

function awsText({ aws }: Cluster): string {
  const open = aws.region === undefined ? "  # region: that of the caller's AWS settings\n" : "";
  return `${yamlText({ aws: awsKeys(aws) })}${open}`;
}

function named<Item extends { readonly name: string }>(items: readonly Item[], keys: (item: Item) => object): object {
  return Object.fromEntries(items.map((item) => [item.name, keys(item)]));
}

function groupKeys(group: Group, target: Cluster["target"]): object {
  return {
    role: group.role,
    count: group.count,
    labels: group.labels,
    files: group.files.map(fileKeys),
    directories: group.directories.map(({ path, mode, user, group: owner }) => ({ path, mode, user, group: owner })),
    links: group.links.map(({ path, target }) => ({ path, target })),
    users: group.users.map(userKeys),
    user_groups: group.userGroups.map(({ name, gid, system }) => ({ name, ...said({ gid }), system })),
    units: group.units.map(unitKeys),
    kernel_arguments: group.kernelArguments.map(({ argument }) => argument),
    volumes: named(group.volumes, (volume) => volumeKeys(volume, target)),
    ...(target === "aws" ? { aws: groupAwsKeys(group.aws, group.role === "control") } : {}),
  };
}

function fileKeys({ path, contents, mode, user, group }: ExtraFile): object {
  return { path, ...contentKeys(contents), mode, user, group };
}

function contentKeys(contents: ExtraFile["contents"]): object {
  switch (contents.kind) {
    case "text":
      return { content: contents.text };
    case "bytes":
      return { content: contents.base64, encoding: "base64" };
    case "remote":
      return { source: { url: contents.url, hash: contents.hash, compression: contents.compression } };
  }
}

function userKeys({ name, keys, uid, comment, home, shell, primaryGroup, groups, system }: ExtraUser): object {
  return {
    name,
    keys,
    ...said({ uid, shell, primary_group: primaryGroup }),
    ...(comment === "" ? {} : { comment }),
    home,
    groups,
    system,
  };
}

function volumeKeys(volume: Volume, target: Cluster["target"]): object {
  const { size, type, device, partition, format, mount, onTermination } = volume;
  return {
    ...said({
      size: size === undefined ? undefined : sizeText(size),
      type,
      ...(target === "aws" ? {} : { device, partition }),
    }),
    format,
    ...said({ mount }),
    on_termination: onTermination,
  };
}

function updateKeys({ channel, group, server, reboot, window }: Updates): object {
  return {
    ...said({ channel, group, server }),
    reboot,
    ...(window === undefined
      ? {}
      : {
          window: {
            start: `${String(Math.floor(window.start / 60)).padStart(2, "0")}:${String(window.start % 60).padStart(2, "0")}`,
            length: durationText(window.length * 60_000),
            days: window.days,
          },
        }),
  };
}

function unitKeys({ name, content, enabled, masked, dropIns }: ExtraUnit): object {
  return {
    name,
    ...(content === undefined ? {} : { content }),
    enabled,
    masked,
    drop_ins: dropIns.map((dropIn) => ({ name: dropIn.name, content: dropIn.content })),
  };
}

function serviceKeys(service: Service): object {
  return {
    image: service.image,
    ...(service.replicas === "global" ? { mode: "global" } : { mode: "replicated", replicas: service.replicas }),
    ...(service.command.length === 0 ? {} : { command: service.command }),
    ports: service.ports.map(({ published, target, protocol }) => ({
      published,
      target,
      protocol,
    })),
    environment: service.environment,
    labels: service.labels,
    mounts: service.mounts.map(mountKeys),
    ...(service.health === undefined ? {} : { health: healthKeys(service.health) }),
    update: {
      parallelism: service.update.parallelism,
      delay: durationText(service.update.delay),
      monitor: durationText(service.update.monitor),
      order: service.update.order,
      on_failure: service.update.onFailure,
    },
    constraints: service.constraints,
    secrets: Object.fromEntries(
      service.secrets.map(({ name, target, mode, source }) => [name, { ...sourceKeys(source), target, mode }]),
    ),
  };
}

function mountKeys({ kind, source, target, readOnly }: Service["mounts"][number]): object {
  return { type: kind, ...(kind === "tmpfs" ? {} : { source }), target, read_only: readOnly };
}

function healthKeys(health: NonNullable<Service["health"]>): object {
  return {
    command: health.command,
    interval: durationText(health.interval),
    timeout: durationText(health.timeout),
    start_period: durationText(health.startPeriod),
    retries: health.retries,
  };
}

function registryKeys({ username, password }: Registry): object {
  return { username, password: sourceKeys(password) };
}

function sourceKeys(source: SecretSource): object {
  return source.kind === "file" ? { file: source.path } : { environment: source.variable };
}
