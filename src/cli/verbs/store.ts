import { buildCommand, buildRouteMap } from "@stricli/core";
import { chosenCluster } from "../choice.ts";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";
import { UsageError } from "../failure.ts";
import { common, span, wholeNumber, type Common } from "../flags.ts";

type Placed = Pick<Common, "quiet" | "noColor"> & { readonly data: string };
type Serving = Placed & { readonly listen: string };

const data = {
  kind: "parsed",
  parse: String,
  placeholder: "folder",
  brief: "the folder of the records and of the operator's socket",
} as const;

const idWord = { kind: "tuple", parameters: [{ brief: "the token's id", parse: String, placeholder: "id" }] } as const;
const groupWord = { kind: "tuple", parameters: [{ brief: "the group", parse: String, placeholder: "group" }] } as const;

const serve = buildCommand<Serving, [], CliContext>({
  docs: docs(
    "serve a cluster's store from a folder, until it is ended",
    "Runs the store of one cluster --on files: for its nodes over TLS at the address that is given, which is the one in the\nfile's files: { store }; for the operator by a socket in the folder, which only its owner can open. It lets machines in that\nshow a good join token, and hands out the programs that they run.",
    [["store serve --data /srv/slipway --listen 10.0.0.5:7443", "as a service of the system, or in a terminal"]],
  ),
  parameters: {
    flags: {
      data,
      quiet: common.quiet,
      noColor: common.noColor,
      listen: { kind: "parsed", parse: place, placeholder: "ip:port", brief: "the address at which nodes reach it" },
    },
  },
  func: act(async (session, flags: Serving) => {
    const { world } = session;
    const folder = world.files.absolute(flags.data);
    const [{ serveCluster }, { programsAt }, { systemNodeFiles }] = await Promise.all([
      import("../../gateway/served.ts"),
      import("../../gateway/programs.ts"),
      import("../../host/nodeFiles.ts"),
    ]);
    const stopped = new AbortController();
    world.signal.addEventListener("abort", () => stopped.abort(), { once: true });
    let broken = false;
    const say = (message: string): void => session.print(message);
    const programs = await programsAt(world.programs);
    const serving = await serveCluster({
      folder,
      socket: `${folder}/operator.sock`,
      user: world.owner().user,
      listen: flags.listen,
      programs,
      files: systemNodeFiles,
      clock: world.clock,
      random: world.random,
      say,
      onBroken: () => {
        broken = true;
        stopped.abort();
      },
    });
    say(`store: ${folder}, for the operator at ${folder}/operator.sock`);
    say(`store: nodes reach it at https://${flags.listen} once the cluster is launched`);
    for (const { name, sha256 } of programs) say(`store: hands out ${name} ${sha256}`);
    while (!stopped.signal.aborted) {
      let settled = false;
      try {
        settled = await serving.tend();
      } catch (error) {
        say(`store: ${error instanceof Error ? error.message : String(error)}`);
      }
      await world.clock.sleep(settled ? 1_000 : 200, stopped.signal);
    }
    await serving.close();
    say("store: ended");
    return broken ? "failed" : "done";
  }),
});

/** An address of this machine: nodes check that the certificate bears it. */
function place(text: string): string {
  const [, host = "", port = ""] = /^(\d{1,3}(?:\.\d{1,3}){3}):(\d{1,5})$/.exec(text) ?? [];
  const good = host.split(".").every((part) => Number(part) <= 255) && Number(port) >= 1 && Number(port) <= 65_535;
  if (host === "" || !good) throw new Error(`${JSON.stringify(text)} is not an IPv4 address and a port`);
  return text;
}

const connect = buildCommand<Placed, [], CliContext>({
  docs: docs(
    "join this process's input and output to the store's socket",
    "What slipway calls through ssh where files: { ssh } names another machine; who may open the socket is the operator.",
    [["store connect --data /srv/slipway", "as the user that serves the store, or root"]],
  ),
  parameters: { flags: { data, quiet: common.quiet, noColor: common.noColor } },
  func: act(async (session, flags: Placed) => {
    await session.world.bridge(`${session.world.files.absolute(flags.data)}/operator.sock`);
  }),
});

