# The lab's own proof: a flash in the picture and a beep in the sound come at the same moment. Evaluated on the host by
# test-sync, from the driver's timestamps alone.
. "$LAB/guest.sh"
need v4l2-ctl arecord

camera_webcam
camera_format 640 360 15
camera_counter_only
camera_control test_pattern=4 horizontal_movement=0 vertical_movement=2
microphone
warm v4l2-ctl --version
warm arecord --version
warm flash_beep

arecord -q -D "$MICROPHONE" -f S16_LE -r 48000 -c 1 -t raw -d 14 /run/sound &
arecord=$!
status=/proc/asound/card0/pcm1c/sub0/status
wait_for 10 "captured sound" grep -q RUNNING $status
sed -n 's/trigger_time: //p' $status >"$RESULTS/sound-start" # when its first sample was captured
v4l2-ctl -d "$CAMERA" --stream-mmap=6 --stream-count=180 --verbose --stream-to=/run/frames >/run/stream 2>&1 &
video=$!
wait_for 10 "captured frames" test -s /run/frames
flash_and_beep 8 1017
wait "$video" || fail "v4l2-ctl does not stream"
wait "$arecord" || fail "arecord does not capture"
wait "$PLAYER" || fail "flash_beep"
cp /run/sound /run/frames /run/stream "$RESULTS"
