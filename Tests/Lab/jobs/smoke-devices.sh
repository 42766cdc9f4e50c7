# The lab's own proof: the rest of guest.sh. Multi-planar camera, faults, unplugging, a card, a frozen process.
. "$LAB/guest.sh"
need v4l2-ctl arecord

# A card holds what is written, and no more than it is big.
card 24
echo evidence >"$CARD/file"
sync "$CARD/file"
if dd if=/dev/zero of="$CARD/fill" bs=1M count=32 status=none 2>/dev/null; then fail "32 MiB fit on a card of 24"; fi
[ "$(cat "$CARD/file")" = evidence ] || fail "the card lost a file"
umount "$CARD"

camera_multiplanar
v4l2-ctl -d "$CAMERA" --info | grep "Video Capture Multiplanar" >/dev/null || fail "$CAMERA is not multi-planar"
camera_format 640 360 15 NM12
stream() { v4l2-ctl -d "$CAMERA" --stream-mmap=6 --stream-count="$1" --verbose 2>&1; }
stream 10 >/run/stream || fail "NM12 does not stream: $(tail -n 3 /run/stream)"

# Faults, as a program that captures sees them.
sequence() { sed -n 's/.* seq: *\([0-9]*\) .*/\1/p'; }
camera_fault drop 50
stream 20 | sequence >/run/sequence
camera_fault drop 0
awk 'NR > 1 && $1 != last + 1 { gaps++ } { last = $1 } END { exit gaps == 0 }' /run/sequence || fail "drop: no sequence gap"
stream 60 >/run/stream &
streaming=$!
wait_for 5 "frames" grep -q 'seq: *5 ' /run/stream
camera_fault buffer-error
wait "$streaming" || fail "buffer-error: streaming ended"
grep -q 'seq:.*error' /run/stream || fail "buffer-error: no buffer has the error flag"
camera_fault streamon-error
stream 5 >/run/stream || true # v4l2-ctl says so, but exits with 0
grep -q 'STREAMON returned -1' /run/stream || fail "streamon-error: $(cat /run/stream)"
stream 5 >/run/stream || true
grep -q 'seq: *4 ' /run/stream || fail "streamon-error: more than once"
camera_unplug
[ ! -e "$CAMERA" ] || fail "$CAMERA is still there, unplugged"
camera_plug
stream 5 >/run/stream || true
grep -q 'seq: *4 ' /run/stream || fail "no frames after plugging in again"

# A frozen program loses sound and is told so.
microphone
arecord -q -D "$MICROPHONE" -f S16_LE -r 48000 -c 1 -d 6 --buffer-time=200000 /run/sound.wav 2>/run/arecord &
recording=$!
wait_for 10 "captured sound" grep -q RUNNING /proc/asound/card0/pcm1c/sub0/status
freeze "$recording" 1
wait "$recording" || fail "arecord ended after being frozen"
grep -q overrun /run/arecord || fail "freeze: no overrun"
microphone_unplug
[ ! -e /dev/snd/pcmC0D1c ] || fail "the microphone is still there, unplugged"
microphone_plug
say "card, multi-planar camera, faults, unplugging and freezing do what they say"
