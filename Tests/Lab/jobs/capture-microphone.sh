# The library's microphone on a real driver: samples, times, overruns and unplugging, each by its name.
# $CAPTURE_PROBE is the program; its output is kept.
. "$LAB/guest.sh"
need sox aplay
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
refused() {
  local name=$1 pattern=$2
  shift 2
  "$@" >"$RESULTS/$name.log" 2>&1 && fail "$name: nothing was refused"
  expect "$RESULTS/$name.log" 1 "$pattern"
  # ALSA itself must not have printed anything.
  expect "$RESULTS/$name.log" 1 ''
  say "$(cat "$RESULTS/$name.log")"
}
# in_step LOG: samples and silence together are where time is. A block's time jitters by the driver's 4 ms timer.
in_step() {
  sed -n 's/^sound .* error=\(-\{0,1\}[0-9]*\)us.*/\1/p' "$1" | awk -v f="$1" '
    { if ($1 > worst) worst = $1; if (-$1 > worst) worst = -$1 }
    END { print f ": " NR " blocks, at most " worst " us out of step"; exit !(NR > 20 && worst < 30000) }' || fail "$1: out of step"
}
start_probe() {
  log=$RESULTS/$1.log
  shift
  "$probe" microphone "$MICROPHONE" "$@" >"$log" 2>&1 &
  PROBE=$!
  wait_for 20 "samples" sh -c "[ \$(grep -c '^sound' '$log') -ge 5 ]"
}
end_probe() {
  local status=0
  wait "$PROBE" || status=$?
  [ "$status" = "${1:-0}" ] || fail "$log: status $status instead of ${1:-0}: $(tail -n 3 "$log")"
}

microphone
warm "$probe"
"$probe" list >"$RESULTS/list.log"
expect "$RESULTS/list.log" 1+ '^microphone .*hw:CARD=Loopback,DEV=1'

tone() {
  play_tone 1000 30
  "$probe" microphone "$MICROPHONE" 1 4 dump="$RESULTS/tone.raw" >"$RESULTS/tone.log" || fail "$(tail -n 2 "$RESULTS/tone.log")"
  expect "$RESULTS/tone.log" 1 '^granted .*rate: 48000, channels: 1, periodFrames: 960, bufferFrames: 2[4-9][0-9]*.*stampsMonotonic: true'
  expect "$RESULTS/tone.log" 100+ '^sound .* estimated=false'
  in_step "$RESULTS/tone.log"
  # Half of full scale is an RMS of 0.354; next to nothing may be left without the band around 1 kHz.
  rms() { sox -t raw -r 48000 -e signed -b 16 -c 1 "$RESULTS/tone.raw" -n "$@" trim 0.5 3 stat 2>&1 | sed -n 's/^RMS.*amplitude: *//p'; }
  local whole rest
  whole=$(rms) rest=$(rms sinc -t 50 1200-800)
  awk -v w="$whole" 'BEGIN { exit !(w > 0.352 && w < 0.355) }' || fail "RMS is $whole: not the tone at half of full scale"
  awk -v r="$rest" 'BEGIN { exit !(r < 0.0001) }' || fail "RMS outside the tone's band is $rest"
  say "a tone is captured: RMS $whole, outside its band $rest"
  kill "$PLAYER"
  wait "$PLAYER" || true

  play_tone 1000 30 48000 2
  "$probe" microphone "$MICROPHONE" 2 2 >"$RESULTS/stereo.log" || fail "$(tail -n 2 "$RESULTS/stereo.log")"
  expect "$RESULTS/stereo.log" 1 '^granted .*channels: 2'
  in_step "$RESULTS/stereo.log"
  kill "$PLAYER"
  wait "$PLAYER" || true
}

overruns() {
  start_probe overrun 1 12 dump=/run/overrun.raw
  freeze "$PROBE" 2
  sleep 1
  freeze "$PROBE" 0.2 # within the buffer: nothing is lost, unless the guest itself stands still
  sleep 1
  freeze "$PROBE" 3
  end_probe
  expect "$log" 2+ '^sound .* lost=[1-9]'
  # Each overrun, also one of a guest on a busy host, is one loss that was told, and there is no other.
  overruns=$(sed -n 's/^end .*overruns=\([0-9]*\).*/\1/p' "$log")
  expect "$log" "$overruns" '^sound .* lost=[1-9]'
  in_step "$log"
  # The file holds the lost samples as silence.
  frames=$(sed -n 's/^end frames=\([0-9]*\) .*/\1/p' "$log")
  [ "$(stat -c %s /run/overrun.raw)" = $((frames * 2)) ] || fail "the file has not $frames samples"
  say "$(tail -n 1 "$log")"
}

refusals() {
  refused missing 'error kind=notFound .*hw:7,0.*Microphones here: hw:CARD=Loopback,DEV=0 ' "$probe" microphone hw:7,0 1 2
  refused name 'error kind=notFound ' "$probe" microphone nonsense 1 2
  # The player fixes the rate for both sides.
  play_tone 440 30 16000
  refused rate 'error kind=unsupported .*48000 Hz.*It offers 16000 Hz.*Use plughw:Loopback,1,0' "$probe" microphone "$MICROPHONE" 1 2
  "$probe" microphone "plug$MICROPHONE" 1 3 >"$RESULTS/plug.log" || fail "$(tail -n 2 "$RESULTS/plug.log")"
  expect "$RESULTS/plug.log" 20+ '^sound '
  in_step "$RESULTS/plug.log"
  kill "$PLAYER"
  wait "$PLAYER" || true
  start_probe holder 1 5
  refused busy 'error kind=busy ' "$probe" microphone "$MICROPHONE" 1 2
  end_probe
  chmod 600 /dev/snd/*
  refused forbidden 'error kind=permission .*audio' setpriv --reuid 65534 --clear-groups "$probe" microphone "$MICROPHONE" 1 2
}

unplugging() {
  # A guest on a busy host may take long to unplug and plug in: the probe runs until it is ended.
  start_probe unplug 1 600 reopen
  microphone_unplug
  sleep 1
  microphone_plug
  wait_for 60 "microphone that is used again" sh -c "[ \$(grep -c '^granted ' '$log') -ge 2 ]"
  sleep 1
  kill "$PROBE"
  end_probe 143
  # ALSA says EIO where the driver's state is read before it has changed.
  expect "$log" 1 '^error kind=\(lost\|failed\) '
  expect "$log" 1+ '^error kind=notFound '
  expect "$log" 2 '^granted '
  say "the microphone is used again after being unplugged"
}

[ $# -gt 0 ] || set -- tone overruns refusals unplugging
for part; do "$part"; done
