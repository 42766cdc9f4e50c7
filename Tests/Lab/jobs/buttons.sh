# The library of buttons on real drivers: a GPIO line that bounces (gpio-sim) and a key (uinput); every press once, its time,
# and what is said of a button that is lost, held, taken, forbidden or not there. $CAPTURE_PROBE is the program.
# lab: built gpio-sim
. "$LAB/guest.sh"
. "$LAB/button.sh"
probe=${CAPTURE_PROBE:?the path of CaptureProbe}
[ -x "$probe" ] || fail "no program $probe"
count=20

# expect FILE COUNT|COUNT+ PATTERN: so many lines, or at least so many.
expect() {
  local found
  found=$(grep -c -- "$3" "$1") || true
  case $2 in
    *+) [ "$found" -ge "${2%+}" ] || fail "$1: $found lines with '$3' instead of $2: $(tail -n 5 "$1")" ;;
    *) [ "$found" = "$2" ] || fail "$1: $found lines with '$3' instead of $2: $(tail -n 5 "$1")" ;;
  esac
}

# watch NAME ARGUMENT…: the probe in the background, watching when this returns.
watch() {
  log=$RESULTS/$1.log
  shift
  "$probe" button "$@" >"$log" 2>&1 7>&- &
  PROBE=$!
  wait_for 20 "the button" grep -q '^opened\|^error' "$log"
}
watched() {
  local status=0
  wait "$PROBE" || status=$?
  [ "$status" = "${1:-0}" ] || fail "$log: status $status instead of ${1:-0}: $(tail -n 3 "$log")"
}
# stop [COUNT PATTERN]: ends the probe, once so many lines, or more, are there.
stop() {
  [ $# = 0 ] || wait_for 10 "$1 lines with '$2' in $log" sh -c "[ \$(grep -c '$2' '$log') -ge $1 ]"
  sleep 0.2 # nothing more may come
  kill "$PROBE"
  watched 143
}
presses() {
  local n
  for ((n = 0; n < $1; n++)); do printf 'down %s\nwait 40\nup %s\nwait 40\n' "$2" "$2"; done >&7
}

# compare NAME FROM TO: each press and release is in the log once and in order; how much later its time is than that of the
# finger's first touch and of the settled contact. Of the latter each must lie within FROM…TO ms.
compare() {
  sed -n 's/^edge pressed=true time=\([0-9]*\).*/down \1/p; s/^edge pressed=false time=\([0-9]*\).*/up \1/p' "$log" >/run/edges
  grep -v ready "$pressed" >/run/presses
  [ "$(wc -l </run/edges)" = "$(wc -l </run/presses)" ] ||
    fail "$1: $(wc -l </run/edges) edges of $(wc -l </run/presses): $(head -n 20 "$log")"
  expect "$log" 0 '^resynchronised'
  paste -d ' ' /run/presses /run/edges | awk -v name="$1" -v from="$2" -v to="$3" '
    $1 != $4 { print "FAIL: " name ": " $0; exit 1 }
    { print ($5 - $2) / 1e6, ($5 - $3) / 1e6 }' >/run/late || { cat /run/late; exit 1; }
  sort -n -k 2 /run/late | awk -v name="$1" -v from="$2" -v to="$3" '
    { first[NR] = $1; last[NR] = $2 }
    END {
      printf "%s: %d edges of %d; later than settled by %.2f to %.2f ms, median %.2f; than the first touch by a median of %.2f\n", \
        name, NR, NR, last[1], last[NR], last[int((NR + 1) / 2)], first[int((NR + 1) / 2)]
      exit !(last[1] >= from && last[NR] <= to)
    }' || fail "$1: not within $2 to $3 ms"
  sed -n 's/.* age=\([0-9]*\)us.*/\1/p' "$log" | sort -n | awk -v name="$1" '
    { age[NR] = $1 } END { printf "%s: read after %.2f ms in the median, %.2f at most\n", name, age[int((NR + 1) / 2)] / 1000, age[NR] / 1000 }'
}

gpio() {
  line_button gpio
  watch gpio "gpio:lab-buttons:record" 5 60 active-low
  expect "$log" 1 '^opened pressed=false pull-refused=false'
  presses $count 6
  button_end
  stop
  compare "gpio, 5 ms of debouncing" 4.9 30

  # The same contact without debouncing, and a clean one.
  line_button bouncing
  watch bouncing "gpio:$CHIP:4" 0 60 active-low
  presses 5 6
  button_end
  stop
  expect "$log" 11+ '^edge'
  say "without debouncing 5 presses and releases make $(grep -c '^edge' "$log") edges"
  line_button clean
  watch clean "gpio:/dev/$CHIP:record" 0 60 active-low
  presses 10 0
  button_end
  stop
  compare "gpio, clean, not debounced" -5 5
  # High while pressed.
  line_button high pull-up pull-down
  watch high "gpio:lab-buttons:record" 2 60
  expect "$log" 1 '^opened pressed=false'
  presses 5 0
  button_end
  stop
  compare "gpio, active high" 1.9 25
}

key() {
  key_button key
  watch key "key:Lab Presenter:KEY_RECORD" 0 60
  expect "$log" 1 '^opened pressed=false'
  presses $((count - 1)) 0
  # Held for long enough to repeat, and another key.
  printf 'down\nwait 600\nother\nup\nwait 60\n' >&7
  wait_for 30 "the last release" sh -c "[ \$(grep -c '^up' '$pressed') = $count ]"
  stop
  compare "key" -5 5
  button_end
}

held() {
  line_button held-line
  printf 'down\n' >&7
  wait_for 5 "the press" grep -q ^down "$pressed"
  # gpio-sim takes a pull for the finger, so none is asked for.
  watch held-line "gpio:lab-buttons:record" 5 60 active-low no-pull
  expect "$log" 1 '^opened pressed=true'
  printf 'up\n' >&7
  button_end
  stop 1 '^edge pressed=false'
  expect "$log" 1 '^edge'

  key_button held-key
  printf 'down\n' >&7
  wait_for 5 "the press" grep -q ^down "$pressed"
  watch held-key "key:Lab Presenter:KEY_RECORD" 0 60
  expect "$log" 1 '^opened pressed=true'
  printf 'up\n' >&7
  stop 1 '^edge pressed=false'
  button_end
  expect "$log" 1 '^edge'
  say "a button that is held when it is opened is said to be pressed, and its release is seen"
}

# More than the kernel keeps while the reader stands still.
lost() {
  line_button lost-line
  watch lost-line "gpio:lab-buttons:record" 0 60 active-low
  kill -STOP "$PROBE"
  printf 'flood 200\ndown\n' >&7
  wait_for 20 "the flood" grep -q ^down "$pressed"
  kill -CONT "$PROBE"
  button_end
  stop 1 pressed=true
  expect "$log" 1+ '^resynchronised'
  [ "$(grep '^edge\|^resynchronised' "$log" | tail -n 1 | grep -c pressed=true)" = 1 ] || fail "$log: the last level is wrong"

  key_button lost-key
  watch lost-key "key:Lab Presenter:KEY_RECORD" 0 60
  kill -STOP "$PROBE"
  printf 'flood 200\ndown\n' >&7
  wait_for 20 "the flood" grep -q ^down "$pressed"
  kill -CONT "$PROBE"
  stop 1 pressed=true
  button_end
  expect "$log" 1 '^resynchronised'
  [ "$(grep '^edge\|^resynchronised' "$log" | tail -n 1 | grep -c pressed=true)" = 1 ] || fail "$log: the last level is wrong"
  say "lost edges are told, and the level after them is right"
}

refused() {
  local name=$1 pattern=$2
  shift 2
  "$@" >"$RESULTS/$name.log" 2>&1 && fail "$name: nothing was refused"
  expect "$RESULTS/$name.log" 1 "$pattern"
  say "$(sed 's/ time=[0-9]*//' "$RESULTS/$name.log")"
}

refusals() {
  key_button refusals
  "$probe" buttons >"$RESULTS/list.log"
  expect "$RESULTS/list.log" 1 "^chip /dev/$CHIP label=lab-buttons lines=8 named: 4=record, 5=charger (power-supply)"
  expect "$RESULTS/list.log" 1 '^input .* name=Lab Presenter keys: 30, KEY_PAGEDOWN, KEY_RECORD'
  refused no-chip 'kind=notFound .*GPIO chips here: lab-buttons' "$probe" button gpio:porch:1 5 1
  refused no-line 'kind=notOffered .*record (4), charger (5)' "$probe" button gpio:lab-buttons:mark 5 1
  refused no-offset 'kind=notOffered .*0 to 7' "$probe" button gpio:lab-buttons:8 5 1
  refused taken 'kind=busy errno=16 .*power-supply' "$probe" button gpio:lab-buttons:charger 5 1
  watch holder gpio:lab-buttons:record 5 60
  refused held-by-us 'kind=busy errno=16 .*taken by lapel' "$probe" button gpio:lab-buttons:4 5 1
  stop
  refused no-device 'kind=notFound .*Input devices here: .*Lab Presenter' "$probe" button key:Remote:KEY_RECORD 0 1
  refused no-key 'kind=notOffered .*KEY_PAGEDOWN, KEY_RECORD' "$probe" button "key:Lab Presenter:KEY_PLAY" 0 1
  chmod 660 "/dev/$CHIP" /dev/input/event*
  chown root:dialout "/dev/$CHIP"
  chown root:audio /dev/input/event*
  forbidden() { setpriv --reuid 65534 --clear-groups "$probe" button "$@"; }
  refused forbidden-line 'kind=permission errno=13 .*group dialout' forbidden gpio:lab-buttons:record 5 1
  refused forbidden-key 'kind=permission errno=13 .*group audio' forbidden "key:Lab Presenter:KEY_RECORD" 0 1
  button_end
}

# gone NAME WHEN_NS: an error of the kind lost, within a second of that time.
gone() {
  watched 1
  expect "$log" 1 '^error kind=lost '
  local later
  later=$((($(sed -n 's/^error .* time=\([0-9]*\) .*/\1/p' "$log") - $2) / 1000000))
  [ "$later" -le 1000 ] || fail "$1: known after $later ms"
  say "$1 gone: known after $later ms; $(sed -n 's/^woken //p' "$log"); $(sed -n 's/^error [^ ]* [^ ]* [^ ]* //p' "$log")"
}

removed() {
  local before
  watch gone-line gpio:lab-buttons:record 5 10
  sleep 0.1
  before=$(awk '{ printf "%d", $1 * 1000 }' /proc/uptime)
  chip_unplug
  gone "the chip" $((before * 1000000))
  chip_plug
  watch back gpio:lab-buttons:record 5 1
  watched
  expect "$log" 1 '^end'

  key_button gone-key
  watch gone-key "key:Lab Presenter:KEY_RECORD" 0 10
  before=$(awk '{ printf "%d", $1 * 1000 }' /proc/uptime)
  button_end
  gone "the device" $((before * 1000000))
}

buttons_load
warm "$probe" buttons
[ $# -gt 0 ] || set -- gpio key held lost refusals removed
for part; do "$part"; done
