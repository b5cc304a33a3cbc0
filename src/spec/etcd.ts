import { quoted } from "../problems/visible.ts";
import { section, text, type Complaint } from "./fields.ts";
import { absolutePath } from "./values.ts";

/** `etcd:` — what others than the control nodes may do with it. */
export const etcd = section("The cluster's etcd.", {
  share: text({
    description:
      "A key prefix, such as /app, that workers may read and write; left out, they have no access.",
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
  return absolutePath(prefix);
}
