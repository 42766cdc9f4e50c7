#!/usr/bin/env bash
# Shows that the camera's program holds no decryption: no symbol of the module Opening is in the release `lapel`.
# That the check would see one is shown by `lapel-dock`, which has them; that `lapel` was not merely stripped, by the
# symbols of Evidence in it.
#
# usage: no-decryption.sh [DIRECTORY OF THE RELEASE BINARIES]
set -euo pipefail
binaries=${1:-$(cd "$(dirname "$0")/../.." && pwd)/.build/release}

# Swift's mangled names begin with $s and hold a module as its length and name (Mangling.rst).
# Prints how many symbols of a binary name a module.
# A name of the module is followed by the length of what it holds; a type of the same name in another module is not.
count() {
  nm -- "$binaries/$1" | grep -cE "[$]s(.*[^0-9])?${#2}$2[0-9]" || true
}

for program in lapel lapel-dock; do
  if [ ! -f "$binaries/$program" ]; then
    echo "no-decryption: there is no $binaries/$program: build with swift build -c release" >&2
    exit 1
  fi
done
if ! command -v nm >/dev/null; then
  echo "no-decryption: nm is missing: apt-get install binutils" >&2
  exit 1
fi

inCamera=$(count lapel Opening)
ownOfCamera=$(count lapel Evidence)
inDock=$(count lapel-dock Opening)
if [ "$inDock" -eq 0 ] || [ "$ownOfCamera" -eq 0 ]; then
  echo "no-decryption: cannot tell: lapel-dock shows $inDock symbols of Opening, lapel $ownOfCamera of Evidence (stripped?)" >&2
  exit 1
fi
if [ "$inCamera" -ne 0 ]; then
  echo "no-decryption: lapel holds $inCamera symbols of Opening:" >&2
  nm -- "$binaries/lapel" | grep -E '[$]s(.*[^0-9])?7Opening[0-9]' | head -n 10 >&2
  exit 1
fi
echo "no-decryption: lapel holds no symbol of Opening (lapel-dock: $inDock)"
