import { emptyMachine, textFile, type MachineConfig, type Origin } from "./machine.ts";
import { agentUnit, agentUnitText, fetchScript, getPrograms, programsFolder, type Pointer } from "./pointer.ts";

/** Stands for the bucket's name where it is known only when the user data is used; no name in a file has capital letters. */
export const bucketMark = "SLIPWAYSTOREBUCKET";

/** SHA-256 of the programs, hexadecimal. */
export type Runtime = Pointer["runtime"];

/** What a host on AWS must know to become a node. No token: who it is, AWS says. */
export type BucketPointer = {
  readonly cluster: string;
  readonly group: string;
  readonly bucket: string;
  /** SHA-256 of the cluster's root certificate; absent: the root that stands in the store, which operators alone write. */
  readonly pin?: string;
  readonly runtime: Runtime;
};

const origin: Origin = { kind: "component", component: "agent" };
const bootstrap = "/etc/slipway/bootstrap.json";
const bucketFile = "/etc/slipway/bucket";

/**
 * Fetches the agent and its Node.js from the bucket with the instance's own credentials, each judged by its sum before it is
 * run. The credentials go to curl by standard input: a command line is everyone's to read. Debian's image has no curl.
 */
const fetchText = ({ runtime }: BucketPointer): string => `#!/bin/bash
set -eu -o pipefail
command -v curl >/dev/null || { apt-get -q update && apt-get -q install -y --no-install-recommends curl ca-certificates; }
mkdir -p ${programsFolder}
cd ${programsFolder}
imds=http://169.254.169.254/latest
token=$(curl -fsS --retry 9 --retry-all-errors -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' $imds/api/token)
ask() { curl -fsS --retry 9 --retry-all-errors -H @- "$imds/meta-data/$1" <<<"X-aws-ec2-metadata-token: $token"; }
bucket=$(cat ${bucketFile})
region=$(ask placement/region)
host=$bucket.s3.$region.$(ask services/domain)
get() {
  echo "$2  $1" | sha256sum --quiet -c 2>/dev/null && return
  keys=$(ask "iam/security-credentials/$(ask iam/security-credentials/)")
  of() { sed -n "s|.*\\"$1\\" *: *\\"\\([^\\"]*\\)\\".*|\\1|p" <<<"$keys"; }
  curl -fsS --retry 9 --retry-all-errors --aws-sigv4 "aws:amz:$region:s3" -K - -o "$1.new" "https://$host/runtime/$2" <<END
user = "$(of AccessKeyId):$(of SecretAccessKey)"
header = "X-Amz-Security-Token: $(of Token)"
header = "X-Amz-Content-Sha256: UNSIGNED-PAYLOAD"
END
  echo "$2  $1.new" | sha256sum --quiet -c
  chmod 0755 "$1.new"
  mv "$1.new" "$1"
}
${getPrograms(runtime)}`;

/** What user data says on AWS: who the node is to ask, and the agent that asks. */
export function bucketPointer(pointer: BucketPointer): MachineConfig {
  const { cluster, group, bucket, pin } = pointer;
  const known = { cluster, group, store: "s3", ...(pin === undefined ? {} : { pin }) };
  return {
    ...emptyMachine,
    files: [
      textFile(bootstrap, `${JSON.stringify(known)}\n`, origin),
      // Alone in its file: no format packs or encodes a text of letters, so that the bucket's name can be put in later.
      textFile(bucketFile, `${bucket}\n`, origin),
      textFile(fetchScript, fetchText(pointer), origin, "0755"),
    ],
    units: [{ name: agentUnit, content: agentUnitText, dropIns: [], state: "on", origin }],
  };
}
