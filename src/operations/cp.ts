import type { ClusterName, NodeName } from "../cluster/cluster.ts";
import { OperationError, type Context } from "./context.ts";
import { requireRunning } from "./exec.ts";
import { localKind, packLocal, unpackLocal } from "./archive.ts";
import { observePresent } from "./look.ts";
import { pickNode } from "./pick.ts";
import type { ExecResult, NodeAccess } from "../targets/target.ts";

export type CpInput = {
  readonly cluster: ClusterName;
  /** A path of this machine, or `node:/path`; exactly one of the two names a node. */
  readonly from: string;
  readonly to: string;
};
export type Copied = {
  readonly node: NodeName;
  readonly direction: "to" | "from";
  /** Where it lies now. */
  readonly path: string;
  /** Size of what was carried, as a tar archive. */
  readonly bytes: number;
};

/** `node:/path` taken apart; undefined for a path of this machine. */
export function remotePath(text: string): { readonly node: string; readonly path: string } | undefined {
  const parts = /^([a-z0-9][a-z0-9-]*):(.*)$/s.exec(text);
  const [, node, path] = parts ?? [];
  return node === undefined || path === undefined ? undefined : { node, path };
}

/** Copies a file or a folder to a node or from it; an existing folder as destination receives it under its own name. */
export async function cp(context: Context, input: CpInput): Promise<Copied> {
  const [from, to] = [remotePath(input.from), remotePath(input.to)];
  if ((from === undefined) === (to === undefined)) {
    throw new OperationError("one of the two paths must be on a node", "slipway cp ./file NODE:/path");
  }
  const remote = from ?? to;
  if (remote === undefined || !remote.path.startsWith("/")) {
    throw new OperationError(`a path on a node is absolute: ${remote?.node ?? "NODE"}:/path`);
  }
  const observed = await observePresent(context, input.cluster);
  const node = pickNode(input.cluster, observed.nodes, remote.node);
  requireRunning(node);
  const access = context.target.node(node.name, input.cluster);
  return from === undefined
    ? copyTo(context, access, node.name, input.from, normal(remote.path))
    : copyFrom(context, access, node.name, normal(remote.path), input.to);
}

/** Without the slash at the end; the root stays. */
const normal = (path: string): string => path.replace(/(?<=.)\/+$/, "");
const baseOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
const folderOf = (path: string): string => path.slice(0, path.lastIndexOf("/")) || "/";

async function copyFrom(
  context: Context,
  access: NodeAccess,
  node: NodeName,
  path: string,
  to: string,
): Promise<Copied> {
  if ((await remoteKind(access, path)) === "absent") throw new OperationError(`there is no ${path} on ${node}`);
  // A link stands for what it leads to.
  const real = (await must(access, ["realpath", "-e", "--", path])).stdout.replace(/\n$/, "");
  if (real === "/") throw new OperationError("the whole root folder cannot be copied");
  const archive = await packRemote(access, real);
  const placed = await unpackLocal(context, { archive, top: baseOf(real), name: baseOf(path), to });
  return { node, direction: "from", path: placed, bytes: archive.byteLength };
}

/** The archive is unpacked beside its place and then moved, so that nobody ever sees half a file. */
async function copyTo(
  context: Context,
  access: NodeAccess,
  node: NodeName,
  from: string,
  path: string,
): Promise<Copied> {
  const kind = await localKind(context, from);
  if (kind === "absent") throw new OperationError(`there is no ${from} on this machine`);
  const { archive, top, name } = await packLocal(context, from);
  const place = (await remoteKind(access, path)) === "folder" ? `${path === "/" ? "" : path}/${name}` : path;
  const there = await remoteKind(access, place);
  if (there !== "absent" && there !== kind) {
    throw new OperationError(`${place} on ${node} is a ${there}, ${from} is a ${kind}`);
  }
  const folder = folderOf(place);
  if ((await remoteKind(access, folder)) !== "folder")
    throw new OperationError(`there is no folder ${folder} on ${node}`);
  const stage = (
    await must(access, ["mktemp", "-d", "--", `${folder === "/" ? "" : folder}/.slipway-XXXXXXXX`])
  ).stdout.trim();
  try {
    await must(access, ["tar", "-xf", "-", "--no-same-owner", "-C", stage], archive);
    const staged = `${stage}/${top}`;
    await must(access, there === "folder" ? ["cp", "-aT", "--", staged, place] : ["mv", "-fT", "--", staged, place]);
  } finally {
    await must(access, ["rm", "-rf", "--", stage]);
  }
  return { node, direction: "to", path: place, bytes: archive.byteLength };
}

async function remoteKind(access: NodeAccess, path: string): Promise<"absent" | "file" | "folder"> {
  if ((await access.exec(["test", "-d", path])).code === 0) return "folder";
  return (await access.exec(["test", "-e", path])).code === 0 ? "file" : "absent";
}

/** The node's own tar sees its tmpfs and volumes, which the engine's archive call does not. */
async function packRemote(access: NodeAccess, path: string): Promise<Uint8Array> {
  const [archive, complaint]: [Uint8Array[], Uint8Array[]] = [[], []];
  const { code } = await access.exec(["tar", "-cf", "-", "-C", folderOf(path), `./${baseOf(path)}`], {
    output: (stream, chunk) => (stream === "stdout" ? archive : complaint).push(chunk),
  });
  if (code !== 0)
    throw new OperationError(`tar failed on the node: ${Buffer.concat(complaint).toString("utf8").trim()}`);
  return Buffer.concat(archive);
}

async function must(
  access: NodeAccess,
  command: readonly [string, ...string[]],
  input?: Uint8Array,
): Promise<ExecResult> {
  const result = await access.exec(command, input === undefined ? {} : { input });
  if (result.code !== 0) throw new OperationError(`${command[0]} failed on the node: ${result.stderr.trim()}`);
  return result;
}
