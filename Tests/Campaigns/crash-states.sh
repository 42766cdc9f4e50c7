#!/usr/bin/env bash
# The power goes at every operation of the store on its disks: all states of all scenarios, through recovery and verification.
#
# usage: Tests/Campaigns/crash-states.sh [STATES [SEED]]
#   STATES  how many of each scenario's states, spread over it (default: all, more than 10,000 together)
#   SEED    of what the disks keep of what was not flushed (default: 1)
# example: Tests/Campaigns/crash-states.sh 500 42
#
# Prints for each scenario what became of the recordings and a histogram of the seconds lost of what was shown as recorded.
# exit codes: 0 every promise was kept in each state; 1 not so, with the state and where it is kept; 2 wrong use.
set -euo pipefail

usage() { sed -n '2,10s/^# \{0,1\}//p' "$0"; }

case ${1:-} in
  -h | --help) usage && exit 0 ;;
esac
if [ $# -gt 2 ] || [[ ! ${1:-1}${2:-1} =~ ^[0-9]+$ ]]; then
  usage >&2
  exit 2
fi
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# CI: a user who may not mount a card is told so. Without it those scenarios would be passed over, and nothing shown.
export CI=true LAPEL_CUT_STATES=${1:-1000000} LAPEL_CUT_SEED=${2:-1}
flags=(-c release -Xswiftc -enable-testing)
swift build "${flags[@]}" --build-tests
code=0
swift test "${flags[@]}" --skip-build --filter PowerCutTests 2>&1 |
  grep --line-buffered -E '^power cuts|^✘|^↳ \.|^✔ Test run' || code=$?
exit "$([ "$code" -eq 0 ] && printf 0 || printf 1)"
