import { buildCommand } from "@stricli/core";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";
import { common, toggle, type Common, type Toggle } from "../flags.ts";

type Flags = Common & { readonly build: Toggle };

export default (brief: string) =>
  buildCommand<Flags, [], CliContext>({
    docs: docs(
      brief,
      "Prints the tag of the image that nodes start from. With --build it is built where the engine does not have it,\nwhich `launch` does too.",
      [
        ["image", "the tag"],
        ["image --build", "one to four minutes, the first time"],
      ],
    ),
    parameters: { flags: { ...common, build: toggle("build it where it is not there") } },
    func: act(async (session, flags: Flags) => {
      const image = await session.world.operations.image();
      const build = flags.build === true;
      // A build takes minutes and says so; one JSON document stays one.
      const context = build && flags.json !== true ? (await session.working()).context : await session.looking();
      const found = await image(context, { build });
      session.close();
      if (flags.json) session.document(found);
      else session.print(found.image);
    }),
  });
