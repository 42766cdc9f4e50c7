# `lapel devices`: what it lists of the kernel's own test devices, as a table and as JSON; for a user who may open nothing, and for
# one whose group is missing; the suggested configuration, run as printed; pictures for aiming; a camera that comes back as another node.
# Kept: devices.txt, devices.json, snapshot.jpg, lapel.toml, run.log
# lab: built gpio-sim
# lab: built test_power
. "$LAB/guest.sh"
. "$LAB/recorder.sh"
. "$LAB/button.sh"
need ffprobe setpriv

lapel="$LAPEL_BIN/lapel"
# expect_json < EXPRESSIONS: each line, in Python, holds of the last inventory, the object d. One start of Python: that takes seconds here.
expect_json() {
  python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
wrong = [line for line in sys.stdin.read().splitlines() if not eval(line)]
sys.exit("\n".join(wrong) or 0)' "$RESULTS/devices.json" || fail "not so in $RESULTS/devices.json"
}
has() { grep -qF -- "$2" "$1" || fail "no '$2' in ${1##*/}: $(cat "$1")"; }
# jpeg FILE WIDTH HEIGHT: any decoder opens it, at that size.
jpeg() {
  local is
  is=$(ffprobe -v error -show_entries stream=codec_name,width,height -of csv=p=0 "$1") || fail "$1 does not open"
  [ "$is" = "mjpeg,$2,$3" ] || fail "$1 is $is, not mjpeg,$2,$3"
  ffmpeg -v error -i "$1" -f null - || fail "$1 does not decode"
}

say "-- nothing there"
"$lapel" devices >"$RESULTS/nothing.txt" || fail "lapel devices"
has "$RESULTS/nothing.txt" 'camera.source = "synthetic" works without one'
has "$RESULTS/nothing.txt" 'microphone.source = "synthetic" works without one'
"$lapel" devices --suggest >/run/nothing.toml || fail "lapel devices --suggest where nothing is"
"$lapel" config check /run/nothing.toml || fail "the suggestion for nothing"
"$lapel" devices --snapshot synthetic /run/synthetic.jpg 2>/dev/null || fail "no picture of the synthetic camera"
jpeg /run/synthetic.jpg 1280 720

say "-- a desk"
camera_webcam
microphone
buttons_load
load test_power ac_online=off usb_online=off battery_status=discharging battery_capacity=30
load hci_vhci
rm -f /run/air && mkfifo /run/air
python3 "$LAB/air.py" </run/air >"$RESULTS/air.txt" &
exec 8>/run/air
echo "a plug" >&8
wait_for 30 "the adapter" grep -q "a is hci0" "$RESULTS/air.txt"
sleep 2.5 # the kernel's own setting up
mkdir -p /var/lib/lapel
card 256 /var/lib/lapel
"$lapel" devices >"$RESULTS/devices.txt" || fail "lapel devices"
"$lapel" devices --json >"$RESULTS/devices.json" || fail "lapel devices --json"
cat "$RESULTS/devices.txt"
device=platform:vivid-000
expect_json <<'CHECKS'
d['cameras'][0]['device'] == 'platform:vivid-000' and d['cameras'][0]['path'] == '/dev/video0'
[640, 360] in [s['size'] for f in d['cameras'][0]['formats'] if f['format'] == 'YUYV' for s in f['sizes']]
any(f['bayer'] and not f['usable'] for f in d['cameras'][0]['formats']) and not d['cameras'][0]['bare_sensor']
'hw:CARD=Loopback,DEV=1' in [m['device'] for m in d['microphones'] if 48000 in m['rates']]
[(n['device'], n['taken_by']) for n in d['gpio'][0]['named']] == [('gpio:lab-buttons:record', None), ('gpio:lab-buttons:charger', 'power-supply')]
[(b['device'] == b['address'], b['name']) for b in d['bluetooth']] == [(True, 'hci0')]
[s['percent'] for s in d['power'] if s['name'] == 'test_battery'] == [30]
[(s['mount_point'], s['file_system'], s['needs_lab_store']) for s in d['stores'] if s['store_path']] == [('/var/lib/lapel', 'ext4', False)]
d['refused'] == []
CHECKS
for words in "$device" hw:CARD=Loopback,DEV=1 "gpio:lab-buttons:record  line 4, free" "battery, 30 %, discharging" x264; do
  has "$RESULTS/devices.txt" "$words"
done

