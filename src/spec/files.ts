import ipaddr from "ipaddr.js";
import { quoted } from "../problems/visible.ts";
import { section, text, type Complaint } from "./fields.ts";
import { absolutePath } from "./values.ts";

/** `files:` — what concerns nodes that anyone may start, with the user data that a launch writes. */
export const files = section("Settings for --on files.", {
  store: text({
    description:
      "The address at which nodes reach the store that slipway store serve runs, such as https://10.0.0.5:7443.",
    check: storeComplaint,
  }).optional(),
  data: text({
    description: "The folder of slipway store serve, in which the operator's socket lies; /srv/slipway when left out.",
    check: absolutePath,
  }).optional(),
  ssh: text({
    description: "Where the store runs, as ssh takes it, such as admin@10.0.0.5; left out: on this machine.",
    check: sshComplaint,
  }).optional(),
  user: text({
    description: "Who logs in to nodes for exec, ssh and cp; core on Flatcar and Fedora CoreOS, else the system's own.",
    check: userComplaint,
  }).optional(),
});

function storeComplaint(address: string): Complaint | undefined {
  const [, host = "", port = ""] = /^https:\/\/([0-9.]+):(\d{1,5})$/.exec(address) ?? [];
  if (ipaddr.IPv4.isValidFourPartDecimal(host) && Number(port) >= 1 && Number(port) <= 65_535) return undefined;
  return {
    code: "invalid-value",
    message: `${quoted(address)} is not the address of a store`,
    fix: "https, an IPv4 address and a port, such as https://10.0.0.5:7443",
  };
}

/** A word that ssh could take for an option, or the shell for two, is none. */
function sshComplaint(place: string): Complaint | undefined {
  return /^(?:[a-z_][a-z0-9_-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*$/.test(place)
    ? undefined
    : {
        code: "invalid-value",
        message: `${quoted(place)} is not a host for ssh`,
        fix: "user@host, or a host of ~/.ssh/config",
      };
}

function userComplaint(user: string): Complaint | undefined {
  return /^[a-z_][a-z0-9_-]{0,31}$/.test(user)
    ? undefined
    : { code: "invalid-value", message: `${quoted(user)} is not a user's name`, fix: "such as core or debian" };
}
