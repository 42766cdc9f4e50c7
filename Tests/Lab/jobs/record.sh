# The recorder on a real camera and a real microphone: 640x360 at 15 fps, and a tone with a beep at each flash of
# the picture; 10 s before the trigger, 30 s after it, in segments of 10 s. $LAPEL_BIN holds lapel and lapel-dock. Kept for the host, which verifies and opens:
#   store/     the evidence card      agency/  the agency's keys      identity/  the camera's, with its internal store
#   run.log    what lapel run said    config.toml    ready.json, recording.json, stopped.json: status at these times
#   facts      one NAME=VALUE a line, times in seconds of CLOCK_MONOTONIC
. "$LAB/guest.sh"
need python3
[ -n "${LAPEL_BIN:-}" ] || fail "LAPEL_BIN is not set: the directory of lapel and lapel-dock"
[ -x "$LAPEL_BIN/lapel" ] || fail "no program lapel in $LAPEL_BIN"
[ -x "$LAPEL_BIN/lapel-dock" ] || fail "no program lapel-dock in $LAPEL_BIN"

config=/run/lapel/config.toml
mkdir -p /run/lapel
lapel() { "$LAPEL_BIN/lapel" "$@" --config "$config"; }

camera_webcam
camera_counter_only
# Something for the encoder to do that leaves the counter legible.
camera_control test_pattern=4 horizontal_movement=0 vertical_movement=2
microphone
card 256

cat >"$config" <<TOML
[store]
path = "$CARD/lapel"

[identity]
path = "/run/lapel/identity"

[camera]
source = "v4l2"
device = "$CAMERA"
width = 640
height = 360
fps = 15

[microphone]
source = "alsa"
device = "$MICROPHONE"

[video]
bitrate_kbps = 1000
peak_kbps = 1500

[recording]
pre_event_s = 10
segment_s = 10

[control]
socket = "/run/lapel/control.sock"
TOML
cp "$config" "$RESULTS/config.toml"
"$LAPEL_BIN/lapel" config check "$config" || fail "the configuration is refused"

# Keys: an agency's, and the camera's.
"$LAPEL_BIN/lapel-dock" keygen /run/agency || fail "lapel-dock keygen"
lapel enroll --agency /run/agency/agency.pub || fail "lapel enroll"

monotonic() { python3 -c 'import time; print(f"{time.clock_gettime(time.CLOCK_MONOTONIC):.3f}")'; }
fact() { echo "$1=$2" >>"$RESULTS/facts"; }
state() { lapel status --json 2>/dev/null | sed -n 's/.*"state" *: *"\([^"]*\)".*/\1/p'; }
is() { [ "$(state)" = "$1" ]; }
# The recorder's memory, frames per second and such, at a given time.
keep_status() { lapel status --json >"$RESULTS/$1.json" && grep -E '^(VmRSS|VmHWM|VmLck|Threads)' "/proc/$recorder/status" >"$RESULTS/$1.memory"; }

flash_and_beep 120 1017
# A background job of a script ignores SIGINT unless told not to.
env --default-signal=INT "$LAPEL_BIN/lapel" run --config "$config" >"$RESULTS/run.log" 2>&1 &
recorder=$!
alive() { kill -0 "$recorder" 2>/dev/null || fail "lapel run ended: $(tail -n 5 "$RESULTS/run.log")"; }
wait_ready() {
  local until=$((SECONDS + 30))
  until is ready; do
    alive
    [ $SECONDS -lt $until ] || fail "not ready within 30 s: $(tail -n 5 "$RESULTS/run.log")"
    sleep 0.2
  done
}

wait_ready
fact ready "$(monotonic)"
sleep 13 # more than the pre-event and a GOP
keep_status ready
fact start "$(monotonic)"
lapel start || fail "lapel start"
fact started "$(monotonic)"
wait_for 10 "state recording" is recording
fact recording "$(monotonic)"
sleep 20
keep_status recording
sleep 10
alive
fact stop "$(monotonic)"
lapel stop || fail "lapel stop"
wait_ready
fact stopped "$(monotonic)"
keep_status stopped
kill -INT "$recorder"
status=0
wait "$recorder" || status=$?
[ $status = 0 ] || fail "lapel run ended with status $status after Ctrl-C: $(tail -n 5 "$RESULTS/run.log")"

find "$CARD/lapel" -name '*.mp4.age' | grep -q . || fail "no segment on the card"
cp -a "$CARD/lapel" "$RESULTS/store"
cp -a /run/agency "$RESULTS/agency"
cp -a /run/lapel/identity "$RESULTS/identity"
say "recorded; $(du -sm "$RESULTS/store" | cut -f 1) MiB"
