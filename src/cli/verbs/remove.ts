import { buildCommand } from "@stricli/core";
import { chosenNodes } from "../choice.ts";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";
import { UsageError } from "../failure.ts";
import { acting, forceFlag, type Acting, type Toggle } from "../flags.ts";
import { nodeWords } from "../words.ts";

type Flags = Acting & { readonly force: Toggle };

export default (brief: string) =>
  buildCommand<Flags, string[], CliContext>({
    docs: docs(
      brief,
      "Takes one node out of the cluster for good, with its memberships and its data. Where the file still asks for it,\nthe next launch makes a new one. On files the machine stays with what is on its disks, and is no node any more.",
      [["remove demo-worker-2 --yes", "one node"]],
    ),
    parameters: {
      flags: { ...acting, force: forceFlag },
      positional: nodeWords,
    },
    func: act(async (session, flags: Flags, ...words: string[]) => {
      const { context } = await session.working();
      const { cluster, nodes } = await chosenNodes(session, context, words);
      const [node, ...more] = nodes;
      if (node === undefined || more.length > 0)
        throw new UsageError("remove takes one node", `slipway remove ${cluster}-worker-1`);
      // Where the machine is somebody else's, its disks stay as they are.
      const what = context.target.userData === undefined ? `${node} and its data` : `${node} from ${cluster}`;
      if (!(await session.confirm(`Remove ${what} for good?`, flags.yes))) return session.declined();
      const remove = await session.world.operations.remove();
      const removed = await remove(context, { cluster, node, force: flags.force === true });
      session.close();
      session.note(`removed ${removed.node}\n${removed.note}`.trimEnd());
      return "done";
    }),
  });
