import { confirm, isCancel, select, text } from "@clack/prompts";
import type { Prompts } from "./world.ts";

/** Questions on the terminal; the caller has made sure that there is one. */
export const prompts: Prompts = {
  text: async (message, initialValue, validate) => {
    const answer = await text({
      message,
      initialValue,
      validate: (value) => validate(value ?? ""),
    });
    return isCancel(answer) ? undefined : answer;
  },
  choose: async (message, options, initialValue) => {
    const answer = await select({
      message,
      initialValue,
      options: options.map((value) => ({ value })),
    });
    return isCancel(answer) ? undefined : answer;
  },
  confirm: async (message) => {
    const answer = await confirm({ message, initialValue: false });
    return isCancel(answer) ? undefined : answer;
  },
};
