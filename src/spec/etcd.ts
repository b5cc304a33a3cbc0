import { quoted } from "../problems/visible.ts";
import { section, text, type Complaint } from "./fields.ts";
import { absolutePath } from "./values.ts";

/** `etcd:` — what others than the control nodes may do with it. */
export const etcd = section("The cluster's etcd.", {
  share: text({
    description:
      "A key prefix that workers may read and write: every key that begins with it, so /app means /apple too, and /app/ does not; left out, they have no access.",
    check: shareComplaint,
  }).optional(),
});

function shareComplaint(prefix: string): Complaint | undefined {
  if (prefix === "/")
    return {
      code: "invalid-value",
      message: "/ would share every key, Slipway's own too",
      fix: "name a prefix, such as /app",
    };
  if (prefix === "/slipway" || prefix.startsWith("/slipway/"))
    return {
      code: "conflicting-path",
      message: `${quoted(prefix)} is Slipway's own prefix`,
      fix: "choose another, such as /app",
    };
  if ("/slipway/".startsWith(prefix))
    return {
      code: "conflicting-path",
      message: `keys that begin with ${quoted(prefix)} are also Slipway's own, /slipway/`,
      fix: "choose another, such as /app",
    };
  return absolutePath(prefix.length > 1 && prefix.endsWith("/") ? prefix.slice(0, -1) : prefix);
}
