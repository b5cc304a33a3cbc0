#!/usr/bin/env bash
# Boots bare nodes: containers with systemd from an image, and nothing else of ours.
#   boot.sh rights IMAGE               prints the docker flags that nodes need on this engine
#   boot.sh nodes IMAGE NAME COUNT     starts NAME-1 … NAME-COUNT on the network NAME, until systemd has settled in all;
#                                      RIGHTS holds the flags that the first form printed, one on each line
# Everything bears the label slipway-floor=NAME.
set -euo pipefail

rights() {
  local image=$1 bounding names bit
  if docker run --rm --privileged --network none --entrypoint /bin/true "$image" 2>/dev/null; then
    echo --privileged
    return
  fi
  # The engine is confined itself: each capability that this machine's processes may have.
  names=(CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
    NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT
    SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG
    WAKE_ALARM BLOCK_SUSPEND AUDIT_READ)
  bounding=$((16#$(sed -n 's/^CapBnd:[[:space:]]*//p' /proc/self/status)))
  for bit in "${!names[@]}"; do
    if ((bounding >> bit & 1)); then echo "--cap-add=${names[bit]}"; fi
  done
  printf '%s\n' --security-opt=seccomp=unconfined --security-opt=apparmor=unconfined --security-opt=systempaths=unconfined \
    '--device-cgroup-rule=a *:* rwm'
}

nodes() {
  local image=$1 name=$2 count=$3 flags n jobs=()
  mapfile -t flags <<<"${RIGHTS:?}"
  docker network create --label "slipway-floor=$name" "$name" >/dev/null
  for ((n = 1; n <= count; n++)); do
    docker run --detach --name "$name-$n" --hostname "$name-$n" --network "$name" --label "slipway-floor=$name" \
      "${flags[@]}" --cgroupns private --tmpfs /run --tmpfs /tmp --volume /var/lib/docker --volume /var/lib/slipway \
      "$image" >/dev/null &
    jobs+=($!)
  done
  for n in "${jobs[@]}"; do wait "$n"; done
  jobs=()
  for ((n = 1; n <= count; n++)); do
    docker exec "$name-$n" sh -c \
      'until systemctl is-system-running --wait 2>/dev/null | grep -qE "running|degraded"; do sleep 0.1; done' &
    jobs+=($!)
  done
  for n in "${jobs[@]}"; do wait "$n"; done
}

"$@"
