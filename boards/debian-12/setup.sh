#!/usr/bin/env bash
# Sets up a Debian 12 machine that has Swift: installs the system libraries that are missing, builds, and runs.
set -uo pipefail

usage() {
  cat <<'USAGE'
usage: boards/debian-12/setup.sh [--any] COMMAND [ARGUMENT…]

  demo [ARGUMENT…]  build, then run "lapel demo" on the embedded camera and microphone
  test [--all]      build with the tests, run them, then the device lab; --all: also what few changes can break (all pixel
                    formats, the hardware encoder's library), more states and cuts of power, in about twice the time
  packages          only install what the two above need

--any goes on with a distribution other than Debian 12; then nothing is installed.
Packages are installed with apt-get, through sudo when not root. Everything else stays in .build.
USAGE
}

# To build and run, and the small tools that the build itself calls.
build_packages=(
  libx264-dev libopenh264-dev libopus-dev libasound2-dev libyuv-dev libjpeg62-turbo-dev libtomlplusplus-dev pkg-config libc6-dev
  libstdc++-12-dev binutils git ca-certificates
)
# What the tests hold Lapel's files against. Chromium is for the playback test alone.
test_packages=(ffmpeg age openssl python3 python3-cryptography e2fsprogs chromium shellcheck)

least_swift=6.2
# The same flags for demo and tests: with others SwiftPM would build everything a second time.
build_flags=(-c release -Xswiftc -enable-testing)

say() { printf 'setup: %s\n' "$*"; }

# Says what is missing and what to do, and stops.
stop() {
  printf 'setup: %s\n' "$@" >&2
  exit 1
}

# --- What must be there -----------------------------------------------------------------------------------------------

# Empty on Debian 12, else what this is.
other_distribution() {
  local name
  # shellcheck disable=SC1090
  name=$(. "${OS_RELEASE:-/etc/os-release}" 2>/dev/null && printf '%s %s' "${ID:-unknown}" "${VERSION_ID:-}")
  [ "$name" = "debian 12" ] || printf '%s' "${name:-an unknown system}"
}

# Empty if Swift is there and new enough, else what is wrong.
swift_problem() {
  local version
  command -v swift >/dev/null || { printf 'no "swift" on PATH' && return; }
  version=$(swift --version 2>/dev/null | grep -oE 'Swift version [0-9]+(\.[0-9]+)*' | head -n 1 | cut -d ' ' -f 3)
  [ -n "$version" ] || { printf '"swift --version" does not answer' && return; }
  [ "$(printf '%s\n' "$least_swift" "$version" | sort -V | head -n 1)" = "$least_swift" ] ||
    printf 'Swift %s is too old' "$version"
}

# Everything that is missing, at once.
check_machine() {
  local distribution swift problems=()
  distribution=$(other_distribution)
  swift=$(swift_problem)
  if [ -n "$distribution" ] && ! $any; then
    problems+=(
      "this is $distribution; the script is for Debian 12. Elsewhere Lapel needs what Debian calls"
      "  ${build_packages[*]}"
      "  and for the tests ${test_packages[*]}"
      "  Install the like of them and call this script again with --any."
    )
  fi
  if [ -n "$swift" ]; then
    problems+=(
      "$swift; Lapel needs Swift $least_swift or newer: https://www.swift.org/install/linux/"
      "  (with swiftly, open a new shell afterwards so that PATH has it)"
    )
  fi
  if [ ${#problems[@]} -gt 0 ]; then stop "${problems[@]}"; fi
}

# check_space DIRECTORY MIB WHAT
check_space() {
  local free
  free=$(df -Pk -- "$1" | awk 'NR == 2 { print int($4 / 1024) }')
  [ "${free:-0}" -ge "$2" ] || stop "$3 needs $2 MiB in $1, and ${free:-0} MiB are free"
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -- "$@"; fi
}

# install PACKAGE…: those that are not installed yet.
install() {
  local missing=() package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if $any && [ -n "$(other_distribution)" ]; then
    say "not Debian 12: nothing is installed (on Debian these are missing: ${missing[*]})"
    return 0
  fi
  if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
    stop "missing packages, and no sudo to install them. As root:" "  apt-get update && apt-get install ${missing[*]}"
  fi
  check_space /usr 1500 "installing packages"
  say "installing ${missing[*]}"
  as_root apt-get -q update || stop "apt-get update failed: is there a network, and is /etc/apt/sources.list right?"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${missing[@]}" ||
    stop "apt-get could not install ${missing[*]}: its own message is above"
}

# --- Building ---------------------------------------------------------------------------------------------------------

# build [FLAG…]
build() {
  local begin=$SECONDS
  if [ ! -e .build/release ]; then
    check_space . 3000 "the build"
    say "first build: fetching the Swift packages, then compiling them and Lapel, optimised."
    say "  On two cores it takes 5 to 10 minutes; most of that is the cryptography (BoringSSL). Later builds take seconds."
  fi
  swift package resolve ||
    stop "the Swift packages could not be fetched: the first build needs a network that reaches github.com"
  swift build "${build_flags[@]}" "$@" || stop "the build failed: the compiler's message is above"
  say "built in $((SECONDS - begin)) s"
}

demo() {
  install "${build_packages[@]}"
  build
  exec .build/release/lapel demo "$@"
}

# --- Tests ------------------------------------------------------------------------------------------------------------

# Runs the jobs of the device lab that judge Lapel; those that judge the lab itself are for use by hand.
lab() {
  local probe=(--timeout 900 --env "CAPTURE_PROBE=$PWD/.build/release/CaptureProbe")
  lab_job "record" Tests/Lab/check-record
  lab_job "record, with faults" Tests/Lab/check-faults --timeout 900
  # Edges of a button are judged to some milliseconds, those of lights and tones to a tenth of a second: alone.
  lab_job "button library" Tests/Lab/run buttons.sh "${probe[@]}"
  lab_job "signs" Tests/Lab/run signs.sh
  lab_job "tones" Tests/Lab/run tones.sh
  # The others wait most of the time: two guests at once.
  local second=.build/lab-second.log other
  lab_second_lane >"$second" 2>&1 &
  other=$!
  # A job in the background does not hear Ctrl-C.
  trap 'kill "$other" 2>/dev/null; exit 130' INT TERM
  lab_first_lane
  wait "$other" || result "FAILED   the second lane of the lab (status $?)"
  trap - INT TERM
  cat "$second"
}

lab_first_lane() {
  # A tester presses a thousand times: Tests/Lab/run presses.sh 1000
  lab_job "presses" Tests/Lab/run presses.sh 20
  lab_job "service" Tests/Lab/run service.sh --timeout 600
  lab_job "power" Tests/Lab/run power.sh
  lab_job "microphone library" Tests/Lab/run capture-microphone.sh "${probe[@]}"
  local parts=(few refusals faults clocks)
  if $all; then parts=(formats refusals faults clocks); fi
  lab_job "camera library" Tests/Lab/run capture-camera.sh "${probe[@]}" -- "${parts[@]}"
  if $all; then lab_job "hardware encoder library" Tests/Lab/run encoder.sh "${probe[@]}"; fi
}

lab_second_lane() {
  export LAPEL_LAB_LANE=2
  # The whole campaign has 32 cuts.
  local cuts=2
  if $all; then cuts=8; fi
  lab_job "radio" Tests/Lab/run radio.sh
  lab_job "devices" Tests/Lab/run devices.sh --timeout 600
  lab_job "power cuts" Tests/Campaigns/power-cut-campaign.py --cuts "$cuts" --lies 1
}

# What the lab downloads and builds, beside tests that need no quiet; a job that finds something missing says so itself.
lab_prepare() {
  local job
  for job in Tests/Lab/jobs/*.sh; do
    if $all || [ "$(basename "$job")" != encoder.sh ]; then Tests/Lab/run --prepare "$job"; fi
  done >.build/lab-prepare.log 2>&1
}

# lab_job NAME COMMAND…
lab_job() {
  local name="lab $1" begin=$SECONDS code
  shift
  say "$name: a guest with the stock Debian kernel and its drivers"
  LAPEL_LAB_NICE=0 LAPEL_BIN=$PWD/.build/release "$@"
  code=$?
  case $code in
    0) result "passed   $name ($((SECONDS - begin)) s)" ;;
    77) result "skipped  $name: no lab here, the reason is above" ;;
    *) result "FAILED   $name (status $code)" ;;
  esac
}

# result LINE: kept for the end. In a file: jobs of two lanes come at once.
result() { printf '%s\n' "$1" >>"$results"; }

# campaign NAME COMMAND…: a short run of a campaign that takes long by itself.
campaign() {
  local name=$1 begin=$SECONDS
  shift
  say "$name"
  if "$@"; then
    result "passed   $name ($((SECONDS - begin)) s)"
  else
    result "FAILED   $name ($((SECONDS - begin)) s)"
  fi
}

# test_run NAME FLAG…
test_run() {
  local name=$1 begin=$SECONDS
  shift
  if swift test "${build_flags[@]}" "$@" 2>&1 | tee -a "$log"; then
    result "passed   $name ($((SECONDS - begin)) s)"
  else
    result "FAILED   $name ($((SECONDS - begin)) s)"
  fi
}

tests() {
  local log=.build/test.log results=.build/test-results.txt begin=$SECONDS
  install "${build_packages[@]}" "${test_packages[@]}"
  build --build-tests
  : >"$log"
  : >"$results"
  result "passed   build, with what it needs ($((SECONDS - begin)) s)"
  lab_prepare &
  local preparing=$!
  if $all; then export LAPEL_CUT_STATES=1000000; fi
  test_run "tests" --skip-build --skip AcceptanceTests
  wait "$preparing" || true
  # By themselves: they record in real time, and a machine that is busy with other tests really loses frames.
  test_run "tests of the built commands" --skip-build --filter AcceptanceTests
  campaign "campaign of kills" Tests/Campaigns/kill-campaign.py --kills 60
  lab
  # The lines of Swift Testing: each failure, then the sum.
  printf '\n'
  grep -E '^✘ Test ' "$log" | grep -vE '^✘ Test run ' || true
  grep -E '^[✔✘] Test run ' "$log" || true
  cat "$results"
  ! grep -q '^FAILED' "$results"
}

# ----------------------------------------------------------------------------------------------------------------------

any=false
if [ "${1:-}" = --any ]; then any=true && shift; fi
command=${1:-}
[ $# -eq 0 ] || shift
all=false
if [ "$command" = test ] && [ "${1:-}" = --all ]; then all=true && shift; fi
case $command in
  demo | packages) ;;
  test)
    [ $# -eq 0 ] || { usage >&2 && exit 2; }
    ;;
  -h | --help | help) usage && exit 0 ;;
  *)
    usage >&2
    exit 2
    ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || stop "the repository is gone"
check_machine
case $command in
  demo) demo "$@" ;;
  test) tests ;;
  packages) install "${build_packages[@]}" "${test_packages[@]}" ;;
esac
