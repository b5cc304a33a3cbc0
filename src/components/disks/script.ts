/** Where the script lies on a node, and where it shows which device a volume is. */
export const prepareScript = "/etc/slipway/prepare-disk";
export const disksFolder = "/run/slipway/disks";

/**
 * Prepares one disk: `prepare-disk NAME FORMAT DEVICE LEAST`. A file system is made only on a device without any signature
 * and with zeros wherever superblocks and their copies lie; it bears the volume's name as its label, by which it is found
 * from then on, whatever the kernel calls the device. All else is an error that says what was found. Exit codes: 0 prepared,
 * 1 refused. Copies: ext4 in the groups 1 and powers of 3, 5, 7 for blocks of 1, 2 and 4 KiB; xfs at the start of each
 * allocation group; btrfs at 64 KiB, 64 MiB and 256 GiB; GPT, md and ZFS at the end.
 */
export const prepareText = `#!/bin/bash
set -eu -o pipefail
name=$1 format=$2 device=$3 least=$4
folder=${disksFolder}
refuse() { echo "<3>volume $name: $1" >&2; exit 1; }
tell() { blkid -p -o value -s "$2" "$1" 2>/dev/null || true; }
show() { mkdir -p "$folder"; ln -sfn "$1" "$folder/$name"; echo "volume $name is $1 ($format)"; exit 0; }

# A disk that bears our label is ours, whatever it is called today.
labelled() {
  local found=() one
  for one in $(blkid -c /dev/null -o device -t "LABEL=$name" 2>/dev/null || true); do
    [ "$(tell "$one" LABEL)" = "$name" ] && found+=("$one")
  done
  [ "\${#found[@]}" -le 1 ] || refuse "several disks bear the label $name: \${found[*]}"
  echo "\${found[0]:-}"
}
ours=$(labelled)
if [ -n "$ours" ]; then
  type=$(tell "$ours" TYPE)
  [ "$type" = "$format" ] || refuse "$ours bears the label $name and holds $type, not $format"
  if [ "$format" = ext4 ] && ! dumpe2fs -h "$ours" >/dev/null 2>&1; then refuse "the superblock of $ours is damaged; fsck.ext4 $ours"; fi
  show "$(readlink -f "$ours")"
fi

[ -n "$device" ] || refuse "no disk bears the label $name, and no device is named"
for _ in $(seq 90); do [ -b "$device" ] && break; sleep 1; done
[ -b "$device" ] || refuse "the device $device did not appear"
device=$(readlink -f "$device")
size=$(blockdev --getsize64 "$device")
[ "$size" -ge "$least" ] || refuse "$device has $size bytes, fewer than $least"
if grep -qs "^$device " /proc/mounts; then refuse "$device is mounted elsewhere"; fi

status=0
blkid -p "$device" >/dev/null 2>&1 || status=$?
case $status in
  0) refuse "$device is not empty: it holds $(tell "$device" TYPE)$(tell "$device" PTTYPE) with the label '$(tell "$device" LABEL)'" ;;
  2) ;;
  *) refuse "$device cannot be judged: blkid says $status" ;;
esac
signatures=$(wipefs --noheadings --parsable "$device" 2>/dev/null || true)
[ -z "$signatures" ] || refuse "$device bears a signature: $signatures"

blank() { # from, bytes
  [ "$1" -ge 0 ] && [ "$1" -lt "$size" ] || return 0
  [ -z "$(dd if="$device" iflag=skip_bytes,count_bytes,fullblock skip="$1" count="$2" bs=64K 2>/dev/null | tr -d '\\0' | head -c 1 | od -An -tx1)" ] ||
    refuse "$device bears no file system that is known, and is not blank at byte $1: perhaps a damaged one; if nothing of it is needed: wipefs --all $device && blkdiscard --zeroout $device"
}
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

case $format in
  ext4) mkfs.ext4 -q -L "$name" "$device" ;;
  xfs) mkfs.xfs -q -L "$name" "$device" ;;
  btrfs) mkfs.btrfs -q -L "$name" "$device" ;;
  swap) mkswap -q -L "$name" "$device" ;;
esac
sync
show "$device"
`;
