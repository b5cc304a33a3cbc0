import { disksFolder, find, head, judge } from "./blank.ts";

/**
 * Prepares one disk, or one partition of it: `prepare-disk NAME FORMAT DEVICE LEAST [PARTITION]`. A file system is made
 * only where there is nothing; it bears the volume's name as its label, by which it is found from then on, whatever the
 * kernel calls the device. All else is an error that says what was found. Exit codes: 0 prepared, 1 refused.
 */
export const prepareText = `${head}
name=$1 format=$2 device=$3 least=$4 partition=\${5:-}
folder=${disksFolder}
refuse() { echo "<3>volume $name: $1" >&2; exit 1; }
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
${find}
if [ -n "$partition" ]; then
  device=$(partition_of "$device" "$partition")
  [ -b "$device" ] || refuse "there is no $device"
fi
size=$(blockdev --getsize64 "$device")
[ "$size" -ge "$least" ] || refuse "$device has $size bytes, fewer than $least"
${judge}

case $format in
  ext4) mkfs.ext4 -q -L "$name" "$device" ;;
  xfs) mkfs.xfs -q -L "$name" "$device" ;;
  btrfs) mkfs.btrfs -q -L "$name" "$device" ;;
  swap) mkswap -q -L "$name" "$device" ;;
esac
sync
show "$device"
`;
