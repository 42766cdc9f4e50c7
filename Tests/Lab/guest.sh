# Library of the lab's jobs, sourced in the guest:  . "$LAB/guest.sh"
#
# In the environment: LAB (this directory), LAB_REPOSITORY, LAB_CACHE, RESULTS (kept on the host), LAPEL_BIN if it was
# set. The guest has no network, and no udev but under systemd; everything outside $RESULTS is lost at the end.
set -euo pipefail

dmesg -n 1 # kernel messages would mix with the job's output

fail() {
  printf 'FAIL: %s\n' "$*"
  exit 1
}
say() { printf '%s\n' "$*"; }
trap 'printf "FAIL: %s:%s: %s\n" "${BASH_SOURCE[0]##*/}" "$LINENO" "$BASH_COMMAND"' ERR

# need COMMAND…: they come from the host's root file system.
need() {
  local command
  for command; do
    command -v "$command" >/dev/null || fail "the host has no $command (Tests/Lab/run installs what it knows of)"
  done
}

# wait_for SECONDS WHAT COMMAND…: until COMMAND succeeds; WHAT is for the message.
wait_for() {
  local seconds=$1 what=$2 deadline
  shift 2
  deadline=$((SECONDS + seconds))
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $deadline ] || fail "no $what within $seconds s"
    sleep 0.1
  done
}

# load MODULE [PARAMETER=VALUE…]: one built for the lab, or one of the kernel package.
load() {
  local module=$1 built
  shift
  built=$LAB_CACHE/modules/$(uname -r)/$module.ko
  if [ -e "$built" ]; then
    insmod "$built" "$@" || fail "module $module ($built) does not load: $(dmesg | tail -n 2)"
  else
    modprobe "$module" "$@" || fail "module $module does not load with '$*': $(dmesg | tail -n 2)"
  fi
}

# --- Camera: vivid, one webcam at $CAMERA ------------------------------------------------------------------------
# Real time in the guest: 640x360 up to 30 fps. vivid itself caps 720p at 12.5 and 1080p at 5 fps.
# Formats: YUYV, NV12, YU12 and more, no compressed one.

camera_webcam() {
  load vivid n_devs=1 node_types=0x1 num_inputs=1 input_types=0 "$@"
  CAMERA=/dev/video0
  MULTIPLANAR=0
  wait_for 5 "$CAMERA from vivid" test -c "$CAMERA"
}

# The same through the multi-planar API, formats with a buffer for each plane (NM12) among them.
camera_multiplanar() {
  camera_webcam multiplanar=2 "$@"
  MULTIPLANAR=1
}

# camera_format WIDTH HEIGHT FPS [FOURCC]: what the next program finds set. v4l2-ctl sets no rate through the
# multi-planar API (its S_PARM names the other buffer type), so there the next program has to.
camera_format() {
  v4l2-ctl -d "$CAMERA" --set-fmt-video "width=$1,height=$2,pixelformat=${4:-YUYV}" ||
    fail "$CAMERA does not take ${4:-YUYV} $1x$2"
  [ "$MULTIPLANAR" = 0 ] || return 0
  v4l2-ctl -d "$CAMERA" --set-parm "$3" >/dev/null || fail "$CAMERA does not take $3 fps"
}

# camera_control NAME=VALUE…: also while another program streams.
camera_control() {
  local setting
  for setting; do
    v4l2-ctl -d "$CAMERA" --set-ctrl "$setting" || fail "$CAMERA does not take the control $setting"
  done
}

# Only the line that read_vivid_osd.py reads: time since the stream started, and the frame's sequence number.
camera_counter_only() { camera_control osd_text_mode=1; }

# vivid draws in a thread of its own, once streaming, and skips a frame when it gets no CPU for long. A camera has its
# own hardware: what is lost should be lost by who captures.
camera_unhurried() {
  local thread
  for thread in $(pgrep vivid-); do chrt --fifo --pid 50 "$thread" || fail "no priority for vivid's thread"; done
}

