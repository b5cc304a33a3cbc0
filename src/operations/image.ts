import { type Context, OperationError } from "./context.ts";

/** The tag of the image that nodes start from; with `build` it is there afterwards. */
export async function image(context: Context, input: { readonly build: boolean }): Promise<{ readonly image: string }> {
  const { target, emit, signal } = context;
  if (target.image === undefined) throw new OperationError(`nodes on ${target.name} start from no image of ours`);
  return { image: await (input.build ? target.image.ensure({ emit, signal }) : target.image.wanted()) };
}