type Creating = Common & { readonly uses: number; readonly expires: number };

const create = buildCommand<Creating, [string], CliContext>({
  docs: docs(
    "make a join token for a group",
    "Prints the token, once: the store keeps its sum only. A machine that shows it becomes a node of the group, as long as it has\nuses left, has not expired and is not revoked.",
    [
      ["store token create worker --uses 5 --expires 2h", "for five machines"],
      ["store token create worker --json", "for programs"],
    ],
  ),
  parameters: {
    flags: {
      ...common,
      uses: {
        kind: "parsed",
        parse: wholeNumber(1, 10_000),
        default: "1",
        placeholder: "count",
        brief: "how many machines it lets in",
      },
      expires: { kind: "parsed", parse: span, default: "24h", placeholder: "time", brief: "such as 30m or 24h" },
    },
    positional: groupWord,
  },
  func: act(async (session, flags: Creating, group: string) => {
    const context = await session.looking();
    const cluster = await chosenCluster(session, context, undefined);
    if (flags.expires === 0) throw new UsageError("a token that expires at once lets nobody in");
    const make = await session.world.operations.createToken();
    const made = await make(context, { cluster, group, uses: flags.uses, life: flags.expires });
    if (flags.json) session.document(made);
    else {
      session.print(made.token);
      session.note(`for ${made.uses} of ${group} until ${made.expires}; as /etc/slipway/token on the machine`);
    }
  }),
});

const list = buildCommand<Common, [], CliContext>({
  docs: docs("list the join tokens", "Shows which group each is for, and whether it still lets anyone in.", [
    ["store token list", "the cluster of ./cluster.yml"],
  ]),
  parameters: { flags: common },
  func: act(async (session, flags: Common) => {
    const context = await session.looking();
    const cluster = await chosenCluster(session, context, undefined);
    const tokens = await (await session.world.operations.listTokens())(context, { cluster });
    if (flags.json) {
      session.document({ cluster, tokens });
      return;
    }
    const { table } = await import("../views/table.ts");
    if (tokens.length === 0) session.note(`${cluster} has no join tokens`);
    else
      session.print(
        table(
          ["ID", "GROUP", "STATE", "USED", "EXPIRES"],
          tokens.map(({ id, group, state, used, uses, expires }) => [id, group, state, `${used}/${uses}`, expires]),
          session.out,
        ),
      );
  }),
});

const revoke = buildCommand<Common, [string], CliContext>({
  docs: docs("revoke a join token", "From now on it lets nobody in; nodes that came with it stay.", [
    ["store token revoke 3f2a91c0", "by its id"],
  ]),
  parameters: { flags: common, positional: idWord },
  func: act(async (session, flags: Common, id: string) => {
    const context = await session.looking();
    const cluster = await chosenCluster(session, context, undefined);
    const revoked = await (await session.world.operations.revokeToken())(context, { cluster, id });
    if (flags.json) session.document(revoked);
    else session.note(revoked.changed ? `the join token ${id} is revoked` : `the join token ${id} was revoked before`);
  }),
});

export default (brief: string) =>
  buildRouteMap({
    routes: {
      serve,
      connect,
      token: buildRouteMap({ routes: { create, list, revoke }, docs: { brief: "make, list and revoke join tokens" } }),
    },
    docs: docs(
      brief,
      "The store of a cluster --on files runs wherever its nodes reach it; machines join by a token of their group.",
      [
        ["store serve --data /srv/slipway --listen 10.0.0.5:7443", "runs it"],
        ["store token create worker --uses 5 --expires 2h", "lets five machines in"],
        ["store token revoke 3f2a91c0", "ends that"],
      ],
    ),
  });
