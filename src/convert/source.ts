/** The kinds of old files that are read. */
export type Kind =
  | "op-conf"
  | "cloud-config"
  | "heat"
  | "params"
  | "units-list"
  | "unit"
  | "envs"
  | "terraform"
  | "cloudformation";

/** What each kind is called in a sentence. */
export const kindNames: Readonly<Record<Kind, string>> = {
  "op-conf": "a conf file of op.py",
  "cloud-config": "a cloud-config",
  heat: "a heat template",
  params: "the parameters of a heat template",
  "units-list": "a list of units",
  unit: "a fleet or systemd unit",
  envs: "settings of aws-terraform",
  terraform: "a module of aws-terraform",
  cloudformation: "a CloudFormation template",
};

const unitLine = /^[\w@:.\\-]+\.(?:service|socket|timer|path|mount|target)$/;
const settings =
  /^\s*(?:export\s+)?(?:AWS_|CLUSTER_NAME|APP_|COREOS_UPDATE|VM_TYPE|TF_VAR_|ALLOWED_ACCOUNT)\w*\s*[?:]?=/m;
const assignment = /^\s*(?:(?:export|source|set|unset|if|fi|then|else|echo|\.)\b|[A-Za-z_]\w*\s*[?:+]?=)/;
const cloudConfigKeys =
  /^(?:coreos|write[-_]files|ssh[-_]authorized[-_]keys|users|hostname|manage[-_]etc[-_]hosts)\s*:/m;
const modules = /^\s*(?:module\s+"\w+"\s*\{|cluster_(?:desired_capacity|min_size|max_size)\s*=|image_type\s*=)/m;

/** What kind of file a text is; `undefined` when it is none that is read. Only looks, so that it may be wrong about a broken file. */
export function kindOf(file: string, text: string): Kind | undefined {
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  if (/^[^#\n]*@insert\s*:|@param:/m.test(text)) return "heat";
  if (/^#cloud-config\b/.test(text)) return "cloud-config";
  if (/["']?AWSTemplateFormatVersion["']?\s*:|["']?Type["']?\s*:\s*["']?AWS::/.test(text)) return "cloudformation";
  if (isOpConf(text)) return "op-conf";
  if (lines.length > 0 && lines.every((line) => unitLine.test(line))) return "units-list";
  if (/^\[(?:Unit|Service|X-Fleet)\]$/m.test(text) && lines[0]?.startsWith("[") === true) return "unit";
  // A script may do more than assign, and the Makefile holds rules, too.
  if (settings.test(text) && lines.filter((line) => assignment.test(line)).length * 2 > lines.length) return "envs";
  if (settings.test(text) && /(?:^|[\\/])Makefile$/.test(file)) return "envs";
  if (modules.test(text)) return "terraform";
  if (cloudConfigKeys.test(text)) return "cloud-config";
  if (/(?:^|[\\/])params[\w.-]*\.ya?ml$/.test(file)) return "params";
  return undefined;
}

/** Whether a text is a conf file of op.py: `launch` takes one as it is. */
export function isOpConf(text: string): boolean {
  return /^cloud_config\s*:/m.test(text) && /^(?:instances_count|instance_type|key_pair)\s*:/m.test(text);
}
