# The recorder as a service, under systemd: installed and enrolled as the README says, brought up by the card that is inserted,
# recording as a user of its own from vivid and snd-aloop, started by a button, with a light below /sys. A card that stands
# still and a camera that is unplugged for 30 s, longer than the watchdog waits, end nothing; a process that stands still is
# started anew; uninstalling leaves the footage. $LAPEL_BIN holds lapel and lapel-dock.
# lab: systemd
# lab: built gpio-sim
. "$LAB/guest.sh"
[ -n "${LAPEL_BIN:-}" ] || fail "LAPEL_BIN is not set: the directory of lapel and lapel-dock"
. "$LAB/button.sh"
need fsfreeze runuser systemctl udevadm

store=/var/lib/lapel/store
step() {
  local up
  read -r up _ </proc/uptime
  say "-- $up s: $*"
}
service_log() { journalctl -u lapel -o cat --no-pager; }
trap 'code=$?; service_log | tail -n 30; systemctl status lapel --no-pager -l | head -n 20; exit $code' EXIT
property() { systemctl show -P "$1" lapel; }
# wait_state STATE SECONDS: what the service tells systemd.
wait_state() {
  local deadline=$((SECONDS + $2))
  until [ "$(property StatusText)" = "$1" ]; do
    [ $SECONDS -lt $deadline ] || fail "not '$1' within $2 s but '$(property StatusText)'"
    sleep 0.5
  done
}
press() {
  printf 'down 6\nwait 80\nup 6\nwait 150\ndown 6\nwait 80\nup 6\nwait 100\n' >&7
}
# expect WHAT WANTED FOUND
expect() { [ "$3" = "$2" ] || fail "$1 is '$3', not '$2'"; }

buttons_load
camera_webcam
microphone
# A lamp below /sys: the light of a key, which a program makes.
python3 -c '
import fcntl, os, struct, time
device = os.open("/dev/uinput", os.O_RDWR)
fcntl.ioctl(device, 0x40045564, 0x11)  # UI_SET_EVBIT: EV_LED
fcntl.ioctl(device, 0x40045569, 1)  # UI_SET_LEDBIT: LED_CAPSL
fcntl.ioctl(device, 0x405c5503, struct.pack("HHHH80sI", 3, 1, 1, 1, b"Lab Lamp", 0))  # UI_DEV_SETUP
fcntl.ioctl(device, 0x5501)  # UI_DEV_CREATE
time.sleep(3600)' &
wait_for 10 "lamp" sh -c 'ls /sys/class/leds | grep capslock'
lamp=$(cd /sys/class/leds && echo *capslock)

step "installed"
boards/install.sh --from "$LAPEL_BIN" --board none
udevadm settle
expect "the group of /dev/$CHIP" gpio "$(stat -c %G "/dev/$CHIP")"
expect "the group of the lamp" gpio "$(stat -c %G "/sys/class/leds/$lamp/brightness")"
cat >/etc/lapel/lapel.toml <<TOML
camera.source = "v4l2"
camera.device = "$CAMERA"
camera.width = 320
camera.height = 180
camera.fps = 10
microphone.source = "alsa"
microphone.device = "$MICROPHONE"
video.preset = "ultrafast"
video.threads = 2
video.bitrate_kbps = 300
video.peak_kbps = 400
recording.pre_event_s = 3
recording.stall_reserve_s = 45
buttons.record = "gpio:lab-buttons:record"
indicators.red = "led:$lamp"
TOML

step "a card, and enrolled"
load loop
load ext4
truncate -s 256M /run/card
mkfs.ext4 -q -L LAPEL /run/card
echo "LABEL=LAPEL $store ext4 noatime,nofail,x-systemd.device-timeout=5 0 2" >/etc/fstab
systemctl daemon-reload
mount -o loop /run/card "$store"
chown lapel:lapel "$store"
"$LAPEL_BIN/lapel-dock" keygen /run/agency >/dev/null
cp -r /run/agency/public /etc/lapel/agency
chmod -R a+rX /etc/lapel/agency
runuser -u lapel -- lapel enroll --agency /etc/lapel/agency
"$LAPEL_BIN/lapel-dock" enroll /var/lib/lapel/identity/request.note --keys /run/agency -o /run/enrol.note >/dev/null
install -m 644 -t /etc/lapel /run/enrol.note
runuser -u lapel -- lapel enroll --note /etc/lapel/enrol.note
umount "$store"
wait_for 20 "end of the card's device" sh -c '[ ! -e /dev/disk/by-label/LAPEL ]'
systemctl enable lapel 2>/dev/null
play_tone 1000 300
# As NTP would leave it: whether the service sees that is asked below.
python3 -c 'import ctypes; ctypes.CDLL(None).adjtimex((ctypes.c_int64 * 26)(0x14, 0, 0, 1000, 1000, 0))'

