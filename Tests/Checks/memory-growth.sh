#!/usr/bin/env bash
# Whether the recorder's memory grows: records from the embedded camera, 640x360, and reads the resident memory every five
# seconds from minute 3 on. Fails when the last minute has more than 512 kB over the first.
#
# usage: Tests/Checks/memory-growth.sh [MINUTES [BIN]]      default: 13 minutes, .build/release
set -euo pipefail

minutes=${1:-13}
bin=$(realpath "${2:-.build/release}")
first=3
limit_kb=512
if [[ ! $minutes =~ ^[0-9]+$ ]] || [ "$minutes" -lt $((first + 2)) ]; then
  sed -n '2,5s/^# \{0,1\}//p' "$0" >&2
  printf 'MINUTES is a whole number, at least %d\n' $((first + 2)) >&2
  exit 2
fi

work=$(mktemp -d)
recorder=
finish() {
  [ -z "$recorder" ] || kill "$recorder" 2>/dev/null || true
  wait
  rm -rf "$work"
}
trap finish EXIT

cat >"$work/lapel.toml" <<CONFIGURATION
store.path = "$work/store"
store.lab_store = true
identity.path = "$work/identity"
control.socket = "$work/control.sock"
memory.allow_swap = true
camera.width = 640
camera.height = 360
recording.pre_event_s = 5
recording.edge_to_decision_s = 0
recording.stall_reserve_s = 2
recording.segment_s = 30
CONFIGURATION
{
  "$bin/lapel-dock" keygen "$work/agency" --demo
  "$bin/lapel" enroll --config "$work/lapel.toml" --agency "$work/agency/public"
  "$bin/lapel-dock" enroll "$work/identity/request.note" --keys "$work/agency" -o "$work/enrol.note"
  "$bin/lapel" enroll --config "$work/lapel.toml" --note "$work/enrol.note"
} >"$work/keys.log" 2>&1

"$bin/lapel" run --config "$work/lapel.toml" 2>"$work/recorder.log" &
recorder=$!
for _ in $(seq 100); do
  state=$("$bin/lapel" status --json --config "$work/lapel.toml" 2>/dev/null | grep -o '"state": *"[a-z_]*"' || true)
  [[ $state == *ready* ]] && break
  sleep 0.2
done
"$bin/lapel" start --config "$work/lapel.toml" >/dev/null

# resident: all resident memory in kB, the ring's included.
resident() { awk '/^Rss(Anon|File|Shmem):/ { sum += $2 } END { print sum }' "/proc/$recorder/status"; }

begin=$SECONDS
while [ $((SECONDS - begin)) -lt $((minutes * 60)) ]; do
  if ! kill -0 "$recorder" 2>/dev/null; then
    printf 'the recorder ended early:\n' >&2
    cat "$work/recorder.log" >&2
    exit 1
  fi
  if [ $((SECONDS - begin)) -ge $((first * 60)) ]; then
    printf '%d %d\n' $((SECONDS - begin)) "$(resident)" >>"$work/samples"
  fi
  sleep 5
done
arena=$("$bin/lapel" status --json --config "$work/lapel.toml" | grep -o '"capacity_bytes": *[0-9]*' | grep -o '[0-9]*$')
"$bin/lapel" stop --config "$work/lapel.toml" >/dev/null
kill "$recorder"
wait "$recorder"
recorder=

awk -v minutes="$minutes" -v first="$first" -v limit="$limit_kb" -v arena="$arena" '
  $1 < (first + 1) * 60 { early += $2; earlyCount += 1 }
  $1 >= (minutes - 1) * 60 { late += $2; lateCount += 1 }
  { if ($2 > largest) largest = $2; last = $2 }
  END {
    growth = late / lateCount - early / earlyCount
    printf "minute %d: %d kB, minute %d: %d kB, largest %d kB, of which the ring %d kB\n", first, early / earlyCount,
      minutes, late / lateCount, largest, arena / 1000
    printf "growth from minute %d to minute %d: %+d kB (at most %d)\n", first, minutes, growth, limit
    exit growth > limit
  }' "$work/samples"
