# The library's camera on a real driver: pixels, times and numbers of frames; faults, each seen by its name.
# $CAPTURE_PROBE is the program; its output is kept.
. "$LAB/guest.sh"
need ffmpeg v4l2-ctl
probe=${CAPTURE_PROBE:?the path of CaptureProbe}
[ -x "$probe" ] || fail "no program $probe"

# expect FILE COUNT|COUNT+ PATTERN: so many lines, or at least so many.
expect() {
  local found
  found=$(grep -c -- "$3" "$1") || true
  case $2 in
    *+) [ "$found" -ge "${2%+}" ] || fail "$1: $found lines with '$3' instead of $2: $(tail -n 5 "$1")" ;;
    *) [ "$found" = "$2" ] || fail "$1: $found lines with '$3' instead of $2: $(tail -n 5 "$1")" ;;
  esac
}

# A picture that stands still, without text: what ffmpeg makes of v4l2-ctl's own capture must be what the probe has.
still() { camera_control osd_text_mode=2 horizontal_movement=3 vertical_movement=3 test_pattern="${1:-0}"; }

# counted LOG: positions count every frame of the camera. A frame may be lost, because the guest is slow: but not unseen.
counted() {
  sed -n 's/^[fd][ra][am][me].* position=\([0-9]*\) lost=\([0-9]*\) .*/\1 \2/p' "$1" | awk '
    NR == 1 { first = $1 } NR > 1 { lost += $2 } { last = $1 }
    END { print NR " frames, " lost + 0 " lost"; exit !(last - first == NR - 1 + lost) }' || fail "$1: positions and losses differ"
}

# format FOURCC FFMPEG_FORMAT: 30 frames, 1/15 s a number apart, and the right pixels.
format() {
  local name=$1 pixels=$2 log=$RESULTS/$mode-$1.log
  "$probe" camera "$CAMERA" 640 360 15 "$name" 30 dump=/run/probe.yuv >"$log" || fail "$mode $name: $(tail -n 2 "$log")"
  expect "$log" 1 "^granted $name 640x360 at 15 fps planes=.* clock=monotonic end=true"
  expect "$log" 30 '^frame ok .* fault=none sequence-fault=false'
  counted "$log"
  sed -n 's/^frame .* position=\([0-9]*\) .* time=\([0-9]*\)us.*/\1 \2/p' "$log" | awk -v n="$name" '
    NR == 1 { p = $1; t = $2 } END { mean = ($2 - t) / ($1 - p); if (mean < 65000 || mean > 68400) { print "FAIL: " n ": " mean " us a frame"; exit 1 } }' || exit 1
  # vivid stamps a frame with the end it will have, up to an interval ahead: its start is never in the future.
  sed -n 's/^frame .* age=\([0-9-]*\)us.*/\1/p' "$log" | awk '$1 < 0 || $1 > 5000000 { print "FAIL: age " $1; exit 1 }' || exit 1

  v4l2-ctl -d "$CAMERA" --set-fmt-video "width=640,height=360,pixelformat=$name" --stream-mmap --stream-count=1 \
    --stream-to=/run/raw >/dev/null 2>&1 || fail "v4l2-ctl does not capture $name"
  ffmpeg -nostdin -loglevel error -y -f rawvideo -pixel_format "$pixels" -video_size 640x360 -i /run/raw -frames:v 1 \
    -f rawvideo -pix_fmt yuv420p /run/expected.yuv || fail "ffmpeg does not convert $name"
  local psnr
  psnr=$(ffmpeg -nostdin -loglevel info -f rawvideo -pixel_format yuv420p -video_size 640x360 -i /run/probe.yuv \
    -f rawvideo -pixel_format yuv420p -video_size 640x360 -i /run/expected.yuv -lavfi '[0][1]psnr=shortest=0:repeatlast=1' \
    -f null - 2>&1 | sed -n 's/.*PSNR .* min:\([^ ]*\) .*/\1/p')
  # Chroma of 4:2:2 is averaged by one and not by the other on the lines between bars.
  [ "$psnr" = inf ] || awk -v p="$psnr" 'BEGIN { exit !(p >= 40) }' || fail "$mode $name: PSNR $psnr against ffmpeg"
  say "$mode $name: 30 frames, PSNR $psnr against ffmpeg"
}

# start_probe NAME COUNT [reopen]: in the background, streaming when this returns.
start_probe() {
  log=$RESULTS/$1.log
  "$probe" camera "$CAMERA" 640 360 15 YUYV "$2" ${3:-} >"$log" 2>&1 &
  PROBE=$!
  wait_for 20 "frames in $1" sh -c "[ \$(grep -c '^frame' '$log') -ge 5 ]"
}
end_probe() {
  local status=0
  wait "$PROBE" || status=$?
  [ "$status" = "${1:-0}" ] || fail "$log: status $status instead of ${1:-0}: $(tail -n 3 "$log")"
}
refused() {
  local name=$1 pattern=$2
  shift 2
  "$@" >"$RESULTS/$name.log" 2>&1 && fail "$name: nothing was refused"
  expect "$RESULTS/$name.log" 1 "$pattern"
  say "$(cat "$RESULTS/$name.log")"
}

# formats: all of them; few: one of each kind, which takes a quarter of the time.
formats() {
  single YUYV yuyv422 UYVY uyvy422 NV12 nv12 YU12 yuv420p
  multi YUYV yuyv422 NV12 nv12 NM12 nv12 YM12 yuv420p
}
few() {
  single YUYV yuyv422
  multi NM12 nv12
}

