# The recorder in a job, sourced after guest.sh: configured, enrolled, started, asked, ended. $LAPEL_BIN holds lapel and
# lapel-dock. Camera, microphone and card are the job's.
[ -n "${LAPEL_BIN:-}" ] || fail "LAPEL_BIN is not set: the directory of lapel and lapel-dock"
for program in lapel lapel-dock; do
  [ -x "$LAPEL_BIN/$program" ] || fail "no program $program in $LAPEL_BIN"
done

config=/run/lapel/lapel.toml
lapel() { "$LAPEL_BIN/lapel" "$@" --config "$config"; }

# configure: 640x360 at 15 fps, 10 s of pre-event, segments of 10 s.
configure() {
  mkdir -p /run/lapel
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
# One core of the guest is just too slow for 15 frames a second.
preset = "ultrafast"
threads = 2
bitrate_kbps = 1000
peak_kbps = 1500

[recording]
pre_event_s = 10
segment_s = 10

[control]
socket = "/run/lapel/control.sock"
TOML
  cp "$config" "$RESULTS/lapel.toml"
  "$LAPEL_BIN/lapel" config check "$config" || fail "the configuration is refused"
}

# configure_small LINE…: no device but those that the lines name: a synthetic camera of 160x120 at 10 fps, a synthetic microphone,
# and 2 s of pre-event.
configure_small() {
  mkdir -p /run/lapel
  cat >"$config" <<TOML
store.path = "$CARD/lapel"
identity.path = "/run/lapel/identity"
control.socket = "/run/lapel/control.sock"
camera.width = 160
camera.height = 120
camera.fps = 10
video.preset = "ultrafast"
video.bitrate_kbps = 200
video.peak_kbps = 300
recording.pre_event_s = 2
TOML
  [ $# = 0 ] || printf '%s\n' "$@" >>"$config"
  "$LAPEL_BIN/lapel" config check "$config" || fail "the configuration is refused"
}

# enroll: an agency of this job's own, and the camera enrolled with it.
enroll() {
  "$LAPEL_BIN/lapel-dock" keygen /run/agency >/dev/null || fail "lapel-dock keygen"
  lapel enroll --agency /run/agency/public >/dev/null || fail "lapel enroll --agency"
  "$LAPEL_BIN/lapel-dock" enroll /run/lapel/identity/request.note --keys /run/agency -o /run/enrol.note >/dev/null ||
    fail "lapel-dock enroll"
  lapel enroll --note /run/enrol.note || fail "lapel enroll --note"
}

# The guest never sleeps, so time since boot is CLOCK_MONOTONIC; in hundredths.
fact() {
  local up
  read -r up _ </proc/uptime
  echo "$1=$up" >>"$RESULTS/facts"
}

# start_recorder: in the background, its process is $RECORDER; ready when this returns.
start_recorder() {
  # A background job of a script ignores SIGINT unless told not to.
  env --default-signal=INT "$LAPEL_BIN/lapel" run --config "$config" >"$RESULTS/run.log" 2>&1 &
  RECORDER=$!
  wait_log "state: ready" 60
  camera_unhurried
}
alive() { kill -0 "$RECORDER" 2>/dev/null || fail "lapel run ended: $(tail -n 5 "$RESULTS/run.log")"; }
# wait_log PATTERN SECONDS [COUNT]: until the log has COUNT such lines. `lapel status` in a loop would be half the load.
wait_log() {
  local until=$((SECONDS + $2))
  until [ "$(grep -c -- "$1" "$RESULTS/run.log")" -ge "${3:-1}" ]; do
    alive
    [ $SECONDS -lt $until ] || fail "no '$1' within $2 s: $(tail -n 5 "$RESULTS/run.log")"
    sleep 0.2
  done
}
# expect_log PATTERN COUNT: the log of a recorder that has ended.
expect_log() { [ "$(grep -c -- "$1" "$RESULTS/run.log")" -ge "$2" ] || fail "not $2 times '$1': $(tail -n 5 "$RESULTS/run.log")"; }

# keep_status NAME: what the recorder says of itself, and the kernel of its memory.
keep_status() {
  lapel status --json >"$RESULTS/$1.json" || fail "lapel status"
  keep_memory "$1"
}
keep_memory() { grep -E '^(VmRSS|VmHWM|VmLck|Threads)' "/proc/$RECORDER/status" >"$RESULTS/$1.memory"; }

# end_recorder [SIGNAL]: it must close what is open and end well.
end_recorder() {
  local status=0
  kill "-${1:-INT}" "$RECORDER"
  wait "$RECORDER" || status=$?
  [ $status = 0 ] || fail "lapel run ended with status $status after SIG${1:-INT}: $(tail -n 5 "$RESULTS/run.log")"
}

# keep_evidence: the card, and the keys to verify and open it.
keep_evidence() {
  find "$CARD/lapel" -name '*.mp4.age' | grep . >/dev/null || fail "no segment on the card"
  cp -a "$CARD/lapel" "$RESULTS/store"
  cp -a /run/agency "$RESULTS/agency"
  cp -a /run/lapel/identity "$RESULTS/identity"
  say "recorded: $(find "$RESULTS/store" -name '*.mp4.age' | wc -l) segments, $(du -sm "$RESULTS/store" | cut -f 1) MiB"
}
