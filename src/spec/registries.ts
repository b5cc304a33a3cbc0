import { quoted } from "../problems/visible.ts";
import { mapOf, section, text, type Complaint } from "./fields.ts";
import { secretValue } from "./values.ts";

const registry = section("How to log in to a registry.", {
  username: text({ description: "The account's name." }),
  password: secretValue("Where the password or token is found: a file or an environment variable."),
});

/** `registries:` — where images come from that not everyone may read. */
export const registries = mapOf("Registries that ask for a password, by host.", registry, hostComplaint);

function hostComplaint(host: string): Complaint | undefined {
  const name =
    /^([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*(:[1-9][0-9]{0,4})?$/;
  if (host.length <= 255 && name.test(host)) return undefined;
  const bare = host.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
  return {
    code: "invalid-name",
    message: `${quoted(host)} is not a registry's host`,
    fix: bare !== host && name.test(bare) ? bare : "such as registry.example.com or localhost:5000",
  };
}