say "-- a user who may open nothing, and one whose group is missing"
nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups -- env HOME=/nonexistent "$lapel" "$@"; }
chmod 600 /dev/video0 /dev/snd/* "/dev/$CHIP"
chgrp video /dev/video0 && chmod 660 /dev/video0
nobody devices >"$RESULTS/nobody.txt" || fail "lapel devices of nobody"
has "$RESULTS/nobody.txt" "sudo usermod -aG video "
has "$RESULTS/nobody.txt" 'SUBSYSTEM=="gpio", GROUP="gpio"'
has "$RESULTS/nobody.txt" 'SUBSYSTEM=="sound", GROUP="audio"'
nobody devices --suggest >/run/nobody.toml || fail "lapel devices --suggest of nobody"
"$lapel" config check /run/nobody.toml || fail "nobody's suggestion"

say "-- pictures"
"$lapel" devices --snapshot $device "$RESULTS/snapshot.jpg" --size 640x360 2>"$RESULTS/snapshot.txt" ||
  fail "no picture: $(cat "$RESULTS/snapshot.txt")"
jpeg "$RESULTS/snapshot.jpg" 640 360
has "$RESULTS/snapshot.txt" "for its exposure to settle"
"$lapel" devices --snapshot /dev/video0 - 2>/dev/null >/run/piped.jpg || fail "no picture on the standard output"
ffmpeg -v error -i /run/piped.jpg -f null - || fail "the picture on the standard output does not decode"
status=0
"$lapel" devices --snapshot /dev/video0 /run/none.jpg --size 642x360 2>/run/refused.txt || status=$?
[ $status = 69 ] || fail "a size that is not offered: status $status"

say "-- the suggested configuration, as printed"
"$lapel" devices --suggest >"$RESULTS/lapel.toml" || fail "lapel devices --suggest"
cat "$RESULTS/lapel.toml"
config=$RESULTS/lapel.toml
"$lapel" config check "$config" || fail "the suggestion is refused"
mkdir -p /run/lapel
"$LAPEL_BIN/lapel-dock" keygen /run/agency >/dev/null || fail "lapel-dock keygen"
lapel() { "$LAPEL_BIN/lapel" "$@" --config "$config"; }
lapel enroll --agency /run/agency/public >/dev/null || fail "lapel enroll --agency"
"$LAPEL_BIN/lapel-dock" enroll /var/lib/lapel/identity/request.note --keys /run/agency -o /run/enrol.note >/dev/null ||
  fail "lapel-dock enroll"
lapel enroll --note /run/enrol.note >/dev/null || fail "lapel enroll --note"
# The guest is too slow for what any desk can do; nothing but the speed is another than printed.
env --default-signal=INT "$LAPEL_BIN/lapel" run --config "$config" --set camera.fps=10 --set video.preset=ultrafast \
  --set video.threads=2 --set recording.pre_event_s=2 --set camera.rotation=90 \
  --set "camera.controls=brightness=100, test_pattern=Horizontal 100% Colorbar" >"$RESULTS/run.log" 2>&1 &
RECORDER=$!
wait_log "state: ready" 60
# controls NODE: as the configuration has them.
controls() {
  local are
  are=$(v4l2-ctl -d "$1" -C brightness,test_pattern) || fail "v4l2-ctl -C on $1"
  [ "$are" = "brightness: 100"$'\n'"test_pattern: 3 (Horizontal 100% Colorbar)" ] || fail "the controls of $1 are $are"
}
controls /dev/video0
lapel start >/dev/null || fail "lapel start"
wait_log "state: recording" 20

say "-- beside a recorder: listed whole, named as in use, and not disturbed"
"$LAPEL_BIN/lapel" devices --json >"$RESULTS/devices.json" || fail "lapel devices beside a recorder"
expect_json <<'CHECKS'
[u.split()[0] for u in d['cameras'][0]['in_use_by']] == ['lapel']
len(d['cameras'][0]['formats']) > 10
CHECKS
status=0
"$LAPEL_BIN/lapel" devices --snapshot $device /run/none.jpg 2>/run/refused.txt || status=$?
[ $status = 69 ] || fail "a camera that a recorder has: status $status"
has /run/refused.txt "in use by the recorder lapel ("
alive
[ "$(grep -c 'camera lost' "$RESULTS/run.log" || true)" = 0 ] || fail "the recorder lost its camera"

say "-- the camera comes back as another node"
# The kernel gives a number out again when its last user has let go of it, and this shell does not.
exec 9</dev/video0
camera_unplug
wait_log "camera lost" 20
echo vivid.0 >/sys/bus/platform/drivers/vivid/bind || fail "vivid.0 does not bind"
wait_log "camera is back" 30
"$LAPEL_BIN/lapel" devices --json >"$RESULTS/devices.json" || fail "lapel devices after the return"
exec 9<&-
expect_json <<'CHECKS'
[(c['device'], len(c['in_use_by'])) for c in d['cameras']] == [('platform:vivid-000', 1)]
d['cameras'][0]['path'] != '/dev/video0'
CHECKS
controls "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["cameras"][0]["path"])' "$RESULTS/devices.json")"
lapel stop >/dev/null || fail "lapel stop"
wait_log "recording closed" 30
end_recorder
status=0
"$LAPEL_BIN/lapel-dock" verify /var/lib/lapel/store --agency /run/agency/public >"$RESULTS/verify.txt" || status=$?
cat "$RESULTS/verify.txt"
# What is missing while the camera is away stands in the journal, and is no gap in the evidence.
[ $status = 0 ] || fail "lapel-dock verify: status $status"
has "$RESULTS/verify.txt" "VERIFIED: "
"$LAPEL_BIN/lapel-dock" open /var/lib/lapel/store/recordings/*/ --agency /run/agency/public --identity /run/agency/secret/identity.txt \
  --device-log /var/lib/lapel/store/device/log -o /run/opened.mp4 >/dev/null || fail "lapel-dock open"
turned=$(ffprobe -v error -select_streams v -show_entries stream_side_data=rotation -of csv=p=0 /run/opened.mp4)
[ "$turned" = -90 ] || fail "players turn the picture by '$turned', not by 90 degrees clockwise"

say "-- a control that is not there, and a value that is not allowed"
# refused SETTING WORDS
refused() {
  local status=0
  "$LAPEL_BIN/lapel" run --config "$config" --set "camera.controls=$1" >/run/refused.txt 2>&1 || status=$?
  [ $status = 69 ] || fail "$1: status $status: $(cat /run/refused.txt)"
  has /run/refused.txt "$2"
}
refused brightnes=100 "It has: brightness, "
refused brightness=300 "Allowed: 0 to 255."
exec 8>&-
