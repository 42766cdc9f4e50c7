# Buttons in a job, sourced after guest.sh: a GPIO chip whose line 4, `record`, is moved through sysfs (gpio-sim), and an input
# device with keys (uinput). The job's first lines must hold:  # lab: built gpio-sim
need press_button

chip_settings=/sys/kernel/config/gpio-sim/lab
chip_plug() {
  mkdir -p "$chip_settings/bank0/line4" "$chip_settings/bank0/line5/hog"
  echo 8 >"$chip_settings/bank0/num_lines"
  echo lab-buttons >"$chip_settings/bank0/label"
  echo record >"$chip_settings/bank0/line4/name"
  echo charger >"$chip_settings/bank0/line5/name"
  echo power-supply >"$chip_settings/bank0/line5/hog/name"
  echo input >"$chip_settings/bank0/line5/hog/direction"
  echo 1 >"$chip_settings/live" || fail "gpio-sim makes no chip"
  CHIP=$(cat "$chip_settings/bank0/chip_name")
  PULL=/sys/devices/platform/$(cat "$chip_settings/dev_name")/$CHIP/sim_gpio4/pull
  wait_for 5 "/dev/$CHIP" test -c "/dev/$CHIP"
}
chip_unplug() { echo 0 >"$chip_settings/live" || fail "the chip does not go away"; }

# button NAME ARGUMENT…: press_button in the background, its commands to descriptor 7.
button() {
  pressed=$RESULTS/$1-presses.txt
  shift
  rm -f /run/commands && mkfifo /run/commands
  press_button "$@" </run/commands >"$pressed" &
  PRESSER=$!
  exec 7>/run/commands
  wait_for 5 "press_button" grep -q ready "$pressed"
}
button_end() {
  exec 7>&-
  wait "$PRESSER" || fail "press_button: $(tail -n 2 "$pressed")"
}
# line_button NAME [PRESSED RELEASED [LINE]]: the record button's line, or another one.
line_button() { button "$1" line "${PULL/sim_gpio4/sim_gpio${4:-4}}" "${2:-pull-down}" "${3:-pull-up}"; }
key_button() {
  button "$1" key "Lab Presenter"
  wait_for 5 "the input device" grep -q "Lab Presenter" /proc/bus/input/devices
}

# buttons_load: the modules, and the chip, at /dev/$CHIP.
buttons_load() {
  load configfs
  load gpio-sim
  load uinput
  load evdev
  mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
  chip_plug
}
