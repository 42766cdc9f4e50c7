# What the wearer sees, hears and feels: lights, tone and vibration on a GPIO chip while the recorder goes through its states, a card that
# is taken away, a camera that stands still, stealth, and a clock that was never set. Each edge is compared with the state that
# was true at that moment.
# lab: built gpio-sim
. "$LAB/guest.sh"
. "$LAB/recorder.sh"
. "$LAB/button.sh"
need watch_lines fsfreeze

buttons_load
camera_webcam
card 256
mkdir -p /run/lapel
cat >"$config" <<TOML
store.path = "$CARD/lapel"
identity.path = "/run/lapel/identity"
control.socket = "/run/lapel/control.sock"
camera.source = "v4l2"
camera.device = "$CAMERA"
camera.width = 320
camera.height = 180
camera.fps = 10
microphone.source = "none"
video.preset = "ultrafast"
video.bitrate_kbps = 300
video.peak_kbps = 400
recording.pre_event_s = 2
buttons.record = "gpio:lab-buttons:record"
indicators.red = "gpio:lab-buttons:0"
indicators.green = "gpio:lab-buttons:1"
indicators.blue = "gpio:lab-buttons:2"
indicators.tone = "gpio:lab-buttons:6"
indicators.vibration = "gpio:lab-buttons:7"
indicators.reminder_s = 6
TOML
"$LAPEL_BIN/lapel" config check "$config" || fail "the configuration is refused"
lapel config show --json >"$RESULTS/config.json"
enroll

lines=$(dirname "$(dirname "$PULL")")
watch_lines "red=$lines/sim_gpio0/value" "green=$lines/sim_gpio1/value" "blue=$lines/sim_gpio2/value" \
  "tone=$lines/sim_gpio6/value" "vibration=$lines/sim_gpio7/value" >"$RESULTS/edges.txt" &
WATCHER=$!
# The log has wall times; both clocks at one moment, ns.
python3 -c 'import time; print(time.clock_gettime_ns(time.CLOCK_REALTIME) - time.clock_gettime_ns(time.CLOCK_MONOTONIC))' \
  >"$RESULTS/offset.txt"
moment() {
  python3 -c 'import sys, time; print(sys.argv[1], time.clock_gettime_ns(time.CLOCK_MONOTONIC))' "$1" >>"$RESULTS/moments.txt"
}
down_up() { printf 'down 6\nwait %d\nup 6\nwait %d\n' "$1" "$2" >&7; }

start_recorder
sleep 4
line_button signs
down_up 80 2500
down_up 80 150
down_up 80 8000 # a reminder is among them
down_up 80 1500
wait_log "state: recording" 20
sleep 12

moment stealth
lapel stealth on || fail "lapel stealth on"
moment silent
sleep 4
moment silent-end
lapel stealth off || fail "lapel stealth off"
sleep 3

say "-- the camera stands still"
camera_fault drop 100
wait_log "state: at risk" 20
sleep 3
camera_fault drop 0
wait_log "state: recording" 30 2
sleep 3

down_up 3100 2500
wait_log "state: ready" 20 2

say "-- the card is taken away, and a recording started all the same"
disk=$(findmnt -no SOURCE "$CARD")
umount -l "$CARD"
wait_log "state: cannot record" 30
sleep 5
down_up 80 150
down_up 80 2000
mount "$disk" "$CARD"
wait_log "state: recording" 40 3
sleep 2
down_up 3100 2500
wait_log "state: ready" 20 3
button_end

say "-- the clock was never set"
moment clock
date -s @1000 >/dev/null
sleep 6
lapel status >"$RESULTS/status.txt"
grep "the clock was never set" "$RESULTS/status.txt" || fail "the status does not say that the clock is wrong"
moment end
end_recorder
moment ended
sleep 0.5

say "-- given up: the card stands still while it records, and three signals end the program"
mv "$RESULTS/run.log" "$RESULTS/day.log"
start_recorder
sleep 3
lapel start
wait_log "state: recording" 20
fsfreeze -f "$CARD"
for _ in 1 2 3; do kill -INT "$RECORDER" && sleep 0.3; done
moment given-up
sleep 0.5
# The kernel does not let go of a thread that writes to a frozen file system: the process is only over now.
fsfreeze -u "$CARD"
status=0
wait "$RECORDER" || status=$?
[ $status = 73 ] || fail "lapel run ended with status $status after three signals"
kill "$WATCHER"
mv "$RESULTS/run.log" "$RESULTS/given-up.log"
python3 "$LAB/check_signs.py" "$RESULTS" || fail "an indicator did not tell the truth"
