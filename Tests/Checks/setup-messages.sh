#!/usr/bin/env bash
# What boards/debian-12/setup.sh says and does on machines that lack something, each played by a PATH of stand-ins.
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/boards/debian-12" "$work/.build/release"
cp "$repository/boards/debian-12/setup.sh" "$work/boards/debian-12/"
failed=0

# stand_in NAME BODY
stand_in() {
  printf '#!/bin/sh\n%s\n' "$2" >"$work/bin/$1"
  chmod +x "$work/bin/$1"
}

# A Debian 12 machine that has everything; each case takes something away.
machine() {
  rm -rf "${work:?}/bin"
  mkdir "$work/bin"
  local tool
  for tool in bash sh grep sort head cut df awk dirname basename tee env cat; do
    # Not links: writing a stand-in over one would go through it, to the machine's own tool.
    stand_in "$tool" "exec $(command -v "$tool") \"\$@\""
  done
  printf 'ID=debian\nVERSION_ID="12"\n' >"$work/os-release"
  # shellcheck disable=SC2016
  stand_in swift 'if [ "$1" = --version ]; then echo "Swift version 6.3.1 (swift-6.3.1-RELEASE)"; else echo "did: swift $*"; fi'
  stand_in dpkg-query 'printf installed'
  stand_in id 'echo 1000'
  # shellcheck disable=SC2016
  stand_in sudo 'shift; exec "$@"'
  # shellcheck disable=SC2016
  stand_in apt-get 'echo "did: apt-get $*"'
  # shellcheck disable=SC2016
  printf '#!/bin/sh\necho "did: lapel $*"\n' >"$work/.build/release/lapel"
  chmod +x "$work/.build/release/lapel"
}

# expect STATUS TEXT ARGUMENT…: runs the script, which must end so and say that.
expect() {
  local status=$1 text=$2 output code=0
  shift 2
  output=$(PATH=$work/bin OS_RELEASE=$work/os-release "$work/boards/debian-12/setup.sh" "$@" 2>&1) || code=$?
  if [ "$code" -ne "$status" ] || ! grep -qF -- "$text" <<<"$output"; then
    printf 'setup-messages: "setup.sh %s" should end with %s and say "%s"; it ended with %s and said:\n%s\n' \
      "$*" "$status" "$text" "$code" "$output"
    failed=1
  fi
}

machine
expect 0 "did: lapel demo --seconds 3" demo --seconds 3
expect 2 "usage:" nonsense
expect 2 "usage:"
expect 2 "usage:" test --most

rm "$work/bin/swift"
expect 1 "https://www.swift.org/install/linux/" demo
printf 'ID=fedora\nVERSION_ID="42"\n' >"$work/os-release"
expect 1 "libx264-dev" demo
expect 1 'no "swift" on PATH' demo
expect 1 "this is fedora 42" test

machine
printf 'ID=fedora\nVERSION_ID="42"\n' >"$work/os-release"
stand_in dpkg-query 'exit 1'
expect 0 "nothing is installed" --any demo
expect 0 "did: lapel demo" --any demo

machine
stand_in swift 'echo "Swift version 6.1 (swift-6.1-RELEASE)"'
expect 1 "Swift 6.1 is too old" demo
stand_in swift 'echo "Swift version 6.10.2 (swift-6.10.2-RELEASE)"'
expect 0 "did: lapel demo" demo
# shellcheck disable=SC2016
stand_in swift 'case "$1 $2" in "--version "*) echo "Swift version 6.3";; "package resolve") exit 1;; esac'
expect 1 "needs a network that reaches github.com" demo
# shellcheck disable=SC2016
stand_in swift 'case "$1" in --version) echo "Swift version 6.3";; build) exit 1;; esac'
expect 1 "the build failed" demo

machine
stand_in dpkg-query 'exit 1'
expect 0 "did: apt-get -q install -y --no-install-recommends libx264-dev" demo
expect 0 "chromium" packages
stand_in apt-get 'exit 100'
expect 1 "apt-get update failed: is there a network" demo
rm "$work/bin/sudo"
expect 1 "As root:" demo

machine
stand_in df 'printf "h\n/dev/x 9 9 2048 9%% /\n"'
rm -r "$work/.build"
expect 1 "the build needs 3000 MiB in ., and 2 MiB are free" demo

[ "$failed" -ne 0 ] || echo "setup-messages: every machine is told what it lacks"
exit "$failed"
