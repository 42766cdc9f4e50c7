# The recorder and its record button: recordings are started and stopped by gestures on a line that bounces; none may be
# missed and none made up, and each must count from its press. Arguments: how many recordings (50), and `default` for the
# default gesture times instead of short ones. Behind that, the second button: it mutes.
# lab: built gpio-sim
. "$LAB/guest.sh"
. "$LAB/recorder.sh"
. "$LAB/button.sh"

count=${1:-50}
table=${2:-short}
# How long a press, the gap of a double press and a hold take, ms: within the limits of the table; and how far apart gestures are, so
# that a press and what follows are no double press.
case $table in
  short) limits=(buttons.{longest_press_ms=120,double_gap_ms=150,hold_ms=250,debounce_ms=5}) press=30 gap=50 hold=300 unclear=180 apart=350 ;;
  default) limits=() press=80 gap=150 hold=3100 unclear=1500 apart=700 ;;
  *) fail "the table is short or default, not $table" ;;
esac

buttons_load
card 512
record='buttons.record = "gpio:lab-buttons:record"'
configure_small "$record" "${limits[@]}"
enroll
# The log has wall times; both clocks at one moment, ns.
python3 -c 'import time; print(time.clock_gettime_ns(time.CLOCK_REALTIME) - time.clock_gettime_ns(time.CLOCK_MONOTONIC))' \
  >"$RESULTS/offset.txt"
start_recorder
sleep 4 # the pre-event

line_button presses
down_up() { printf 'down 6\nwait %d\nup 6\nwait %d\n' "$1" "$2" >&7; }
for ((n = 1; n <= count; n++)); do
  # What asks for nothing, now and then: a press, and one that is too long for a press and too short for a hold.
  if [ $((n % 10)) = 3 ]; then down_up $press 900; fi
  if [ $((n % 10)) = 7 ]; then down_up $unclear 700; fi
  down_up $press $gap
  down_up $press 550
  # Within the recording: a marker, sometimes another start.
  down_up $press $apart
  if [ $((n % 10)) = 5 ]; then down_up $press $gap && down_up $press 700; fi
  # Closing takes a moment, and then the next pre-event begins behind it: no press falls into the close.
  down_up $hold 650
done
button_end
wait_log "recording closed" 20 "$count"
lapel status --json >"$RESULTS/status.json" || fail "lapel status"
end_recorder
sync
"$LAPEL_BIN/lapel-dock" account "$CARD/lapel" --agency /run/agency/public --json >"$RESULTS/account.json" 2>"$RESULTS/account.err" ||
  fail "account: status $?: $(head -c 300 "$RESULTS/account.json") $(tail -c 300 "$RESULTS/account.err")"
python3 "$LAB/check_presses.py" "$RESULTS/presses-presses.txt" "$RESULTS/account.json" "$count" $((press + gap + press)) \
  "$RESULTS/run.log" "$RESULTS/offset.txt" ||
  fail "the account is not that of the presses"

say "-- the second button, held for 3 s, mutes and unmutes while something is recorded, and does nothing else"
second='buttons.second = "gpio:lab-buttons:6"'
mv "$RESULTS/run.log" "$RESULTS/presses.log"
configure_small "$record" "$second" 'mute.allowed = true'
start_recorder
sleep 2.5 # the pre-event
line_button mute pull-down pull-up 6
down_up 3100 900
wait_log "the mute button: nothing done, for no sound is recorded" 5
lapel start >/dev/null || fail "lapel start"
wait_log "state: recording" 20
down_up 1500 900 # neither a press nor a hold
down_up 3100 900
wait_log "the sound is muted" 10
down_up 3100 900
wait_log "the sound is on again" 10
button_end
lapel stop >/dev/null || fail "lapel stop"
wait_log "recording closed" 20
end_recorder
sync
"$LAPEL_BIN/lapel-dock" log "$CARD/lapel" --agency /run/agency/public --identity /run/agency/secret/identity.txt --last 40 --json \
  >"$RESULTS/mute.json" || fail "lapel-dock log"
python3 "$LAB/check_mute.py" "$RESULTS/mute.json" "$RESULTS/mute-presses.txt" || fail "the mute is not in the footage as it was"

mv "$RESULTS/run.log" "$RESULTS/mute.log"
sed -i 's/mute.allowed = true/mute.allowed = false/' "$config"
if "$LAPEL_BIN/lapel" run --config "$config" >"$RESULTS/run.log" 2>&1; then fail "a button that may not mute was taken"; fi
grep "mute.allowed" "$RESULTS/run.log" || fail "nobody says why: $(cat "$RESULTS/run.log")"
