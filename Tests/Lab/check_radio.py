#!/usr/bin/env python3
"""Compares what was on the air with what `lapel-dock account --json` and the device log tell.

usage: check_radio.py RESULTS    the directory of jobs/radio.sh. Exit codes: 0 the same; 1 not; 2 wrong use.
"""
import collections
import json
import re
import sys


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    results = sys.argv[1]
    account = json.load(open(results + "/account.json"))
    log = open(results + "/device.log", errors="replace").read().splitlines()
    moments = dict(line.split() for line in open(results + "/moments.txt"))
    problems = []

    def check(holds, text):
        if not holds:
            problems.append(text)

    made = [(one["source"], one.get("reason")) for one in account["recordings"]]
    check(made == [("radio", "holster"), ("radio", "light_bar"), ("radio", "holster"), ("socket", None), ("radio", "door"),
                   ("radio", "vehicle"), ("radio", "weapon"), ("radio", "holster"),
                   ("radio_unauthenticated", "manual")], "the recordings are %s" % made)
    check(all(one["headline"] == "VERIFIED" for one in account["recordings"]), "a recording is not VERIFIED")
    check(account["unaccounted"] == 0, "%d triggers are unaccounted for" % account["unaccounted"])
    others = sorted((one["result"], one["source"]) for one in account["others"])
    check(others == [("continued", "radio"), ("idle", "radio")], "beside recordings: %s" % others)

    audits = [dict(re.findall(r"(\w+)=(\S+)", line)) for line in log if " AUDIT " in line]
    refused = collections.Counter()
    for one in audits:
        if one["code"] == "radio":
            refused[one["cause"]] += int(one["count"])
    # All of twenty, three and so on that were heard, also those that nobody had told when the recorder ended.
    check(refused["replayed"] >= 115, "the device log tells of %d replays, not of some 120" % refused["replayed"])
    for cause in ("replayed", "bad_mac", "malformed", "unknown_emitter", "unknown_group", "too_old"):
        check(refused[cause] > 0, "the device log tells of no %s" % cause)
    check(sum(1 for one in audits if one["code"] == "radio") < 40, "a flood of lines in the device log")
    health = [(one["what"], one.get("cause")) for one in audits if one["code"] == "source" and one["src"] == "radio"]
    for state in (("listening", None), ("deaf", "silent"), ("deaf", "hardware_error"), ("deaf", "refused"), ("deaf", "lost")):
        check(state in health, "the device log has no %s of the radio: %s" % (state, health))
    check(any(one["code"] == "arm" for one in audits), "the device log does not say when a trigger would be honoured")
    check(any(one["code"] == "time" and one["wtrust"] == "synced" for one in audits), "the clock's state is not told")

    # All changed ones reached the controller's listener: what began nothing was heard.
    heard = [int(line.split()[3]) for line in open(results + "/air.txt") if " air silent " in line]
    check(max(heard, default=0) >= 3000, "of 3,000 changed ones %d were heard" % max(heard, default=0))

    first = account["recordings"][0] if account["recordings"] else None
    if first:
        sent = int(moments["sent"])
        print("signal to trigger: %.1f ms, to the first footage on the card: %.0f ms" %
              ((first["edgeNs"] - sent) / 1e6, (first["edgeNs"] - sent) / 1e6 + first["durableAfterMs"]))
    for name, begin, end in (("does not answer", "mute", "mute-end"), ("reports an error", "error", "error-end"),
                             ("was unplugged", "unplug", "plug-end")):
        print("a controller that %s is used again %.1f s after" % (name, (int(moments[end]) - int(moments[begin])) / 1e9))
    print("refused: %s" % ", ".join("%d %s" % (count, cause) for cause, count in sorted(refused.items())))
    for problem in problems:
        print("FAIL: %s" % problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


main()
