/** Where the scripts lie on a node, and where the node shows which device a volume is. */
export const prepareScript = "/etc/slipway/prepare-disk";
export const tableScript = "/etc/slipway/prepare-table";
export const disksFolder = "/run/slipway/disks";

/** What both scripts begin with; each says itself what it refuses. */
export const head = `#!/bin/bash
set -eu -o pipefail
tell() { blkid -p -o value -s "$2" "$1" 2>/dev/null || true; }
# As the kernel calls partitions: sdb1, but nvme1n1p1.
partition_of() { case $1 in *[0-9]) echo "$1p$2" ;; *) echo "$1$2" ;; esac; }`;

/** Waits for `$device` and takes the kernel's name of the day for it. */
export const find = `for _ in $(seq 90); do [ -b "$device" ] && break; sleep 1; done
[ -b "$device" ] || refuse "the device $device did not appear"
device=$(readlink -f "$device")`;

/**
 * Refuses `$device`, of `$size` bytes, unless it is blank: without any signature, and with zeros wherever superblocks and
 * their copies lie. Copies: ext4 in the groups 1 and powers of 3, 5, 7 for blocks of 1, 2 and 4 KiB; xfs at the start of
 * each allocation group; btrfs at 64 KiB, 64 MiB and 256 GiB; GPT, md and ZFS at the end. All these places, each its first
 * byte and its length, are looked at as one, where each by itself is four programs; only where that is not all zeros each
 * is looked at for itself. What cannot be read is not blank.
 */
export const judge = `if grep -qs "^$device " /proc/mounts; then refuse "$device is mounted elsewhere"; fi
status=0
blkid -p "$device" >/dev/null 2>&1 || status=$?
case $status in
  0) # Of a partition blkid also tells its place in the table, which is nothing that it holds.
    content=$(tell "$device" TYPE)$(tell "$device" PTTYPE)
    [ -z "$content" ] || refuse "$device is not empty: it holds $content with the label '$(tell "$device" LABEL)'"
    ;;
  2) ;;
  *) refuse "$device cannot be judged: blkid says $status" ;;
esac
signatures=$(wipefs --noheadings --parsable "$device" 2>/dev/null || true)
[ -z "$signatures" ] || refuse "$device bears a signature: $signatures"

places=()
blank() { [ "$1" -lt 0 ] || [ "$1" -ge "$size" ] || places+=("$1 $2"); }
blank 0 $((16 << 20))
blank $((size - (16 << 20))) $((16 << 20))
blank $((64 << 20)) $((64 << 10))
blank $((256 << 30)) $((64 << 10))
for block in 1024 2048 4096; do
  group=$((block * 8 * block))
  first=$((block == 1024 ? 1024 : 0))
  for base in 3 5 7; do
    power=1
    while [ $((power * group)) -lt "$size" ]; do
      blank $((power * group + first)) 4096
      power=$((power * base))
    done
  done
done
for groups in $(seq 2 64); do
  blocks=$((size / 4096))
  each=$(((blocks + groups - 1) / groups))
  for n in 1 2; do [ $n -lt "$groups" ] && blank $((n * each * 4096)) 4096; done
done
holds() {
  [ -n "$(for at in "$@"; do
    dd if="$device" iflag=skip_bytes,count_bytes skip="\${at% *}" count="\${at#* }" bs=64K || { echo unread; break; }
  done 2>/dev/null | tr -d '\\0' | head -c 1 | od -An -tx1)" ]
}
if holds "\${places[@]}"; then
  for at in "\${places[@]}"; do if holds "$at"; then break; fi; done
  refuse "$device bears no file system that is known, and is not blank at byte \${at% *}: perhaps a damaged one; if nothing of it is needed: wipefs --all $device && blkdiscard --zeroout $device"
fi`;
