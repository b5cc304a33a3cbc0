import { find, head, judge } from "./blank.ts";

/**
 * Writes the table of a disk that volumes share: `prepare-table DEVICE NUMBER:BYTES:NAME…`, 0 bytes for what is left. It is
 * written once, on a blank disk; one that is there must have every partition that is asked for, under its volume's name and
 * with its size, and is never changed. The kernel is told of partitions that it has not seen itself. Exit codes: 0 as asked
 * for, 1 refused.
 */
export const tableText = `${head}
device=$1
shift
refuse() { echo "<3>disk $device: $1" >&2; exit 1; }

write() {
  ${judge.replaceAll("\n", "\n  ")}
  command -v sfdisk >/dev/null || refuse "there is no sfdisk to write its table with: install the package fdisk"
  local sum=$((2 << 20)) lines="label: gpt" one number bytes name
  for one in "$@"; do
    IFS=: read -r number bytes name <<<"$one"
    sum=$((sum + bytes))
    lines+=$'\\n'"$number : name=$name"
    if [ "$bytes" -gt 0 ]; then lines+=", size=$((bytes >> 20))MiB"; fi
  done
  [ "$sum" -le "$size" ] || refuse "it has $size bytes, and its partitions need $sum"
  # The kernel is told below, partition by partition: not every one reads tables itself.
  sfdisk --quiet --no-reread --no-tell-kernel --wipe never --wipe-partitions never "$device" <<<"$lines"
  sync
}

# One partition as it is asked for: there, under its name, with its size, and a device of its own.
compare() {
  local its label length found="" part
  while read -r its label length; do
    if [ "$its" = "$1" ]; then found=yes && break; fi
  done < <(partx --raw --noheadings --bytes --output NR,NAME,SIZE "$device")
  [ -n "$found" ] || refuse "its table has no partition $1 for the volume $3; a table that is there is not changed: add it with sfdisk --append $device, named $3"
  [ "$label" = "$3" ] || refuse "its partition $1 is named '$label', not $3"
  [ "$2" -eq 0 ] || [ "$length" = "$2" ] || refuse "its partition $1 ($3) has $length bytes, not $2"
  part=$(partition_of "$device" "$1")
  [ -b "$part" ] || partx --add --nr "$1" "$device"
  for _ in $(seq 30); do [ -b "$part" ] && return; sleep 1; done
  refuse "the kernel does not show its partition $1"
}

${find}
size=$(blockdev --getsize64 "$device")
[ -n "$(tell "$device" PTTYPE)" ] || write "$@"
table=$(tell "$device" PTTYPE)
[ "$table" = gpt ] || refuse "it has a table of the kind '$table', not gpt"
for one in "$@"; do
  IFS=: read -r number bytes name <<<"$one"
  compare "$number" "$bytes" "$name"
done
echo "disk $device has the partitions of its volumes"
`;
