# A recording goes on through what a wearer's day does to it: camera and microphone unplugged and back, a card that
# stands still, every fault that the camera's driver can be told to make, a recorder that gets no processor; then the program
# is told to end in mid-recording. Every recording is closed and verifies. Whether what was lost is in the journal, no more
# and no less, is judged on the host, by check-faults. $LAPEL_BIN holds lapel and lapel-dock. Kept is what record.sh keeps.
. "$LAB/guest.sh"
. "$LAB/recorder.sh"
need fsfreeze

camera_webcam
camera_counter_only
microphone
card 256
configure
enroll
play_tone 1000 200
start_recorder
sleep 12

# gaps RECORDING TRACK CAUSE: the number of such lines in its journal.
gaps() {
  local journal
  journal=$(echo "$CARD"/lapel/recordings/"$1"-*/journal.log)
  grep -c " EVT .*code=gap track=$2 .*cause=$3 " "$journal" || true
}
lost() { sed -n 's/.*recording closed ([^)]*): \(.*\)/\1/p' "$RESULTS/run.log" | tail -n 1; }

say "-- camera unplugged for 5 s"
lapel start || fail "lapel start"
wait_log "state: recording" 20
sleep 3
camera_unplug
sleep 5
camera_plug
wait_log "camera is back" 20
sleep 4

say "-- microphone unplugged for 5 s"
microphone_unplug
sleep 5
microphone_plug
wait_log "microphone is back" 20
play_wav "$TONE"
sleep 4

say "-- the camera's driver: a damaged buffer, buffers that are dropped, one that it does not take back"
camera_fault buffer-error
sleep 1
camera_fault drop 30
sleep 3
camera_fault drop 0
camera_fault qbuf-error
sleep 2

say "-- the camera delivers nothing for 4 s, and is not unplugged"
camera_fault drop 100
sleep 4
camera_fault drop 0
wait_log "camera is back" 20 2
sleep 2

say "-- it fails; then it is gone, and comes back with numbers that wrap and times that are none"
camera_fault fatal
wait_log "camera is back" 20 3
sleep 2
camera_control wrap_sequence_number=1 wrap_timestamp=1
camera_fault disconnect
wait_log "camera is back" 20 4
sleep 3
camera_control wrap_sequence_number=0 wrap_timestamp=0
camera_fault disconnect
wait_log "camera is back" 20 5
sleep 2

say "-- the recorder does not run for 1.5 s; then four others want the processor"
freeze "$RECORDER" 1.5
sleep 2
loops=()
for _ in 1 2 3 4; do
  while :; do :; done &
  loops+=($!)
done
sleep 4
kill "${loops[@]}"
sleep 2

say "-- the card stands still for 4 s"
fsfreeze -f "$CARD"
sleep 4
fsfreeze -u "$CARD"
sleep 4
keep_status after-faults
is_recording=$(sed -n 's/^{"protocol":[0-9]*,"state":"\([^"]*\)".*/\1/p' "$RESULTS/after-faults.json")
[ "$is_recording" = recording ] || fail "the recorder is $is_recording after the faults"
lapel stop || fail "lapel stop"
wait_log "recording closed" 30
say "recording 1: $(lost)"
[ "$(gaps 0000000001 1 lost)" -ge 5 ] || fail "the journal does not tell of the camera's absence, each time"
[ "$(gaps 0000000001 1 buffer)" = 1 ] || fail "the journal does not tell of the damaged buffer, once"
[ "$(gaps 0000000001 2 lost)" -ge 1 ] || fail "the journal does not tell of the microphone's absence"
[ "$(gaps 0000000001 2 xrun)" -ge 1 ] || fail "the journal does not tell of the sound that ran over"

say "-- no camera at the trigger: sound alone, then the camera comes"
camera_unplug
sleep 2
lapel start || fail "lapel start"
wait_log "recording 2 opened" 20
sleep 5
camera_plug
wait_log "camera is back" 20 6
sleep 5

say "-- camera gone again, then the microphone, and told to end while they are"
camera_unplug
sleep 2
microphone_unplug
sleep 3
end_recorder TERM
expect_log "recording closed" 2
say "recording 2: $(lost)"

keep_evidence
"$LAPEL_BIN/lapel-dock" verify "$CARD/lapel" --agency /run/agency/public >"$RESULTS/verify.txt" ||
  fail "not verified: $(head -n 12 "$RESULTS/verify.txt")"
[ "$(gaps 0000000002 1 lost)" -ge 2 ] || fail "the journal does not tell that the camera was away at the end"
[ "$(gaps 0000000002 2 lost)" -ge 1 ] || fail "the journal does not tell that the microphone was away at the end"
[ "$(grep -c '^VERIFIED: ' "$RESULTS/verify.txt")" = 2 ] || fail "not two VERIFIED recordings"
say "both recordings are closed and VERIFIED"
