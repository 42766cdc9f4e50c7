# Frames of vivid as they are, with the numbers the driver gave them: what read_vivid_osd.py is checked against.
. "$LAB/guest.sh"
need v4l2-ctl

camera_webcam
camera_format 640 360 15
camera_counter_only
camera_fault drop 5 # so that there are gaps to be found
v4l2-ctl -d "$CAMERA" --stream-mmap=6 --stream-count=150 --verbose --stream-to=/run/frames >/run/stream 2>&1 ||
  fail "v4l2-ctl does not stream: $(tail -n 3 /run/stream)"
sed -n 's/.* seq: *\([0-9]*\) .*/\1/p' /run/stream >"$RESULTS/sequence"
cp /run/frames "$RESULTS/frames.yuyv"
cp /run/stream "$RESULTS/stream.txt"
