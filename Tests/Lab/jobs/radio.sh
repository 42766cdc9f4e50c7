# The recorder and its radio: genuine signals start and mark, nothing else does, and a controller that fails is found and used again.
# What is on the air comes from two virtual controllers (air.py); signals from `lapel beacon`, and from a second implementation.
. "$LAB/guest.sh"
. "$LAB/recorder.sh"

load hci_vhci
wait_for 5 "/dev/vhci" test -c /dev/vhci
card 256
mkdir -p /run/lapel
key=$(printf 'c0ffee%058d' 7)
printf '# the lab\n7 %s 300,301\n' "$key" >/run/lapel/groups
printf '7 %s 300,301,999\n8 %s 300\n' "$key" "$(printf 'dead%060d' 1)" >/run/lapel/groups-of-others
configure_small 'radio.adapter = "hci0"' 'radio.groups = "/run/lapel/groups"'
enroll

rm -f /run/air && mkfifo /run/air
python3 "$LAB/air.py" </run/air >"$RESULTS/air.txt" &
exec 8>/run/air
air() { printf '%s\n' "$*" >&8; }
# wait_air PATTERN SECONDS [COUNT]
wait_air() {
  local until=$((SECONDS + $2))
  until [ "$(grep -c -- "$1" "$RESULTS/air.txt")" -ge "${3:-1}" ]; do
    [ $SECONDS -lt $until ] || fail "no '$1' on the air within $2 s: $(tail -n 3 "$RESULTS/air.txt")"
    sleep 0.1
  done
}
moment() {
  python3 -c 'import sys, time; print(sys.argv[1], time.clock_gettime_ns(time.CLOCK_MONOTONIC))' "$1" >>"$RESULTS/moments.txt"
}
# beacon EVENT [OPTION…]: the advertisement in hexadecimal, of emitter 300 with its next counter.
beacon() {
  local event=$1
  shift
  "$LAPEL_BIN/lapel" beacon --groups "${GROUPS_FILE:-/run/lapel/groups}" --group "${GROUP:-7}" --emitter "${EMITTER:-300}" \
    --event "$event" --state "/run/lapel/beacon.${GROUP:-7}.${EMITTER:-300}" --print "$@" 2>/dev/null
}
count() { grep -c -- "$1" "$RESULTS/run.log" || true; }
opened=0
# starts WHAT: one recording more than before, and only one; then it is stopped.
starts() {
  opened=$((opened + 1))
  wait_log 'recording [0-9]* opened' 20 "$opened"
  sleep 2
  lapel stop >/dev/null || fail "$1: lapel stop"
  wait_log "recording closed" 20 "$opened"
  [ "$(count 'recording [0-9]* opened')" = "$opened" ] || fail "$1: not one recording"
  say "$1: recorded"
}
# quiet WHAT: no recording began.
quiet() {
  sleep 0.7
  [ "$(count 'recording [0-9]* opened')" = "$opened" ] || fail "$1: a recording began"
  say "$1: nothing began"
}
# deaf SECONDS COUNT NAME: so many times so far.
deaf() {
  wait_log "the radio is deaf" "$1" "$2"
  lapel status >"$RESULTS/status-$3.txt"
  grep "Radio *deaf" "$RESULTS/status-$3.txt" || fail "$3: the status does not say that the radio is deaf"
}

air a plug
wait_air "a is hci0" 5
sleep 2.5 # the kernel's own setting up
start_recorder
wait_log "the radio listens" 10
sleep 2.5 # the pre-event

say "-- genuine signals"
first=$(beacon holster)
moment sent
air hear "$first" 20
starts "a signal, sent twenty times"
air hear "$(beacon test)" 3
quiet "a test signal"
[ "$(count 'radio signal: event=test')" = 1 ] || fail "the test signal is not in the log"
air hear "$(beacon mark)" 3
quiet "a marker while nothing is recorded"

say "-- a recording, kept going and marked"
air hear "$(beacon light_bar)" 3
wait_log 'recording [0-9]* opened' 20 2
sleep 1
air hear "$(beacon mark)" 3
sleep 1
air hear "$(EMITTER=301 beacon impact)" 3
starts "two emitters"

