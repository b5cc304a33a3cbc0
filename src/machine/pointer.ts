import { shellWord } from "./quote.ts";
import { textFile, emptyMachine, type MachineConfig, type Origin } from "./machine.ts";

/** Everything a host must know to become a node: small, and the same for all nodes of a group. */
export type Pointer = {
  readonly cluster: string;
  readonly group: string;
  /** The store's address as nodes see it. */
  readonly store: string;
  /** SHA-256 of the cluster's root certificate, hexadecimal. */
  readonly pin: string;
  /** Lets so many nodes of this group join until it expires; opens nothing else. */
  readonly token: string;
  /** SHA-256 of the programs, hexadecimal, which the store hands to everyone. */
  readonly runtime: { readonly agent: string; readonly node: Readonly<Record<"x86_64" | "aarch64", string>> };
};

const origin: Origin = { kind: "component", component: "agent" };
export const agentUnit = "slipway-agent.service";
/** The agent's exit code on a machine that is no node any more, or never will be: systemd does not start it again, and is content. */
export const departedCode = 90;
export const fetchScript = "/etc/slipway/fetch";
/**
 * Where the programs lie on hosts that fetch them: not below /var/lib/slipway, over which a disk may be mounted while the
 * agent runs from it, and where SELinux's own rules expect programs.
 */
export const programsFolder = "/opt/slipway/bin";

/** The end of a script that fetches: which programs, by their sums; `get NAME SUM` is what the script says before. */
export const getPrograms = (runtime: Pointer["runtime"]): string => `case $(uname -m) in
x86_64) node=${runtime.node.x86_64} ;;
aarch64) node=${runtime.node.aarch64} ;;
esac
get node "$node"
get agent.js ${runtime.agent}
echo '{"type":"module"}' >package.json
printf '%s  %s\n' "$node" node ${runtime.agent} agent.js >SHA256SUMS
if command -v restorecon >/dev/null; then restorecon -F node; fi
`;

/**
 * Fetches the agent and its Node.js, each judged by its sum before it is run; so the way they come need not be trusted, and
 * the store's certificate, which curl cannot judge by the root's sum alone, is left to the agent.
 */
const fetchText = ({ store, runtime }: Pointer): string => `#!/bin/bash
set -eu -o pipefail
store=${shellWord(store)}
mkdir -p ${programsFolder}
cd ${programsFolder}
get() {
  echo "$2  $1" | sha256sum --quiet -c 2>/dev/null && return
  curl -fsSk --retry 9 --retry-all-errors -o "$1.new" "$store/runtime/$2" ||
    python3 -c 'import ssl,sys,urllib.request as u;open(sys.argv[1],"wb").write(u.urlopen(sys.argv[2],context=ssl._create_unverified_context()).read())' "$1.new" "$store/runtime/$2"
  echo "$2  $1.new" | sha256sum --quiet -c
  chmod 0755 "$1.new"
  mv "$1.new" "$1"
}
${getPrograms(runtime)}`;

/** The agent's unit, whatever its programs are fetched from. */
export const agentUnitText = `[Unit]
Description=Slipway agent
Wants=network-online.target
After=network-online.target

[Service]
ExecStartPre=/bin/bash ${fetchScript}
ExecStart=${programsFolder}/node --max-semi-space-size=1 ${programsFolder}/agent.js
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=2
RestartPreventExitStatus=${departedCode}
SuccessExitStatus=${departedCode}
TimeoutStartSec=infinity
TimeoutStopSec=45
KillMode=mixed

[Install]
WantedBy=multi-user.target
`;

/** What user data says when it only points at the store: who the node is to ask, and the agent that asks. */
export function pointerMachine(pointer: Pointer): MachineConfig {
  const { cluster, group, store, pin, token } = pointer;
  return {
    ...emptyMachine,
    files: [
      textFile("/etc/slipway/bootstrap.json", `${JSON.stringify({ cluster, group, store, pin })}\n`, origin),
      textFile(fetchScript, fetchText(pointer), origin, "0755"),
      textFile("/etc/slipway/token", `${token}\n`, origin, "0600"),
    ],
    units: [{ name: agentUnit, content: agentUnitText, dropIns: [], state: "on", origin }],
  };
}