step "the card is inserted"
expect "the service" inactive "$(systemctl is-active lapel || true)"
losetup --find /run/card
wait_for 40 "service" systemctl is-active lapel
camera_unhurried
process=$(property MainPID)
expect "the service's user" lapel "$(ps -o user= -p "$process")"
expect "its capabilities" 0000000000000000 "$(awk '/CapEff/ { print $2 }' "/proc/$process/status")"
expect "its watchdog" 20s "$(property WatchdogUSec)"
wait_state ready 60
lapel status >"$RESULTS/status.txt"
# Of a clock that nothing keeps right, or that the sandbox hides, the check would warn.
grep '^Check *passed' "$RESULTS/status.txt" >/dev/null || fail "the check: $(grep '^Check' "$RESULTS/status.txt")"
! grep '^Check.*clock:' "$RESULTS/status.txt" >/dev/null || fail "the service does not see that the clock is kept right"

step "a button"
line_button service
press
wait_state recording 20
expect "the lamp" 1 "$(cat "/sys/class/leds/$lamp/brightness")"
sleep 3

step "the card stands still for 30 s, and the camera is unplugged for as long"
fsfreeze -f "$store"
camera_unplug
sleep 30
camera_plug
expect "the state" "at risk" "$(property StatusText)"
fsfreeze -u "$store"
wait_state recording 20
expect "the process" "$process" "$(property MainPID)"
expect "restarts" 0 "$(property NRestarts)"

step "the card's mount is told to end, as by a card that is pulled: the recorder goes on with what it has"
systemctl stop var-lib-lapel-store.mount || true
sleep 3
expect "the service" active "$(systemctl is-active lapel || true)"
expect "the process" "$process" "$(property MainPID)"
mountpoint -q "$store" || systemctl start var-lib-lapel-store.mount
wait_state recording 20

step "stopped"
systemctl stop lapel
expect "the result" success "$(property Result)"
"$LAPEL_BIN/lapel-dock" verify "$store" --agency /run/agency/public >"$RESULTS/stopped.txt" ||
  fail "not verified: $(head -n 12 "$RESULTS/stopped.txt")"
expect "verified recordings" 1 "$(grep -c '^VERIFIED: ' "$RESULTS/stopped.txt")"

step "the process stands still while it records"
systemctl start lapel
wait_state ready 60
press
wait_state recording 20
sleep 2
process=$(property MainPID)
kill -STOP "$process"
frozen=$SECONDS
wait_for 40 "restart" sh -c "[ \$(systemctl show -P NRestarts lapel) = 1 ] && systemctl is-active lapel"
say "started anew $((SECONDS - frozen)) s after it stood still"
wait_state ready 60
service_log >"$RESULTS/service.log"
grep 'interrupted' "$RESULTS/service.log" >/dev/null || fail "the start does not tell of the interrupted recording"

step "uninstalled"
button_end
boards/install.sh uninstall
expect "the service" inactive "$(systemctl is-active lapel || true)"
[ ! -e /usr/bin/lapel ] || fail "the program is still there"
"$LAPEL_BIN/lapel-dock" verify "$store" --agency /run/agency/public >"$RESULTS/verify.txt" || true
expect "verified recordings" 1 "$(grep -c '^VERIFIED: ' "$RESULTS/verify.txt")"
expect "interrupted recordings" 1 "$(grep -c '^VERIFIED_TO' "$RESULTS/verify.txt")"
trap - EXIT
step "one recording VERIFIED, one VERIFIED_TO where its process stood still"
