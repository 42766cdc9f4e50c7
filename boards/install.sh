#!/usr/bin/env bash
# Installs the recorder on the board that it runs on, as a service with a user of its own; and takes it away again.
set -euo pipefail

usage() {
  cat <<'USAGE'
usage: boards/install.sh [OPTION…] [install | uninstall | boards]

  install      (the default) the program from .build/release, the service, its user, rules for devices, the board's profile. It
               starts nothing; called again it renews the program and leaves configuration, keys and footage as they are
  uninstall    takes that away; footage, keys, configuration and user stay, and it says where
  boards       lists the profiles

  --board NAME   the board's profile; without it the one for /proc/device-tree/model. "none": no profile
  --from DIR     where the program was built (default .build/release)
  --prefix DIR   default /usr
  --root DIR     installs into DIR and changes nothing of this machine: for packages and images
  --purge        with uninstall: footage, keys, configuration and user, too. It asks
  --dry-run      says what it would do
USAGE
}

say() { printf 'install: %s\n' "$*"; }

# Says what is wrong and what to do, and stops.
stop() {
  printf 'install: %s\n' "$@" >&2
  exit 1
}

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
boards=$repository/boards
from=$repository/.build/release
prefix=/usr
root=
board=
purge=false
dry_run=false
command=install
while [ $# -gt 0 ]; do
  case $1 in
    --board | --from | --prefix | --root)
      [ $# -ge 2 ] || stop "$1 needs a value"
      case $1 in
        --board) board=$2 ;;
        --from) from=$2 ;;
        --prefix) prefix=${2%/} ;;
        --root)
          root=${2%/}
          [ -n "$root" ] || stop "--root needs a directory other than this machine's own"
          ;;
      esac
      shift 2
      ;;
    --purge) purge=true && shift ;;
    --dry-run) dry_run=true && shift ;;
    install | uninstall | boards) command=$1 && shift ;;
    -h | --help | help) usage && exit 0 ;;
    *)
      usage >&2
      exit 2
      ;;
  esac
