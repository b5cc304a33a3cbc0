import type * as z from "zod";
import { quoted } from "../problems/visible.ts";
import { boolean, choice, complain, integer, listOf, section, text, type Complaint } from "./fields.ts";
import { accountName, dropInName, unitName, userName } from "./names.ts";
import { absolutePath, mode } from "./values.ts";

const content = (description: string) => text({ description, lines: true, empty: true, schema: { type: "string" } });

const owned = {
  user: text({ description: "Who owns it; root when left out.", check: accountName }).optional(),
  group: text({ description: "Which group owns it; root when left out.", check: accountName }).optional(),
};

const source = section("Where the file is fetched from.", {
  url: text({ description: "An http or https address.", check: webAddress }),
  hash: text({
    description: "sha256- or sha512- and the hexadecimal sum of the file, unpacked where it is packed.",
    check: fileHash,
  }),
  compression: choice("gzip when the file is packed there; none when left out.", ["none", "gzip"]).optional(),
});

const file = section("A file on every node of the group.", {
  path: text({ description: "Where it lies: an absolute path.", check: absolutePath }),
  content: content("What is in it.").optional(),
  encoding: choice("How content is written here: text, base64, or packed with gzip and then base64.", [
    "text",
    "base64",
    "gzip+base64",
  ]).optional(),
  source: source.optional(),
  mode: mode('Permission bits as octal text in quotes; "0644" when left out.').optional(),
  ...owned,
}).superRefine((value, context) => {
  const complaint = contentComplaint(value);
  if (complaint !== undefined) complain(context, complaint);
});

type Written = {
  readonly content?: string | undefined;
  readonly encoding?: string | undefined;
  readonly source?: object | undefined;
};

function contentComplaint({ content: written, encoding = "text", source: from }: Written): Complaint | undefined {
  if (written === undefined && from === undefined)
    return {
      code: "missing-key",
      message: "neither content nor source is here",
      fix: "content: …, or source: { url: …, hash: … }",
    };
  if (from !== undefined && (written !== undefined || encoding !== "text"))
    return {
      code: "invalid-value",
      message: "a file has content or a source, not both",
      fix: "keep one of the two",
      path: [written === undefined ? "encoding" : "content"],
      at: "key",
    };
  if (encoding === "text" || written === undefined) return undefined;
  const bare = written.replace(/\s/g, "");
  if (/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(bare)) return undefined;
  return { code: "invalid-value", message: "the content is not base64", fix: "base64 <file", path: ["content"] };
}

const directory = section("A directory on every node of the group.", {
  path: text({ description: "Where it lies: an absolute path.", check: absolutePath }),
  mode: mode('Permission bits as octal text in quotes; "0755" when left out.').optional(),
  ...owned,
});

const link = section("A symbolic link on every node of the group.", {
  path: text({ description: "Where it lies: an absolute path.", check: absolutePath }),
  target: text({ description: "Where it leads." }),
});

const user = section("A user on every node of the group; without a password.", {
  name: text({ description: "The user's name.", check: userName }),
  keys: listOf(
    "Public SSH keys with which the user may log in.",
    text({ description: "A key.", check: publicKey }),
  ).optional(),
  uid: integer("The user's number; a free one when left out.", 1, 4_294_967_294).optional(),
  comment: text({ description: "Who it is, in words.", check: commentText }).optional(),
  home: text({ description: "The home directory; /home and the name when left out.", check: absolutePath }).optional(),
  shell: text({ description: "The login shell; the system's own when left out.", check: absolutePath }).optional(),
  primary_group: text({
    description: "The user's own group; one of its name when left out.",
    check: userName,
  }).optional(),
  groups: listOf("Groups that the user is in.", text({ description: "A group.", check: userName })).optional(),
  system: boolean("Whether it is a system's user, whose home is not made; false when left out.").optional(),
});

const userGroup = section("A group of users on every node of the group.", {
  name: text({ description: "The group's name.", check: userName }),
  gid: integer("The group's number; a free one when left out.", 1, 4_294_967_294).optional(),
  system: boolean("Whether it is a system's group; false when left out.").optional(),
});

