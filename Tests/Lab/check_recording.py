#!/usr/bin/env python3
"""Says whether a recording made by jobs/record.sh holds what it must, from the opened file.

  check_recording.py FILE RESULTS [--pre-event S] [--gop S] [--allow-missing N]

FILE is the whole recording as one MP4, RESULTS what the job left (facts, flashes.txt). Checked: the picture's counter
shows every frame once, none before another; the first is at or before the trigger less the pre-event and at most a GOP
earlier; the last is at the stop; each frame's time in the file is the time it shows; sound and picture agree to half
a frame; there is no sound of before the trigger. Up to N frames (those the camera itself lost, from the recorder's
status) may be missing. Exit status 0 or 1.
"""

import argparse
import pathlib
import re
import subprocess
import sys
from itertools import pairwise

sys.dont_write_bytecode = True
import av_offset
import read_vivid_osd

DRAWN_LATE = 0.06  # s: vivid draws up to this much after a frame's time when the guest is busy
COMMAND = 0.3  # s: from the socket's answer to the next look at the clock


def video(path):
    """(time in the file, sequence number, time shown) of each frame, in seconds; None, None where unreadable."""
    width, height = map(int, av_offset.probe(path, "v:0", "stream=width,height")[0][:2])
    times = [float(line[0]) for line in av_offset.probe(path, "v:0", "frame=best_effort_timestamp_time")]
    reader = read_vivid_osd.Reader(width, height)
    decode = ["ffmpeg", "-v", "error", "-i", path, "-map", "0:v:0", *av_offset.EVERY_FRAME]
    with subprocess.Popen(decode + ["-f", "rawvideo", "-pix_fmt", "gray", "-"], stdout=subprocess.PIPE) as ffmpeg:
        shown = [reader.read(frame) or (None, 0) for frame in read_vivid_osd.frames(ffmpeg.stdout, width * height)]
    if len(shown) != len(times):
        sys.exit(f"{len(times)} frames by ffprobe, {len(shown)} by ffmpeg")
    return [(time, sequence, milliseconds / 1000) for time, (sequence, milliseconds) in zip(times, shown)]


def main(options):
    faults = []
    results = pathlib.Path(options.results)
    facts = {name: float(value) for name, value in re.findall(r"(\w+)=([0-9.]+)", (results / "facts").read_text())}
    set_white = [float(time) for time in re.findall(r"set ([0-9.]+)", (results / "flashes.txt").read_text())]

    frames = video(options.file)
    faults += [f"frame {place} cannot be read" for place, (_, sequence, _) in enumerate(frames) if sequence is None]
    frames = [frame for frame in frames if frame[1] is not None]
    if len(frames) < 30:
        sys.exit(f"only {len(frames)} frames can be read")
    missing = 0
    for (_, before, _), (time, sequence, _) in pairwise(frames):
        if sequence <= before:
            faults.append(f"frame {sequence} comes after {before}, at {time:.3f} s")
        else:
            missing += sequence - before - 1
    if missing > options.allow_missing:
        faults.append(f"{missing} frames are missing")
    print(f"{len(frames)} frames, {frames[0][1]} to {frames[-1][1]}, {missing} missing")

    # What is shown counts from the stream's start. When that was follows from the flashes: the guest noted their times.
    interval = sorted(b[0] - a[0] for a, b in pairwise(frames))[len(frames) // 2]
    sequences = {time: shown for time, _, shown in frames}
    light = av_offset.brightness(options.file)
    seen = [sequences[time] for time in av_offset.flashes(light) if time in sequences]
    guess = facts["stop"] - frames[-1][2]
    origins = []
    for shown in seen:
        noted = min(set_white, key=lambda time: abs(time - shown - guess))
        origins.append(noted - shown)
    if not origins:
        sys.exit("no flash in the picture")
    origins.sort()
    origin = origins[len(origins) // 2] + interval / 2  # a flash is seen half an interval late in the mean
    first, last = origin + frames[0][2], origin + frames[-1][2]
    print(f"first frame {facts['start'] - first:.2f} to {facts['started'] - first:.2f} s before the trigger")
    print(f"last frame {last - facts['stop']:+.2f} s from the stop")
    if first > facts["started"] + COMMAND - options.pre_event:
        faults.append("the pre-event part is too short")
    if first < facts["start"] - options.pre_event - options.gop - 2 * interval - DRAWN_LATE:
        faults.append("the pre-event part is longer than a GOP more than asked for")
    if last < facts["stop"] - 2 * interval - DRAWN_LATE:
        faults.append("the recording ends before the stop")

    apart = [(time - frames[0][0]) - (shown - frames[0][2]) for time, _, shown in frames]
    print(f"times in the file against the times shown: {min(apart) * 1000:+.0f} to {max(apart) * 1000:+.0f} ms")
    if max(apart) - min(apart) > interval + DRAWN_LATE:
        faults.append("the frames' times in the file are not those shown")

    sound, span = av_offset.sound(options.file)
    if av_offset.report(light, sound, span):
        faults.append("sound and picture are apart")
    sound_start = origin + frames[0][2] + span[0] - frames[0][0]
    print(f"sound begins {sound_start - facts['started']:+.2f} to {sound_start - facts['start']:+.2f} s from the trigger")
    if not options.pre_event_audio and sound_start < facts["start"] - interval:
        faults.append("there is sound of before the trigger")

    for fault in faults:
        print("FAIL:", fault)
    return 1 if faults else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("file")
    parser.add_argument("results")
    parser.add_argument("--pre-event", type=float, default=10)
    parser.add_argument("--pre-event-audio", action="store_true")
    parser.add_argument("--gop", type=float, default=1)
    parser.add_argument("--allow-missing", type=int, default=0)
    sys.exit(main(parser.parse_args()))
