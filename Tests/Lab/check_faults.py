#!/usr/bin/env python3
"""Holds an opened recording of jobs/record-faults.sh against what its journal says is missing: no more and no less.

  check_faults.py OPENED.mp4 OPENED.json JOURNAL

 - Two frames that follow each other in the file follow each other in the camera, or a gap of the journal lies between them, from
   the one to the other; each gap of the journal is such a place.
 - As many frames are missing as the last checkpoint counts: by the camera's own numbers where it was not opened anew
   between, by the time that passed where it was.
 - The first frame after a camera that was away is a keyframe.
 - The tone is not heard where the journal says so, and nowhere else.
Exit status 0 or 1.
"""

import array
import json
import pathlib
import subprocess
import sys
from itertools import pairwise

sys.dont_write_bytecode = True
import av_offset
import check_recording

LATE = check_recording.DRAWN_LATE
INTERVAL = 1 / 15  # s, as the job asks for
ROUNDING = 0.001  # s: the journal counts in us, the file in 1/90000 s
PACKET = 0.020  # s of sound in a packet
RATE = 48_000
QUIET = 300  # of 32,768: what a codec leaves of silence beside a tone of 16,384
AWAY = 4.0  # s: a gap so long is the microphone unplugged, and the tone's player ends with it
TONE_RETURNS = 15.0  # s: the job plays its tone again after the microphone is back


def gaps_by_cause(path, track):
    """(from, to, cause) of a track's gaps, in seconds of media."""
    found = []
    for line in path.read_text().splitlines():
        fields = dict(word.split("=", 1) for word in line.split()[2:])
        if line.split()[1] == "EVT" and fields["code"] == "gap" and fields["track"] == track:
            found.append((int(fields["from"]) / 1e6, int(fields["to"]) / 1e6, fields["cause"]))
    return found


def check_video(file, journal, path):
    faults = []
    frames = check_recording.video(file)
    keys = [line[0] == "1" for line in av_offset.probe(file, "v:0", "frame=key_frame")]
    unread = sum(sequence is None for _, sequence, _ in frames)
    if unread:
        faults.append(f"{unread} frames cannot be read")
        return faults
    interval = INTERVAL
    gaps = sorted(journal.gaps[check_recording.VIDEO])
    if len(set(gaps)) != len(gaps):
        faults.append("a gap of the picture is told twice")
    ends_at = max(journal.segment_ends.values())
    if ends_at - frames[-1][0] > 0.6 and not any(end >= ends_at - INTERVAL for _, end in gaps):
        faults.append(f"the picture ends at {frames[-1][0]:.3f} of {ends_at:.3f} s, and no journal line says so")
    lost = [(a, b) for a, b, cause in gaps_by_cause(path, check_recording.VIDEO) if cause == "lost"]
    by_encoder = [(a, b) for a, b, cause in gaps_by_cause(path, check_recording.VIDEO) if cause == "encoder"]
    used = set()
    missing = reopened = 0
    for place, ((before, number, shown), (time, next_number, next_shown)) in enumerate(pairwise(frames)):
        # Numbers and the time shown go on together, or the camera was opened anew.
        is_same_stream = next_number > number and abs((next_shown - shown) - (time - before)) < 2 * interval + LATE
        if is_same_stream and next_number == number + 1:
            continue
        between = [gap for gap in gaps if gap[0] < time - ROUNDING and before + ROUNDING < gap[1]]
        # A damaged frame had its own time: the gap begins with it, an interval behind the last good one.
        whole = check_recording.joined(between)
        covers = len(whole) == 1 and whole[0][0] <= before + 1.3 * interval and whole[0][1] >= time - 0.3 * interval
        # An encoder that does not keep up leaves pictures out for a second at a time, here and there.
        spans = any(a < time and before < b for a, b in by_encoder)
        within = whole and whole[0][0] >= before - ROUNDING and whole[0][1] <= time + 0.3 * interval
        if not covers or not (within or spans):
            faults.append(f"between {before:.3f} and {time:.3f} s frames are missing, and the journal has {between}")
            continue
        used.update(between)
        if is_same_stream:
            missing += next_number - number - 1
        else:
            reopened += 1
            missing += max(1, round((time - before) / interval) - 1)
            if any(a < time and before < b for a, b in lost) and not keys[place + 1]:
                faults.append(f"the camera is back at {time:.3f} s, and not with a keyframe")
    for gap in gaps:
        if gap not in used and gap[1] < frames[-1][0] and gap[0] > frames[0][0]:
            faults.append(f"the journal says that frames are missing within {gap}, and none is")
    print(f"{len(frames)} frames, {missing} missing, {reopened} times opened anew, {journal.causes}")
    for start, end in gaps:
        if end > frames[-1][0] + interval:
            reopened += 1
            missing += round((end - frames[-1][0]) / interval)
            print(f"the picture ends at {frames[-1][0]:.3f} s, and the journal says so: {start:.3f} to {end:.3f} s")
    # How many a camera would have made that was not there is known to one, each time.
    if abs(missing - journal.frames_lost) > reopened:
        faults.append(f"{missing} frames are missing, the recorder counted {journal.frames_lost}")
    return faults


