import { type Answer, xml } from "./call.ts";
import { type Shape, shapeXml } from "./xml.ts";

/** What an action answers in the query protocol; `undefined` where it has no result. */
export function queryAnswer(action: string, result: { readonly [key: string]: Shape } | undefined): Answer {
  const shape = {
    ...(result === undefined ? {} : { [`${action}Result`]: result }),
    ResponseMetadata: { RequestId: "stand-in" },
  };
  return xml(200, shapeXml(`${action}Response`, shape, "member"));
}