say "-- what must not start"
air hear "$first" 100 20
wait_air "air silent" 10 7
quiet "a signal of before"
genuine=$(beacon holster)
# A later one, changed; the emitter's counter is not used up by that.
air mutants "$genuine" 3000 11 2
wait_air "air silent" 30 8
quiet "3,000 changed ones"
air hear "$(GROUPS_FILE=/run/lapel/groups-of-others EMITTER=999 beacon holster)" 3
air hear "$(GROUPS_FILE=/run/lapel/groups-of-others GROUP=8 beacon holster)" 3
quiet "an emitter and a group that are not listed"
# An hour old, and the clock is kept right (adjtimex without STA_UNSYNC).
python3 - <<'PY' || fail "the clock cannot be called right"
import ctypes
class Timex(ctypes.Structure):
    _fields_ = [("modes", ctypes.c_uint), ("offset", ctypes.c_long), ("freq", ctypes.c_long), ("maxerror", ctypes.c_long),
                ("esterror", ctypes.c_long), ("status", ctypes.c_int), ("rest", ctypes.c_char * 200)]
# ADJ_MAXERROR, ADJ_ESTERROR and ADJ_STATUS
state = Timex(modes=0x4 | 0x8 | 0x10, maxerror=1000, esterror=1000, status=0)
raise SystemExit(0 if ctypes.CDLL(None).adjtimex(ctypes.byref(state)) >= 0 else 1)
PY
sleep 1.5
old=$(printf '%s 65535 7 300 1 900 %d\n' "$key" $((($(date +%s) / 60 - 60) % 65536)) |
  python3 "$LAB_REPOSITORY/Tests/Vectors/read_advertisement.py" --encode)
air hear "$old" 3
quiet "one that is an hour old"
air hear "$genuine" 3
starts "the one that the changed ones were made of"

say "-- a controller that fails"
lapel start >/dev/null
opened=$((opened + 1))
wait_log 'recording [0-9]* opened' 20 "$opened"
air a mute on
moment mute
deaf 30 $(($(count "the radio is deaf") + 1)) mute
air a mute off
wait_log "the radio listens" 30 2
moment mute-end
lapel stop >/dev/null
wait_log "recording closed" 20 "$opened"
[ "$(count 'state: at risk')" = 0 ] || fail "a controller that does not answer disturbed the recording"
moment error
air a error 66
wait_log "the radio is deaf: .*0x42" 10
wait_log "the radio listens" 20 3
moment error-end
air a refuse 200C 0C
air a error 67
wait_log "the radio is deaf: .*another program scans" 10
air a refuse none
wait_log "the radio listens" 40 4
air a unplug
moment unplug
wait_log "the radio is deaf: .*is gone" 10
air a extended
air a plug
wait_log "the radio listens" 30 5
moment plug-end
air hear "$(beacon door)" 3
starts "a signal to a controller that came back, with extended reports"

say "-- started again"
last=$(beacon vehicle)
air hear "$last" 3
starts "a signal before"
end_recorder
mv "$RESULTS/run.log" "$RESULTS/first.log"
opened=0
start_recorder
wait_log "the radio listens" 10
air hear "$last" 20
quiet "the same one behind a restart"
wait_log "refused: replayed" 5

say "-- an emitter"
air b plug
wait_air "b is hci1" 5
sleep 2.5 # the kernel's own setting up
"$LAPEL_BIN/lapel" beacon --adapter hci1 --groups /run/lapel/groups --group 7 --emitter 301 --event weapon --seconds 2 \
  --state /run/lapel/beacon.7.301 || fail "lapel beacon"
starts "lapel beacon"
wait_air "b advertise off" 5
end_recorder
mv "$RESULTS/run.log" "$RESULTS/second.log"
opened=0

say "-- beside other programs"
python3 - <<'PY' || fail "hci0 cannot be switched on"
import fcntl, socket
with socket.socket(31, socket.SOCK_RAW, 1) as one:
    fcntl.ioctl(one, 0x400448C9, 0)
PY
printf 'radio.mode = "shared"\nradio.unauthenticated = "0x004c:0:0215aa:manual"\n' >>"$config"
start_recorder
wait_log "the radio listens" 15
lapel status >"$RESULTS/status-shared.txt"
grep "Radio *listening.*beside other programs" "$RESULTS/status-shared.txt" || fail "the status does not say that it is shared"
air hear "$(beacon holster)" 3
starts "a signal, heard beside others"
air hear "05ff4c000215" 3
quiet "something like a rule"
air hear "06ff4c000215aa" 3
starts "what a plain rule names"
end_recorder
mv "$RESULTS/run.log" "$RESULTS/third.log"
sync

"$LAPEL_BIN/lapel-dock" account "$CARD/lapel" --agency /run/agency/public --json >"$RESULTS/account.json" 2>"$RESULTS/account.err" ||
  fail "account: status $?: $(head -c 300 "$RESULTS/account.json") $(tail -c 300 "$RESULTS/account.err")"
cat "$CARD"/lapel/device/log/*.log >"$RESULTS/device.log"
python3 "$LAB/check_radio.py" "$RESULTS" || fail "the account is not that of the signals"