def check_sound(file, opened, journal):
    track = next((track for track in opened["tracks"] if track["kind"] == "audio"), None)
    if track is None:
        return ["there is no sound"]
    said = check_recording.joined(journal.gaps[check_recording.AUDIO])
    heard = [tuple(gap) for gap in track["gaps"]]
    print(f"sound from {track['startSeconds']:.3f} to {track['endSeconds']:.3f} s, without {heard}, by the journal {said}")
    # A long gap is one of the file, too; a shorter one is filled with silence. Either way nothing is heard in it.
    decode = ["ffmpeg", "-v", "error", "-i", file, "-map", "0:a:0", "-af", "aresample=async=1:first_pts=0", "-ac", "1", "-ar",
              str(RATE), "-f", "s16le", "-"]
    samples = array.array("h", subprocess.run(decode, stdout=subprocess.PIPE, check=True).stdout)
    faults = []
    lines = journal.gaps[check_recording.AUDIO]
    if len(set(lines)) != len(lines):
        faults.append("a gap of the sound is told twice")
    samples_said = sum(end - start for start, end in lines) * RATE
    if abs(samples_said - journal.samples_lost) > 0.01 * samples_said + RATE * PACKET:
        faults.append(f"the gaps are of {samples_said:.0f} samples, the recorder counted {journal.samples_lost}")
    for start, end in said:
        end = min(end, track["endSeconds"])
        if start < track["startSeconds"] or end - start < 3 * PACKET:
            continue
        inside = samples[round((start + PACKET) * RATE):round((end - PACKET) * RATE)]
        if inside and max(map(abs, inside)) > QUIET:
            faults.append(f"the journal says that sound is missing from {start:.3f} to {end:.3f} s, and there is some")
    for a, b in heard:
        if not any(start - 2 * PACKET <= a and b <= end + 2 * PACKET for start, end in said):
            faults.append(f"sound is missing from {a:.3f} to {b:.3f} s, and no journal line says so")
    # The tone goes on whenever it is not told that it does not: before the first gap and behind the last one at least.
    silent = quiet_spans(samples, track["startSeconds"], track["endSeconds"])
    for a, b in silent:
        if not any(start - 2 * PACKET <= a and b <= end + (TONE_RETURNS if end - start > AWAY else 2 * PACKET) for start, end in said):
            faults.append(f"nothing is heard from {a:.3f} to {b:.3f} s, and no journal line says so")
    return faults


def quiet_spans(samples, first, last):
    """Where the tone is not heard for more than two packets, in seconds."""
    step = round(PACKET * RATE)
    spans, begin = [], None
    for place in range(round(first * RATE), round(last * RATE) - step, step):
        is_quiet = max(map(abs, samples[place:place + step]), default=0) <= QUIET
        if is_quiet and begin is None:
            begin = place
        if not is_quiet and begin is not None:
            spans.append((begin / RATE, place / RATE))
            begin = None
    if begin is not None:
        spans.append((begin / RATE, last))
    return [(a, b) for a, b in spans if b - a > 2 * PACKET]


def main(file, opened, journal):
    path = pathlib.Path(journal)
    read = check_recording.Journal(path)
    faults = check_video(file, read, path) + check_sound(file, json.loads(pathlib.Path(opened).read_text()), read)
    for fault in faults:
        print("FAIL:", fault)
    return 1 if faults else 0


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