# single|multi [FOURCC FFMPEG_FORMAT]…
single() {
  mode=single
  camera_webcam
  warm "$probe"
  "$probe" list >"$RESULTS/list.log"
  expect "$RESULTS/list.log" 1 "^camera /dev/video0 driver=vivid "
  still
  each_format "$@"
  "$probe" camera "$CAMERA" 640 360 15 auto 5 >"$RESULTS/auto.log"
  expect "$RESULTS/auto.log" 1 '^granted YU12 '
  # By the names that do not change.
  "$probe" camera platform:vivid-000 640 360 15 auto 5 >"$RESULTS/bus.log"
  expect "$RESULTS/bus.log" 5 '^frame ok'
  modprobe -r vivid
}
multi() {
  mode=multi
  camera_multiplanar
  still
  each_format "$@"
  modprobe -r vivid
}
each_format() {
  while [ $# -gt 0 ]; do
    format "$1" "$2"
    shift 2
  done
}

refusals() {
  camera_webcam
  refused size 'error kind=unsupported .*641x360.* offers: YUYV, .*640x360 (.*fps' "$probe" camera "$CAMERA" 641 360 15 auto 5
  refused rate 'error kind=unsupported .*at 90 fps.*640x360' "$probe" camera "$CAMERA" 640 360 90 YUYV 5
  refused missing 'error kind=notFound .*/dev/video9.*Cameras here: /dev/video0 (vivid' "$probe" camera /dev/video9 640 360 15 auto 5
  refused foreign 'error kind=notACamera .*Cameras here: /dev/video0' "$probe" camera /dev/null 640 360 15 auto 5
  chmod 600 "$CAMERA"
  chown root:video "$CAMERA"
  refused forbidden 'error kind=permission .*group video' setpriv --reuid 65534 --clear-groups "$probe" camera "$CAMERA" 640 360 15 auto 5
  start_probe holder 60
  refused busy 'error kind=busy .*fuser' "$probe" camera "$CAMERA" 640 360 15 YUYV 5
  end_probe
  modprobe -r vivid
}

faults() {
  camera_webcam
  start_probe damaged 60
  camera_fault buffer-error
  end_probe
  expect "$log" 1 '^damaged '
  expect "$log" 59 '^frame ok'
  say "a damaged buffer is reported and not used"

  start_probe gaps 75
  camera_fault drop 30
  end_probe
  camera_fault drop 0
  expect "$log" 3+ '^frame ok .* lost=[1-9]'
  counted "$log"

  start_probe requeue 60
  camera_fault qbuf-error
  end_probe
  expect "$log" 60 '^frame ok'
  expect "$log" 1 '^end refused=1'
  say "a buffer that the driver refused is offered again"

  start_probe stall 60
  camera_fault drop 100
  end_probe 1
  camera_fault drop 0
  expect "$log" 1 '^error kind=stalled '

  start_probe fatal 60 reopen
  camera_fault fatal
  end_probe
  expect "$log" 1 '^error kind=failed errno=5 '
  expect "$log" 2 '^granted '

  start_probe disconnect 60 reopen
  camera_fault disconnect
  end_probe
  expect "$log" 1+ '^error kind=lost errno=19 '
  expect "$log" 2 '^granted '

  start_probe unplug 90 reopen
  camera_unplug
  sleep 1
  camera_plug
  end_probe
  expect "$log" 1 '^error kind=lost '
  expect "$log" 1+ '^error kind=notFound '
  expect "$log" 2 '^granted '
  say "the camera is used again after a failure, a disconnection and being unplugged"

  camera_control inject_vidioc_reqbufs_error=1
  refused reqbufs 'error kind=failed errno=22 ' "$probe" camera "$CAMERA" 640 360 15 YUYV 5
  camera_control inject_vidioc_streamon_error=1
  refused streamon 'error kind=failed errno=22 ' "$probe" camera "$CAMERA" 640 360 15 YUYV 5
  modprobe -r vivid
}

clocks() {
  camera_webcam
  camera_control wrap_sequence_number=1
  start_probe wrap 150
  end_probe
  expect "$log" 150 '^frame ok .* fault=none sequence-fault=false'
  counted "$log"
  # The numbers start below 2^32 and go over it.
  sed -n 's/^frame .*position=\([0-9]*\) .*/\1/p' "$log" | awk '
    NR == 1 { first = $1 } { last = $1 } END { print first " to " last; exit !(first < 4294967296 && last > 4294967296) }' ||
    fail "the sequence number does not go over 2^32"
  camera_control wrap_sequence_number=0

  for wrap in 1 2; do
    camera_control wrap_timestamp=$wrap
    start_probe "timestamp-$wrap" 30
    end_probe
    camera_control wrap_timestamp=0
    # Whatever the driver says, times rise and are near the present.
    expect "$log" 30 '^frame ok .* fault=\(future\|foreignClock\) '
    sed -n 's/^frame .* step=\(-\{0,1\}[0-9]*\)us age=\([0-9-]*\)us.*/\1 \2/p' "$log" | awk '
      (NR > 1 && $1 <= 0) || $2 < 0 || $2 > 5000000 { print "FAIL: step " $1 " age " $2; exit 1 }' || exit 1
  done
  camera_control timestamp_source=1
  start_probe exposure 30
  end_probe
  expect "$log" 1 '^granted .* end=false'
  expect "$log" 30 '^frame ok .* fault=none'

  # Frozen for longer than the buffers last: the frames that waited are old and true, those after count as lost.
  start_probe freeze 60
  freeze "$PROBE" 3
  end_probe
  expect "$log" 60 '^frame ok .* fault=none'
  expect "$log" 1 '^frame ok .* lost=[2-9][0-9] '
  say "sequence numbers, timestamps and a frozen reader are taken for what they are"
  modprobe -r vivid
}

[ $# -gt 0 ] || set -- formats refusals faults clocks
for part; do "$part"; done
