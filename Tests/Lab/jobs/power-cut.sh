# One boot of Tests/Campaigns/power-cut-campaign.py, which serves the disks and ends most boots by cutting their power:
#   /dev/vda the evidence card, /dev/vdb the camera's own disk (identity and counters), /dev/ttyS1 the campaign.
# ARGUMENTS: ext4|f2fs, then "new" for disks without a camera yet. Kept, and read by the campaign:
#   before.tar   what the power cut before left of the store, without footage, before anything of this boot
#   mount.txt    what mounting said, if it said anything; kernel.txt the kernel's words on the file systems
#   syncs.txt    when each flush of the recorder began and ended, CLOCK_BOOTTIME
#   run.log      what lapel run said    store.tar the whole store, when the boot came to its end
# Ends with 20 when a disk cannot be mounted, not even after fsck.
. "$LAB/guest.sh"
for program in lapel lapel-dock; do [ -x "${LAPEL_BIN:?}/$program" ] || fail "no program $program in $LAPEL_BIN"; done
file_system=$1
occasion=${2:-again}
config=/run/lapel.toml

kernel_words() { dmesg | grep -iE "$file_system|buffer i/o|vd[ab]" >"$RESULTS/kernel.txt" || true; }

check() { # DEVICE [OPTIONS…]
  local device=$1
  shift
  "fsck.$file_system" "$@" "$device" </dev/null
}

mount_disk() {
  local device=$1 directory=$2
  mkdir -p "$directory"
  mount -t "$file_system" "$device" "$directory" >>"$RESULTS/mount.txt" 2>&1 && return
  say "$directory does not mount; fsck"
  case $file_system in
    ext4) check "$device" -y ;;
    f2fs) check "$device" -f ;;
  esac >>"$RESULTS/mount.txt" 2>&1 || true
  mount -t "$file_system" "$device" "$directory" >>"$RESULTS/mount.txt" 2>&1 && return
  kernel_words
  say "$directory cannot be mounted, not even after fsck: $(grep -m 1 '^mount: ' "$RESULTS/mount.txt")"
  exit 20
}

load "$file_system"
mount_disk /dev/vda /card
mount_disk /dev/vdb /internal
kernel_words
# As it is now; a file that cannot be read is for the recorder to speak of.
tar -C /card --exclude='*.age' -cf "$RESULTS/before.tar" . 2>>"$RESULTS/mount.txt" || true

# A picture that the guest encodes in real time.
cat >"$config" <<TOML
store.path = "/card/lapel"
store.reserve_mib = 16
identity.path = "/internal/identity"
control.socket = "/run/control.sock"
camera.width = 128
camera.height = 72
camera.fps = 15
video.bitrate_kbps = 150
video.peak_kbps = 200
video.preset = "ultrafast"
recording.pre_event_s = 2
recording.edge_to_decision_s = 0
recording.segment_s = 5
TOML

if [ "$occasion" = new ]; then
  "$LAPEL_BIN/lapel-dock" keygen /run/agency --demo >/dev/null || fail "lapel-dock keygen"
  "$LAPEL_BIN/lapel" enroll --config "$config" --agency /run/agency/public >/dev/null || fail "lapel enroll --agency"
  "$LAPEL_BIN/lapel-dock" enroll /internal/identity/request.note --keys /run/agency -o /run/enrol.note >/dev/null ||
    fail "lapel-dock enroll"
  "$LAPEL_BIN/lapel" enroll --config "$config" --note /run/enrol.note >/dev/null || fail "lapel enroll --note"
  cp -a /run/agency "$RESULTS/agency"
fi

tracing=/sys/kernel/tracing
mount -t tracefs tracefs "$tracing" 2>/dev/null || true
echo boot >"$tracing/trace_clock"
for call in fsync fdatasync syncfs; do
  for edge in enter exit; do echo 1 >"$tracing/events/syscalls/sys_${edge}_$call/enable"; done
done
cat "$tracing/trace_pipe" >"$RESULTS/syncs.txt" &

"$LAB/guest_agent.py" /run/control.sock "$LAPEL_BIN/lapel" run --config "$config" >"$RESULTS/run.log" 2>&1 ||
  fail "the agent failed: $(tail -n 3 "$RESULTS/run.log")"

kernel_words
tar -C /card -cf "$RESULTS/store.tar" ./lapel 2>>"$RESULTS/mount.txt" || say "not all of the store can be read"
umount /card /internal || fail "the disks are still in use"
case $file_system in
  ext4) check /dev/vda -fn ;;
  f2fs) check /dev/vda --dry-run ;;
esac >"$RESULTS/fsck.txt" 2>&1 || say "fsck finds the card inconsistent: $(tail -n 3 "$RESULTS/fsck.txt")"
