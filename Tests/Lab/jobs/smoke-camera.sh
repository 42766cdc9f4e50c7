# The lab's own proof: a camera streams in real time with no frame lost.
. "$LAB/guest.sh"
need v4l2-ctl

camera_webcam
camera_format 640 360 15
warm v4l2-ctl --version

v4l2-ctl -d "$CAMERA" --stream-mmap=6 --stream-count=60 --verbose >/run/stream 2>&1 ||
  fail "v4l2-ctl does not stream: $(tail -n 3 /run/stream)"
cp /run/stream "$RESULTS/stream.txt"

sed -n 's/.* seq: *\([0-9]*\) .*/\1/p' /run/stream >/run/sequence
frames=$(wc -l </run/sequence)
[ "$frames" = 60 ] || fail "$frames frames instead of 60"
awk 'NR > 1 && $1 != last + 1 { print "FAIL: frame " $1 " follows " last; bad = 1 } { last = $1 } END { exit bad }' \
  /run/sequence || exit 1
say "60 frames of YUYV 640x360 at 15 fps, no sequence gap"