const dropIn = section("A few lines that change a unit.", {
  name: text({ description: "The drop-in's name, such as 10-memory.conf.", check: dropInName }),
  content: content("The drop-in's text."),
});

const unit = section("A systemd unit on every node of the group.", {
  name: text({
    description:
      "The unit's name, such as backup.timer. A template, such as job@.service, is only put there; what runs is an instance, job@a.service, as a unit of its own.",
    check: unitName,
  }),
  content: content("The unit's text; left out for a unit that is there already.").optional(),
  enabled: boolean(
    "Whether it starts at boot; true when left out. A text without an [Install] section gets one, with WantedBy= multi-user.target, timers.target, sockets.target or paths.target, as its kind asks.",
  ).optional(),
  masked: boolean("Whether it cannot be started at all; false when left out.").optional(),
  drop_ins: listOf("Drop-ins of this unit.", dropIn).optional(),
}).superRefine((value, context) => {
  if (value.masked !== true || value.content === undefined) return;
  complain(context, {
    code: "invalid-value",
    message: "a masked unit has no content",
    fix: "leave out content, or masked",
    path: ["content"],
    at: "key",
  });
});

/** What a group's machines get beside what Slipway needs itself. */
export const machineKeys = {
  files: listOf("Files of your own on every node.", file).optional(),
  directories: listOf("Directories of your own on every node.", directory).optional(),
  links: listOf("Symbolic links of your own on every node.", link).optional(),
  users: listOf("Users of your own on every node.", user).optional(),
  user_groups: listOf("Groups of users of your own on every node.", userGroup).optional(),
  units: listOf("systemd units of your own on every node.", unit).optional(),
  kernel_arguments: listOf(
    "Words on the kernel's command line; for systems that can be told them at first boot.",
    text({ description: "One argument, such as net.ifnames=0.", check: kernelArgument }),
  ).optional(),
};

export type FileSpec = z.output<typeof file>;
export type DirectorySpec = z.output<typeof directory>;
export type UserSpec = z.output<typeof user>;
export type UserGroupSpec = z.output<typeof userGroup>;
export type UnitSpec = z.output<typeof unit>;

function webAddress(address: string): Complaint | undefined {
  const fits = /^https?:\/\/[^\s/?#@]+(?:[/?#]\S*)?$/.test(address) && URL.canParse(address);
  return fits
    ? undefined
    : { code: "invalid-value", message: `${quoted(address)} is not a web address`, fix: "https://host/path" };
}

function fileHash(hash: string): Complaint | undefined {
  return /^(?:sha256-[0-9a-f]{64}|sha512-[0-9a-f]{128})$/.test(hash)
    ? undefined
    : {
        code: "invalid-value",
        message: `${quoted(hash)} is not a file's hash`,
        fix: "sha256- and what sha256sum says, or sha512- and what sha512sum says",
      };
}

function publicKey(key: string): Complaint | undefined {
  return /^(?:ssh-(?:rsa|ed25519)|ecdsa-sha2-nistp(?:256|384|521)|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) [A-Za-z0-9+/]+={0,3}(?: \S.*)?$/.test(
    key,
  )
    ? undefined
    : { code: "invalid-value", message: `${quoted(key)} is not a public SSH key`, fix: "a line of a .pub file" };
}

// What stands in /etc/passwd between two colons.
function commentText(comment: string): Complaint | undefined {
  return /[:,]/.test(comment)
    ? { code: "invalid-value", message: `${quoted(comment)} has a colon or a comma`, fix: "leave them out" }
    : undefined;
}

function kernelArgument(argument: string): Complaint | undefined {
  return /^[\w.-]+(?:=[\w.,:/@+-]*)?$/.test(argument)
    ? undefined
    : {
        code: "invalid-value",
        message: `${quoted(argument)} is not one kernel argument`,
        fix: "a word, or word=value, without spaces and quotes",
      };
}
