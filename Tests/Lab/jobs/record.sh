# The recorder on a real camera and a real microphone: 640x360 at 15 fps, and a tone with a beep at each flash of
# the picture; 10 s before the trigger, 30 s after it, in segments of 10 s. $LAPEL_BIN holds lapel and lapel-dock.
# Kept for the host, where check-record verifies, opens and checks:
#   store/     the evidence card      agency/  the agency's keys      identity/  the camera's, with its internal store
#   run.log    what lapel run said    lapel.toml    ready.json, recording.json, stopped.json: status at these times
#   facts      one NAME=VALUE a line, times in seconds of CLOCK_MONOTONIC
. "$LAB/guest.sh"
. "$LAB/recorder.sh"

camera_webcam
camera_counter_only
# Something for the encoder to do that leaves the counter legible.
camera_control test_pattern=4 horizontal_movement=0 vertical_movement=2
microphone
card 256
configure
enroll

flash_and_beep 120 1017
start_recorder
fact ready
sleep 13 # more than the pre-event and a GOP
keep_status ready
fact start
lapel start || fail "lapel start"
fact started
wait_log "state: recording" 20
fact recording
sleep 20
keep_status recording
sleep 10
alive
fact stop
lapel stop || fail "lapel stop"
wait_log "recording closed" 30
fact stopped
keep_status stopped
end_recorder
keep_evidence
