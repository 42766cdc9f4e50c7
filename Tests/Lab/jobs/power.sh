# The battery runs low and empty, mains come back, the battery is taken out, and the supply gives warning by a line and by a signal: what the
# recorder shows, writes down and does. The kernel's own test battery and mains are moved through their module's parameters.
# lab: built gpio-sim
# lab: built test_power
. "$LAB/guest.sh"
. "$LAB/recorder.sh"
. "$LAB/button.sh"
need watch_lines

supply() {
  local setting
  for setting; do
    echo "${setting#*=}" >"/sys/module/test_power/parameters/${setting%%=*}" || fail "the test supply does not take $setting"
  done
}
# power FIELD: of the status, as JSON has it.
power() { lapel status --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["power"][sys.argv[1]])' "$1"; }
expect_power() {
  local is
  is=$(power "$1")
  [ "$is" = "$2" ] || fail "power.$1 is $is, not $2"
}

buttons_load
load test_power ac_online=off usb_online=off battery_status=discharging battery_capacity=30
[ "$(cat /sys/class/power_supply/test_battery/capacity)" = 30 ] || fail "the test battery is not at 30 %"
card 256
# Checkpoints so far apart that one in time can only be the one that was asked for.
configure_small 'recording.checkpoint_ms = 5000' 'indicators.blue = "gpio:lab-buttons:2"' 'power.fail_line = "gpio:lab-buttons:3"'
enroll
lines=$(dirname "$(dirname "$PULL")")
watch_lines "blue=$lines/sim_gpio2/value" >"$RESULTS/edges.txt" &
WATCHER=$!
moment() {
  python3 -c 'import sys, time; print(sys.argv[1], time.clock_gettime_ns(time.CLOCK_MONOTONIC))' "$1" >>"$RESULTS/moments.txt"
}

start_recorder
wait_log "power: on battery, battery 30 %" 10
moment ready
sleep 1.5

say "-- the battery is low: an alarm, and nothing else"
moment low
supply battery_capacity=20
wait_log "power: the battery is low, battery 20 %" 10
sleep 2.5
moment low-end
supply battery_capacity=30
wait_log "power: on battery, battery 30 %" 10 2
lapel start || fail "lapel start"
wait_log "state: recording" 20
supply battery_capacity=20
wait_log "power: the battery is low, battery 20 %" 10 2
lapel status >"$RESULTS/low.txt"
grep -E "^Power +battery 20 %, low, 60 min left" "$RESULTS/low.txt" || fail "the status does not show the low battery"

say "-- the supply gives warning, and is good again; then a signal says the same"
echo pull-down >"$lines/sim_gpio3/pull"
wait_log "power: the supply fails" 5
sleep 2
expect_power failing True
echo pull-up >"$lines/sim_gpio3/pull"
wait_log "power: the supply is good again" 10
sleep 1
kill -PWR "$RECORDER"
wait_log "power: the supply fails" 5 2
sleep 2
alive

say "-- the battery is nearly empty: the recording is closed, and none begins"
# So steep that the gauge has to say it twice.
supply battery_capacity=4
wait_log "recording closed" 15
wait_log "state: cannot record (battery_critical)" 5
expect_power level critical
if lapel start 2>"$RESULTS/refused.txt"; then fail "a recording was begun with an empty battery"; fi
grep "the battery is nearly empty" "$RESULTS/refused.txt" || fail "nobody says why: $(cat "$RESULTS/refused.txt")"

say "-- mains are back"
supply ac_online=on battery_status=charging
wait_log "power: external supply, battery 4 %" 10
wait_log "state: ready" 5 2
expect_power source external
lapel start || fail "lapel start on mains"
wait_log "state: recording" 20 2
supply battery_present=false
wait_log "power: the battery is gone" 10
lapel stop || fail "lapel stop"
wait_log "recording closed" 20 2
end_recorder
kill "$WATCHER"

"$LAPEL_BIN/lapel-dock" verify "$CARD/lapel" --agency /run/agency/public >"$RESULTS/verify.txt" || fail "verify: $(cat "$RESULTS/verify.txt")"
python3 "$LAB_REPOSITORY/Tests/Vectors/read_recording.py" "$CARD/lapel" --agency /run/agency/public >"$RESULTS/second.txt" ||
  fail "the second reader: $(cat "$RESULTS/second.txt")"
"$LAPEL_BIN/lapel-dock" account "$CARD/lapel" --agency /run/agency/public --all >"$RESULTS/account.txt" || fail "account: status $?"
grep "refused (battery_critical)" "$RESULTS/account.txt" || fail "the account does not tell why: $(cat "$RESULTS/account.txt")"
python3 "$LAB/check_power.py" "$CARD/lapel" "$RESULTS" || fail "the files do not tell what happened"
