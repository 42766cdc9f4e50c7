#!/usr/bin/env bash
# The whole campaign of power cuts, in three layers: every operation of the store in virtual time, kills of the process, and
# cuts of the disks' power in a guest of the device lab.
#
# usage: Tests/Campaigns/power-cuts.sh [SEED]
#   SEED  of what is lost, and when (default: 1)
# example: Tests/Campaigns/power-cuts.sh 42
#
# Each layer prints a histogram of the seconds lost of what was shown as recorded. It takes about three quarters of an hour.
# exit codes: 0 every promise was kept; 1 not so; 2 wrong use, or a layer could not be tried; 77 there is no lab here, and the
#             other two layers kept theirs.
set -uo pipefail

usage() { sed -n '2,13s/^# \{0,1\}//p' "$0"; }

case ${1:-} in
  -h | --help) usage && exit 0 ;;
esac
seed=${1:-1}
if [ $# -gt 1 ] || [[ ! $seed =~ ^[0-9]+$ ]]; then
  usage >&2
  exit 2
fi
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 2

worst=0
# layer NAME COMMAND…
layer() {
  local code=0
  printf '\n=== %s\n' "$1"
  "${@:2}" || code=$?
  # A broken promise counts more than a layer that could not be tried, and that more than one for which there is no lab.
  case $code in
    0) ;;
    77) if [ $worst -eq 0 ]; then worst=77; fi ;;
    1) worst=1 ;;
    *) if [ $worst -ne 1 ]; then worst=2; fi ;;
  esac
}

layer "every operation of the store" ./crash-states.sh 1000000 "$seed"
layer "kills" ./kill-campaign.py --kills 1000 --seed "$seed"
layer "cuts in the lab" ./power-cut-campaign.py --cuts 40 --file-system ext4,f2fs --seed "$seed"
exit $worst