done
[[ $prefix = /* ]] || stop "--prefix is an absolute path, not '$prefix'"

do_it() {
  if $dry_run; then
    printf 'would:'
    printf ' %q' "$@"
    printf '\n'
  else
    "$@"
  fi
}

need_root() {
  [ "$(id -u)" -eq 0 ] || $dry_run || [ -n "$root" ] ||
    stop "it writes to $prefix and /etc, so it needs root:" "  sudo boards/install.sh …" "or --dry-run to see what it would do"
}

# Where everything goes, below $root.
library=$prefix/lib/lapel
share=$prefix/share/lapel
program=$prefix/bin/lapel
unit=$prefix/lib/systemd/system/lapel.service
rules=$prefix/lib/udev/rules.d/99-lapel.rules
users=$prefix/lib/sysusers.d/lapel.conf
directories=$prefix/lib/tmpfiles.d/lapel.conf
settings=/etc/lapel
state=/var/lib/lapel

# --- Profiles -----------------------------------------------------------------------------------------------------------

profiles() {
  local file
  for file in "$boards"/*.toml; do basename "$file" .toml; done
}

# The profile whose "# model:" line the device tree's model begins with; nothing if there is none.
detected_board() {
  local file model here
  here=$(tr -d '\0' 2>/dev/null <"${DEVICE_TREE_MODEL:-/proc/device-tree/model}") || return 0
  for file in "$boards"/*.toml; do
    while read -r model; do
      [[ $here != "$model"* ]] || { basename "$file" .toml && return; }
    done < <(sed -n 's/^# model: //p' "$file")
  done
}

choose_board() {
  if [ -z "$board" ]; then
    board=$(detected_board)
    if [ -e "$root$unit" ]; then
      # What was chosen before stays, none among it: another profile would drive other lines.
      board=keep
    elif [ -n "$board" ]; then
      say "this is a $board"
    else
      stop "no profile for this board. Choose one:" "$(profiles | sed 's/^/  --board /')" \
        "or --board none, and say in $settings/lapel.toml what there is"
    fi
  fi
  case $board in
    none | keep) ;;
    *) [ -f "$boards/$board.toml" ] || stop "no profile '$board'. There are:" "$(profiles | sed 's/^/  /')" ;;
  esac
}

# --- The program --------------------------------------------------------------------------------------------------------

# Shared libraries that are not part of Lapel, and what Debian 12 calls their packages.
debian_package() {
  case $1 in
    libx264.*) echo libx264-164 ;;
    libopenh264.*) echo libopenh264-7 ;;
    libopus.*) echo libopus0 ;;
    libasound.*) echo libasound2 ;;
    libyuv.*) echo libyuv0 ;;
    libjpeg.*) echo libjpeg62-turbo ;;
    libstdc++.*) echo libstdc++6 ;;
    libgcc_s.*) echo libgcc-s1 ;;
    *) echo "(the package of $1)" ;;
  esac
}

# Everything the program needs must be here before anything is changed. Sets `runtime`: the libraries of Swift.
check_program() {
  local libraries name path missing=() packages=()
  [ -x "$from/lapel" ] || stop "no program $from/lapel. Build it first:" \
    "  swift build -c release --static-swift-stdlib --product lapel" "or say with --from where it is"
  runtime=()
  # Another machine's program, for an image, cannot be asked.
  if ! libraries=$(ldd "$from/lapel" 2>/dev/null); then
    [ -n "$root" ] || stop "$from/lapel does not run on this machine ($(uname -m)): build it here, or for this architecture"
    return 0
  fi
  while read -r name _ path _; do
    case $path in
      not) missing+=("$name") && packages+=("$(debian_package "$name")") ;;
      # Of a tool chain that stays behind, or lies in a home directory that the service cannot see.
      */libswift*.so | */lib_*Foundation*.so | */libFoundation*.so | */libdispatch.so | */libBlocksRuntime.so) runtime+=("$path") ;;
    esac
  done <<<"$libraries"
  [ ${#missing[@]} -eq 0 ] || stop "the program needs libraries that are not here: ${missing[*]}" \
    "On Debian 12: apt-get install ${packages[*]}"
}

install_program() {
  local file
  do_it install -D -m 755 "$from/lapel" "$root$library/lapel.new"
  # Debug sections alone: half of its size, and a crash still names its functions.
  ! command -v strip >/dev/null || do_it strip --strip-debug "$root$library/lapel.new" ||
    say "it could not be stripped, and is larger than need be"
  # A program that runs is replaced by name, never written to.
  do_it mv -f "$root$library/lapel.new" "$root$library/lapel"
  for file in "${runtime[@]}"; do do_it install -D -m 644 "$file" "$root$library/$(basename "$file")"; done
  do_it mkdir -p "$root$prefix/bin"
  do_it ln -sfn ../lib/lapel/lapel "$root$program"
}

# --- Service, rules, configuration ----------------------------------------------------------------------------------------

install_service() {
  local file
  do_it install -D -m 644 "$boards/systemd/lapel.service" "$root$unit"
  [ "$prefix" = /usr ] || do_it sed -i "s|^ExecStart=/usr/bin/|ExecStart=$prefix/bin/|" "$root$unit"
  do_it install -D -m 644 "$boards/systemd/99-lapel.rules" "$root$rules"
  do_it install -D -m 644 "$boards/systemd/lapel.sysusers" "$root$users"
  do_it install -D -m 644 "$boards/systemd/lapel.tmpfiles" "$root$directories"
  for file in "$boards"/systemd/*.conf; do do_it install -D -m 644 "$file" "$root$share/$(basename "$file")"; done
}

install_settings() {
  local file target=$root$settings/board.toml
  for file in "$boards"/*.toml; do do_it install -D -m 644 "$file" "$root$share/boards/$(basename "$file")"; done
  do_it install -d -m 755 "$root$settings"
  if [ -e "$root$settings/lapel.toml" ]; then
    say "$settings/lapel.toml stays as it is"
  else
    do_it install -m 644 "$repository/config/lapel.toml" "$root$settings/lapel.toml"
  fi
  # A file that somebody wrote is not ours to replace.
  if [ -e "$target" ] && [ ! -L "$target" ]; then
    say "$settings/board.toml is a file of its own, and stays"
  elif [ "$board" = none ]; then
    do_it rm -f "$target"
  elif [ "$board" != keep ]; then
    do_it ln -sfn "$share/boards/$board.toml" "$target"
  fi
}

# The user, its directories, and the rules for the devices that are there already.
put_into_effect() {
  do_it systemd-sysusers "$users"
  do_it systemd-tmpfiles --create "$directories"
  [ -d /run/systemd/system ] || { say "systemd does not run here: the service can be started after the next boot" && return; }
  do_it systemctl daemon-reload
  if command -v udevadm >/dev/null; then
    do_it udevadm control --reload
    do_it udevadm trigger --subsystem-match=gpio --subsystem-match=leds --subsystem-match=pwm
  fi
}

install_all() {
  need_root
  choose_board
  check_program
  [ -n "$root" ] || command -v systemd-sysusers >/dev/null || stop "there is no systemd here, which the service needs"
  install_program
  install_service
  install_settings
  [ -z "$root" ] || { say "installed into $root" && return; }
  put_into_effect
  ! systemctl is-active --quiet lapel 2>/dev/null || say "the service still runs what was installed before: systemctl restart lapel"
  [ ! -e "$state/store/device/enrol.note" ] || { say "installed; this camera is enrolled" && return; }
  cat <<NEXT
install: installed. Next, with the agency's public directory (lapel-dock keygen agency) in $settings/agency:
  sudo -u lapel lapel enroll --agency $settings/agency    # makes the camera's key, and $state/identity/request.note
  lapel-dock enroll request.note --keys agency -o enrol.note    # at the agency
  sudo -u lapel lapel enroll --note $settings/enrol.note
  sudo systemctl enable --now lapel
NEXT
}

# --- Away again -----------------------------------------------------------------------------------------------------------

uninstall() {
  local installed
  need_root
  if [ -z "$root" ] && [ -d /run/systemd/system ]; then
    installed=$(systemctl show -P FragmentPath lapel 2>/dev/null || true)
    # By the file and not by its name: /lib is /usr/lib where Debian merged them.
    [ -z "$installed" ] || [ "$installed" -ef "$unit" ] || [[ $installed != */lib/systemd/system/lapel.service ]] ||
      stop "it is installed elsewhere: call this with --prefix ${installed%/lib/systemd/system/*}"
  fi
  if [ -z "$root" ] && [ -d /run/systemd/system ] && [ -e "$unit" ]; then
    # It closes what is being recorded.
    do_it systemctl disable --now lapel
  fi
  do_it rm -rf "$root$library" "$root$share"
  do_it rm -f "$root$program" "$root$unit" "$root$rules" "$root$users" "$root$directories"
  [ ! -L "$root$settings/board.toml" ] || do_it rm -f "$root$settings/board.toml"
  [ -n "$root" ] || [ ! -d /run/systemd/system ] || do_it systemctl daemon-reload
  if $purge; then
    purge_all
  else
    say "still there: footage and keys in $state, configuration in $settings, the user lapel (--purge takes them away)"
  fi
}

purge_all() {
  local answer=
  [ -z "$root" ] || stop "--purge is for this machine, not for --root"
  say "this deletes for good, without asking whether a dock has it:"
  printf '  %s\n' "$state/store: $(find "$state/store/recordings" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l) recordings" \
    "$state/identity: the camera's key" "$settings" "the user lapel"
  if ! $dry_run; then
    read -r -p 'Type "delete" to go on: ' answer || true
    [ "$answer" = delete ] || stop "nothing of it was deleted"
  fi
  # What is mounted below is a card of its own: its files go, it stays.
  if mountpoint -q "$state/store"; then
    do_it find "$state/store" -mindepth 1 -delete
    do_it find "$state" -mindepth 1 -maxdepth 1 ! -name store -exec rm -rf {} +
  else
    do_it rm -rf "$state"
  fi
  do_it rm -rf "$settings"
  ! id lapel >/dev/null 2>&1 || do_it userdel lapel
}

case $command in
  install) install_all ;;
  uninstall) uninstall ;;
  boards) profiles ;;
esac