# camera_fault WHAT [VALUE]
camera_fault() {
  case $1 in
    buffer-error) camera_control inject_v4l2_buf_flag_error=1 ;;    # one DQBUF with V4L2_BUF_FLAG_ERROR
    drop) camera_control percentage_of_dropped_buffers="$2" ;;      # sequence gaps; 100: nothing comes any more
    qbuf-error) camera_control inject_vidioc_qbuf_error=1 ;;        # EINVAL once, as the next two
    reqbufs-error) camera_control inject_vidioc_reqbufs_error=1 ;;
    streamon-error) camera_control inject_vidioc_streamon_error=1 ;;
    fatal) camera_control inject_fatal_streaming_error=1 ;;         # POLLERR, DQBUF EIO until streaming starts again
    disconnect) camera_control disconnect=1 ;;                      # POLLERR|POLLHUP, ENODEV, back after close
    *) fail "camera_fault: unknown fault $1" ;;
  esac
}

# The node itself vanishes and returns.
camera_unplug() { echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind || fail "vivid.0 does not unbind"; }
camera_plug() {
  echo vivid.0 >/sys/bus/platform/drivers/vivid/bind || fail "vivid.0 does not bind"
  wait_for 5 "$CAMERA after plugging in" test -c "$CAMERA"
}

# --- Microphone: snd-aloop, capture from $MICROPHONE what is played into $SPEAKER ----------------------------------
# 8 to 96 kHz. Whichever side opens first fixes rate, format and channels for both. Without a player: silence, in real time.

microphone() {
  load snd-aloop pcm_substreams=2 "$@"
  MICROPHONE=hw:Loopback,1,0
  SPEAKER=hw:Loopback,0,0
  wait_for 5 "capture device of snd-aloop" test -c /dev/snd/pcmC0D1c
}
microphone_unplug() { echo snd_aloop.0 >/sys/bus/platform/drivers/snd_aloop/unbind || fail "snd_aloop.0 does not unbind"; }
microphone_plug() {
  echo snd_aloop.0 >/sys/bus/platform/drivers/snd_aloop/bind || fail "snd_aloop.0 does not bind"
  wait_for 5 "capture device after plugging in" test -c /dev/snd/pcmC0D1c
}

# play_wav FILE: in the background, its process is $PLAYER.
play_wav() {
  aplay -q -D "$SPEAKER" "$1" &
  PLAYER=$!
  wait_for 10 "sound from aplay" grep -q RUNNING /proc/asound/card0/pcm0p/sub0/status
}

# play_tone HERTZ SECONDS [RATE] [CHANNELS]: a sine at half of full scale, 16 bit. Making it takes the guest many seconds: $TONE is
# the file, for play_wav to play once more.
play_tone() {
  TONE=$(mktemp /dev/shm/tone.XXXXXX)
  sox -q -n -r "${3:-48000}" -c "${4:-1}" -b 16 -t wav "$TONE" synth "$2" sine "$1" vol 0.5 || fail "sox makes no tone"
  play_wav "$TONE"
}

# flash_and_beep COUNT PERIOD_MS [CHANNELS]: the camera turns white and a beep plays at the same moment, COUNT times;
# in the background, its process is $PLAYER. What it did, with times, is in $RESULTS/flashes.txt (see flash_beep.c).
flash_and_beep() {
  need flash_beep
  flash_beep "$SPEAKER" "$CAMERA" "$@" >"$RESULTS/flashes.txt" &
  PLAYER=$!
  wait_for 10 "sound from flash_beep" grep -q RUNNING /proc/asound/card0/pcm0p/sub0/status
}

# --- Card ----------------------------------------------------------------------------------------------------------

# card SIZE_MIB|DEVICE [DIRECTORY]: an empty ext4 on tmpfs or on a disk given with --drive, at $CARD.
card() {
  local device=$1
  CARD=${2:-/card}
  mkdir -p "$CARD"
  if [ ! -b "$device" ]; then
    load loop
    local image=/run/card.$$.$RANDOM
    truncate -s "${1}M" "$image" || fail "no image of $1 MiB"
    device=$(losetup --find --show "$image") || fail "no loop device for the card"
  fi
  load ext4
  mkfs.ext4 -q -F "$device" || fail "mkfs.ext4 fails on $device"
  mount -t ext4 "$device" "$CARD" || fail "the card $device does not mount on $CARD"
}

# --- Processes ------------------------------------------------------------------------------------------------------

# freeze PROCESS SECONDS: as a machine too busy to run it.
freeze() {
  kill -STOP "$1" || fail "no process $1 to freeze"
  sleep "$2"
  kill -CONT "$1" || fail "process $1 died frozen"
}

# warm COMMAND…: run once for nothing. A program's first start reads it over 9p, which takes seconds.
warm() { "$@" >/dev/null 2>&1 || true; }
