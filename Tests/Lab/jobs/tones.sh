# Tones by a loudspeaker: what the recorder plays into snd-aloop is recorded at its other side while it goes through its states. Each
# tone is compared with a GPIO line that the same patterns switch. A card that another program has, and one that is unplugged, is told
# and taken again.
# lab: built gpio-sim
. "$LAB/guest.sh"
. "$LAB/recorder.sh"
. "$LAB/button.sh"
need watch_lines hear_tones aplay sox

buttons_load
microphone # the sound card
card 256
# Everything that the tone does, the line does, too. What comes and goes by itself is shown by a light that is not there.
configure_small \
  'indicators.tone = "alsa:hw:Loopback,0,0"' \
  'indicators.tone_hz = 1500' \
  'indicators.tone_percent = 30' \
  'indicators.vibration = "gpio:lab-buttons:7"' \
  'indicators.reminder_s = 5' \
  'signs.cue_heard = "tone 100/100x1, vibration 100/100x1"' \
  'signs.cue_stealth = "tone 500/100x1, vibration 500/100x1"' \
  'signs.muted = "blue 500/500"' \
  'signs.low_battery = "blue 60/240/60/240/60/240/60/4040"' \
  'signs.low_storage = "blue 60/240/60/240/60/4340"' \
  'signs.clock_untrusted = "blue 60/240/60/240/60/240/60/240/60/3740"'
enroll
lines=$(dirname "$(dirname "$PULL")")
watch_lines "vibration=$lines/sim_gpio7/value" >"$RESULTS/edges.txt" &
WATCHER=$!
moment() {
  python3 -c 'import sys, time; print(sys.argv[1], time.clock_gettime_ns(time.CLOCK_MONOTONIC))' "$1" >>"$RESULTS/moments.txt"
}
# hear NAME: from now on, until `heard`.
hear() {
  hear_tones "$MICROPHONE" "$RESULTS/$1.raw" >"$RESULTS/$1.txt" &
  HEARER=$!
  wait_for 10 "sound from the loopback" test -s "$RESULTS/$1.txt"
  sleep 0.5
}
heard() {
  kill -0 "$HEARER" || fail "hear_tones ended"
  kill "$HEARER"
  wait "$HEARER" || true
}
# expect_status NAME PATTERN
expect_status() {
  lapel status >"$RESULTS/status-$1.txt" || fail "lapel status"
  grep -- "$2" "$RESULTS/status-$1.txt" || fail "the status does not say: $2"
}
# Nothing is being recorded: four tones say so.
ask_for_nothing() { if lapel mark >/dev/null 2>&1; then fail "a marker without a recording"; fi; }

say "-- another program has the card; it is taken when it is free"
play_tone 440 60
start_recorder
wait_log "tone: the output alsa:hw:Loopback,0,0 is in use" 5
expect_status taken "tone: the output alsa:hw:Loopback,0,0 is in use"
kill "$PLAYER"
wait "$PLAYER" || true
sleep 3
ask_for_nothing
wait_log "the output tone is back" 5
sleep 2 # its four tones

hear day
sleep 1
ask_for_nothing
sleep 2
lapel start >/dev/null || fail "lapel start"
wait_log "state: recording" 20
sleep 2
lapel mark >/dev/null || fail "lapel mark"
sleep 10 # two reminders
lapel stealth on >/dev/null || fail "lapel stealth on"
moment stealth
sleep 1
lapel mark >/dev/null || fail "lapel mark"
sleep 6
moment stealth-end
lapel stealth off >/dev/null || fail "lapel stealth off"
sleep 2
lapel stop >/dev/null || fail "lapel stop"
wait_log "state: ready" 20 2
sleep 2
disk=$(findmnt -no SOURCE "$CARD")
umount -l "$CARD"
wait_log "state: cannot record" 30
sleep 6
mount "$disk" "$CARD"
wait_log "state: ready" 60 3
sleep 2
heard

say "-- the card is unplugged, and comes back"
microphone_unplug
wait_log "tone: .*alsa:hw:Loopback,0,0" 20 2
expect_status gone "tone: .*alsa:hw:Loopback,0,0"
alive
microphone_plug
sleep 3
hear again
ask_for_nothing
wait_log "the output tone is back" 5 2
sleep 2
ask_for_nothing
sleep 2
lapel start >/dev/null || fail "lapel start"
wait_log "state: recording" 20 2
sleep 3
moment again-end
end_recorder
sleep 1
heard
kill "$WATCHER"
python3 "$LAB/check_tones.py" "$RESULTS" || fail "the tones are not what they should be"
