import { UnsayableError } from "../../machine/quote.ts";

/**
 * A text as it stands in a template. `Fn::Sub` is used nowhere, so that `${…}` is only a text; what CloudFormation itself looks
 * for in every text is a dynamic reference, and there is no way to write one that means itself
 * (AWS, CloudFormation user guide, "Get values stored in other services using dynamic references").
 */
export function templateText(text: string): string {
  if (text.includes("{{resolve:")) throw new UnsayableError("CloudFormation would replace the text {{resolve:…}}");
  return text;
}
