#!/usr/bin/env bash
# What boards/install.sh does and says, into an empty directory; the service that it installs, as systemd reads it.
set -uo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0
output=

fail() {
  printf 'FAIL: %s\n%s\n' "$1" "$output"
  failed=1
}

# A program that ldd and strip can read: it is only copied here.
mkdir "$work/built" && cp "$(type -P true)" "$work/built/lapel"
printf 'Raspberry Pi 4 Model B Rev 1.4\0' >"$work/model"
export DEVICE_TREE_MODEL=$work/model

# call STATUS ARGUMENT…: its output in $output.
call() {
  local wanted=$1 code=0
  shift
  output=$("$repository/boards/install.sh" --from "$work/built" "$@" 2>&1 </dev/null) || code=$?
  [ $code -eq "$wanted" ] || fail "status $code instead of $wanted of: $*"
}
expect() { [[ $output = *"$1"* ]] || fail "it does not say: $1"; }
there() { [ -e "$work/root$1" ] || [ -L "$work/root$1" ] || fail "no $1"; }
gone() { { [ ! -e "$work/root$1" ] && [ ! -L "$work/root$1" ]; } || fail "$1 is still there"; }
board() { readlink "$work/root/etc/lapel/board.toml"; }

call 0 --dry-run --root "$work/root"
expect "would: install"
gone ""

call 0 --root "$work/root"
expect "this is a raspberry-pi-4"
for file in /usr/bin/lapel /usr/lib/lapel/lapel /usr/lib/systemd/system/lapel.service /usr/lib/udev/rules.d/99-lapel.rules \
  /usr/lib/sysusers.d/lapel.conf /usr/lib/tmpfiles.d/lapel.conf /usr/share/lapel/boards/lab-webcam.toml \
  /usr/share/lapel/radio-exclusive.conf /etc/lapel/lapel.toml; do there "$file"; done
[ "$(board)" = /usr/share/lapel/boards/raspberry-pi-4.toml ] || fail "the profile is $(board)"
"$work/root/usr/bin/lapel" || fail "the installed program does not run"

echo "# mine" >"$work/root/etc/lapel/lapel.toml"
call 0 --root "$work/root" --board lab-webcam
expect "stays as it is"
[ "$(cat "$work/root/etc/lapel/lapel.toml")" = "# mine" ] || fail "the configuration was written over"
[ "$(board)" = /usr/share/lapel/boards/lab-webcam.toml ] || fail "the profile is $(board)"

# Called again without a word of the board, on the board that it would find: what was chosen stays.
call 0 --root "$work/root"
[ "$(board)" = /usr/share/lapel/boards/lab-webcam.toml ] || fail "the profile became $(board)"
call 1 --root /
expect "--root needs"

call 0 --root "$work/root" uninstall
expect "still there"
for file in /usr/bin/lapel /usr/lib/lapel /usr/lib/systemd/system/lapel.service /usr/lib/udev/rules.d/99-lapel.rules \
  /usr/share/lapel /etc/lapel/board.toml; do gone "$file"; done
there /etc/lapel/lapel.toml
call 0 --root "$work/root" uninstall

call 1 --root "$work/root" --board raspberry-pi-9
expect "raspberry-pi-zero-2-w"
printf 'Some other board\0' >"$work/model"
call 1 --root "$work/root"
expect "--board none"
call 0 --root "$work/root" --board none
call 1 --root "$work/root" --board none --from "$work/nowhere"
expect "--static-swift-stdlib"
call 1 --root "$work/root" uninstall --purge
expect "not for --root"
call 2 --bard none
call 0 boards
expect "rock-5b"
for model in "BeagleBoard.org BeaglePlay" "Raspberry Pi Zero 2 W Rev 1.0" "Radxa ROCK 5B"; do
  printf '%s\0' "$model" >"$work/model"
  call 0 --dry-run --root "$work/root"
  expect "this is a "
done

call 0 --root "$work/local" --prefix /usr/local --board none
grep '^ExecStart=/usr/local/bin/lapel run$' "$work/local/usr/local/lib/systemd/system/lapel.service" >/dev/null ||
  fail "the service does not start what was installed"

# --- The service ----------------------------------------------------------------------------------------------------------

unit=$repository/boards/systemd/lapel.service
# has LINE…: the unit has these lines.
has() {
  local line
  for line; do grep -Fx -- "$line" "$unit" >/dev/null || fail "the service has no $line"; done
}
has Type=notify Restart=always StartLimitIntervalSec=0 User=lapel LimitMEMLOCK=infinity LimitCORE=0 DevicePolicy=closed \
  "DeviceAllow=char-video4linux rw" "DeviceAllow=char-alsa rw" "DeviceAllow=char-gpiochip rw" "DeviceAllow=char-input r" \
  ProtectSystem=strict RestrictAddressFamilies=AF_UNIX CapabilityBoundingSet=
# Each of these would break it.
for setting in PrivateNetwork PrivateDevices ProtectClock PrivateUsers; do
  ! grep "^$setting=" "$unit" >/dev/null || fail "the service has $setting="
done
# Every setting says what it is for: a comment stands above it, or above the group that it is in.
output=$(awk '/^$/ || /^\[/ { said = 0 } /^#/ { said = 1 } /^[A-Z]/ && !said && !/^(Description|WantedBy)=/ { print FILENAME ": " $0 }' \
  "$unit" "$repository"/boards/systemd/*.conf)
[ -z "$output" ] || fail "settings that no comment explains"

if command -v systemd-analyze >/dev/null; then
  # The file as it is, but for a program that is there.
  sed "s|^ExecStart=.*|ExecStart=$work/built/lapel|" "$unit" >"$work/lapel.service"
  output=$(systemd-analyze verify "$work/lapel.service" 2>&1) || fail "systemd-analyze verify"
  # Of other units of this machine it may say what it wants.
  [[ $output != *"$work/lapel.service"* ]] && [[ $output != *lapel.service:* ]] || fail "systemd-analyze verify finds something"
  # `--offline` came with systemd 250.
  if output=$(systemd-analyze security --offline=true --threshold=20 "$work/lapel.service" 2>&1); then
    printf '%s\n' "${output##*→ }"
  else
    fail "the service is less closed than it was"
  fi
else
  printf 'no systemd-analyze here: the service was not verified\n'
fi

[ $failed -eq 0 ] && printf 'the installation does what it says\n'
exit $failed
