# The library's driver of hardware encoders on the kernel's own stateful one (vicodec, which codes FWHT in place of H.264), single- and
# multi-planar: stamps, drains, restarts, keyframes, padding, a device that goes away. $CAPTURE_PROBE is the program.
# lab: built vicodec
. "$LAB/guest.sh"
need v4l2-ctl ffmpeg
probe=${CAPTURE_PROBE:?the path of CaptureProbe}
[ -x "$probe" ] || fail "no program $probe"

encoder_load() {
  load videobuf2-v4l2
  load videobuf2-vmalloc
  [ -e /sys/module/v4l2_mem2mem ] || load v4l2-mem2mem
  load vicodec "$@"
  wait_for 5 "the nodes of vicodec" test -c /dev/video1
}
encoder_unload() { rmmod vicodec || fail "vicodec does not unload"; }

# expect FILE COUNT PATTERN
expect() {
  local found
  found=$(grep -c -- "$3" "$1") || true
  [ "$found" = "$2" ] || fail "$1: $found lines with '$3' instead of $2: $(tail -n 4 "$1")"
}

# encode NAME WIDTH HEIGHT COUNT [OPTION…]
encode() {
  log=$RESULTS/$mode-$1.log
  "$probe" encode "platform:vicodec" FWHT "$2" "$3" 30 "${@:4}" >"$log" 2>&1 || fail "$mode $1: $(tail -n 2 "$log")"
  expect "$log" 1 "^granted vicodec (vicodec, platform:vicodec) at /dev/video0: .* $mode-planar, .* keyframes by reset"
}

# in_order LOG COUNT: every picture came back, in order, with the stamp that it was given, and stamps are 1/30 s apart.
in_order() {
  expect "$1" "$2" '^packet number=[0-9]* stamp=[0-9]* equal=true bytes=[0-9]* damaged=false'
  sed -n 's/^packet number=\([0-9]*\) stamp=\([0-9]*\) .*/\1 \2/p' "$1" | awk -v n="$2" '
    $1 != NR - 1 { print "FAIL: packet " NR " is of picture " $1; exit 1 }
    NR > 1 && ($2 - last < 33333 || $2 - last > 33334) { print "FAIL: stamps " last " and " $2; exit 1 }
    { last = $2 } END { if (NR != n) { print "FAIL: " NR " packets"; exit 1 } }' || exit 1
}

# pictures NAME WIDTH HEIGHT: what vicodec's decoder makes of the packets is what was given, up to the codec's loss.
pictures() {
  local psnr
  v4l2-ctl -d /dev/video1 --set-fmt-video-out "width=$2,height=$3,pixelformat=FWHT" --set-fmt-video pixelformat=YU12 \
    --stream-mmap --stream-out-mmap --stream-from /run/coded --stream-to /run/decoded >"$RESULTS/$mode-$1-decode.log" 2>&1 ||
    fail "$mode $1: v4l2-ctl does not decode: $(tail -n 2 "$RESULTS/$mode-$1-decode.log")"
  [ "$(stat -c %s /run/decoded)" = "$(stat -c %s /run/raw)" ] ||
    fail "$mode $1: $(stat -c %s /run/decoded) bytes decoded of $(stat -c %s /run/raw)"
  psnr=$(ffmpeg -nostdin -loglevel info -f rawvideo -pixel_format yuv420p -video_size "$2x$3" -i /run/decoded \
    -f rawvideo -pixel_format yuv420p -video_size "$2x$3" -i /run/raw -lavfi '[0][1]psnr' -f null - 2>&1 |
    sed -n 's/.*PSNR .* min:\([^ ]*\) .*/\1/p')
  [ "$psnr" = inf ] || awk -v p="$psnr" 'BEGIN { exit !(p >= 28) }' || fail "$mode $1: PSNR $psnr of the worst picture"
  say "$mode $1: the worst picture has a PSNR of $psnr"
}

for mode in single multi; do
  multiplanar=0
  [ $mode = single ] || multiplanar=1
  encoder_load multiplanar=$multiplanar
  warm "$probe"
  "$probe" encoders FWHT >"$RESULTS/$mode-list.log"
  expect "$RESULTS/$mode-list.log" 1 '^encoder '
  expect "$RESULTS/$mode-list.log" 1 '^encoder /dev/video0 driver=vicodec card=vicodec bus=platform:vicodec makes=FWHT'

  encode long 640 360 300
  in_order "$log" 300
  expect "$log" 1 '^end state=drained packets=300 skipped=0 unknown=0 given-up=0 left=0'
  say "$mode: 300 pictures in and out with their stamps, drained to the last"

  # What is in the encoder at a stop is given up; what follows begins with a keyframe. Elsewhere they come every 16.
  encode stop 640 360 60 stop=25
  expect "$log" 1 '^stopped state=ready given-up='
  expect "$log" 1 '^packet number=25 .* equal=true .* intra=true'
  expect "$log" 1 '^end state=drained .* skipped=0 unknown=0 .* left=0'
  awk -F'[= ]' '/^end/ { for (i = 1; i < NF; i++) { if ($i == "packets") p = $(i + 1); if ($i == "given-up") g = $(i + 1) } }
    END { if (p + g != 60) { print "FAIL: " p " packets and " g " given up of 60"; exit 1 } }' "$log" || exit 1

  encode keyframes 640 360 60 key=5,23,24
  in_order "$log" 60
  # 21, 40 and 56 are the sixteenth after another.
  for number in 0 5 21 23 24 40 56; do expect "$log" 1 "^packet number=$number .* intra=true"; done
  expect "$log" 7 'intra=true'
  say "$mode: stopped and begun again in mid-stream; keyframes where they were asked for"

  # Neither side is a multiple of 16: the buffers are larger, the pictures are not.
  encode padded 642 362 20 dump=/run/coded raw=/run/raw
  in_order "$log" 20
  expect "$log" 1 '^granted .* in buffers of 656x368'
  pictures padded 642 362
  encode whole 640 480 20 dump=/run/coded raw=/run/raw
  pictures whole 640 480

  # The device goes away while pictures are in it.
  log=$RESULTS/$mode-unbind.log
  "$probe" encode /dev/video0 FWHT 640 360 30 3000 pace >"$log" 2>&1 &
  PROBE=$!
  wait_for 20 "packets" sh -c "[ \$(grep -c '^packet' '$log') -ge 20 ]"
  begin=$(date +%s%N)
  echo vicodec.0 >/sys/bus/platform/drivers/vicodec/unbind 2>/dev/null ||
    echo vicodec >/sys/bus/platform/drivers/vicodec/unbind || fail "vicodec does not unbind"
  status=0
  wait $PROBE || status=$?
  took=$((($(date +%s%N) - begin) / 1000000))
  [ $status = 1 ] || fail "$mode: status $status after the device was gone"
  expect "$log" 1 '^error kind=lost errno=19 '
  [ $took -lt 6000 ] || fail "$mode: it took $took ms"
  say "$mode: the device gone: $(grep '^error' "$log"), after $took ms"
  encoder_unload
done

"$probe" encode platform:vicodec FWHT 640 360 30 1 >"$RESULTS/missing.log" 2>&1 && fail "an encoder that is not there was opened"
expect "$RESULTS/missing.log" 1 '^error kind=notFound .*No device here encodes FWHT'
