#!/usr/bin/env python3
"""Says whether a recording made by jobs/record.sh holds what it must, from the opened file.

  check_recording.py RESULTS [--pre-event S] [--segment S] [--gop S] [--pre-event-audio] [--most-lost PERCENT]

RESULTS is what the job left, and opened.mp4 and opened.json as check-record made them. Checked:
 - the picture's counter shows every frame once and in order. A frame is missing only within a gap that the signed journal
   tells of, and as many are missing as its last checkpoint counts;
 - the first frame is at or before the trigger less the pre-event and at most a GOP earlier, the last is at the stop;
 - each frame's time in the file is the time it shows; segments change on time;
 - sound and picture agree to half a frame, and there is no sound of before the trigger.
On a busy machine the guest is too slow for its camera. That is no fault as long as the recorder tells of it, but when
more than PERCENT (default 20) of the frames are lost, nothing is proved. Exit status 0 or 1.
"""

import argparse
import json
import pathlib
import re
import sys
from itertools import pairwise
from subprocess import PIPE, Popen

sys.dont_write_bytecode = True
import av_offset
import read_vivid_osd

DRAWN_LATE = 0.06  # s: vivid draws up to this much after a frame's time when the guest is busy
COMMAND = 0.3  # s: from the socket's answer to the next look at the clock
ROUNDING = 0.001  # s: the journal counts in us, the file in 1/90000 s
VIDEO, AUDIO = "1", "2"  # the journal's tracks


def video(path):
    """(time in the file, sequence number, time shown) of each frame, in seconds; None, None where unreadable."""
    width, height = map(int, av_offset.probe(path, "v:0", "stream=width,height")[0][:2])
    times = [float(line[0]) for line in av_offset.probe(path, "v:0", "frame=best_effort_timestamp_time")]
    reader = read_vivid_osd.Reader(width, height)
    decode = ["ffmpeg", "-v", "error", "-i", path, "-map", "0:v:0", *av_offset.EVERY_FRAME]
    with Popen(decode + ["-f", "rawvideo", "-pix_fmt", "gray", "-"], stdout=PIPE) as ffmpeg:
        shown = [reader.read(frame) or (None, 0) for frame in read_vivid_osd.frames(ffmpeg.stdout, width * height)]
    if len(shown) != len(times):
        sys.exit(f"{len(times)} frames by ffprobe, {len(shown)} by ffmpeg")
    return [(time, sequence, milliseconds / 1000) for time, (sequence, milliseconds) in zip(times, shown)]


class Journal:
    """What the recorder itself signed. Times in seconds of media."""

    def __init__(self, path):
        self.gaps = {VIDEO: [], AUDIO: []}
        self.causes = {}
        self.segment_ends = {}
        self.frames_lost = self.samples_lost = 0
        for line in path.read_text().splitlines():
            words = line.split()
            fields = dict(word.split("=", 1) for word in words[2:])
            if words[1] == "EVT" and fields["code"] == "gap":
                self.gaps[fields["track"]].append((int(fields["from"]) / 1e6, int(fields["to"]) / 1e6))
                self.causes[fields["cause"]] = self.causes.get(fields["cause"], 0) + 1
            elif words[1] == "CKPT":
                self.segment_ends[int(fields["seg"])] = int(fields["mt"]) / 1e6
                self.frames_lost, self.samples_lost = int(fields["flost"]), int(fields["slost"])


def missing_frames(frames, journal, most_lost):
    """Faults of the counter: frames doubled, out of order, or missing without the journal's word."""
    faults = []
    missing = unsaid = 0
    for (from_time, before, _), (time, sequence, _) in pairwise(frames):
        if sequence <= before:
            faults.append(f"frame {sequence} comes after {before}, at {time:.3f} s")
            continue
        missing += sequence - before - 1
        covered = any(a <= from_time + ROUNDING and time - ROUNDING <= b for a, b in joined(journal.gaps[VIDEO]))
        if sequence > before + 1 and not covered:
            unsaid += sequence - before - 1
            faults.append(f"{sequence - before - 1} frames before {sequence} are missing, and no journal line says so")
    # Lost after the last frame: nothing in the file can show how many these were.
    open_end = any(b > frames[-1][0] + ROUNDING for _, b in journal.gaps[VIDEO])
    if not unsaid and missing != journal.frames_lost and not (open_end and missing < journal.frames_lost):
        faults.append(f"{missing} frames are missing, the recorder counted {journal.frames_lost}")
    print(f"{len(frames)} frames, {frames[0][1]} to {frames[-1][1]}, {missing} missing")
    print(f"lost by the recorder's own account: {journal.frames_lost} frames, {journal.samples_lost} samples {journal.causes}")
    if missing * 100 > most_lost * (len(frames) + missing):
        faults.append(f"more than {most_lost} % of the frames are lost: the machine was too busy, nothing is proved")
    return faults


def joined(gaps):
    """Gaps that touch are one."""
    result = []
    for start, end in sorted(gaps):
        if result and start <= result[-1][1] + ROUNDING:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


def main(options):
    faults = []
    results = pathlib.Path(options.results)
    facts = {name: float(value) for name, value in re.findall(r"(\w+)=([0-9.]+)", (results / "facts").read_text())}
    set_white = [float(time) for time in re.findall(r"set ([0-9.]+)", (results / "flashes.txt").read_text())]
    opened = json.loads((results / "opened.json").read_text())
    journal = Journal(next((results / "store/recordings").glob("*/journal.log")))
    file = str(results / "opened.mp4")

    frames = video(file)
    faults += [f"frame {place} cannot be read" for place, (_, sequence, _) in enumerate(frames) if sequence is None]
    frames = [frame for frame in frames if frame[1] is not None]
    if len(frames) < 30:
        sys.exit(f"only {len(frames)} frames can be read")
    faults += missing_frames(frames, journal, options.most_lost)

    # What is shown counts from the stream's start. When that was follows from the flashes: the guest noted their times.
    numbers = [(b[0] - a[0]) / (b[1] - a[1]) for a, b in pairwise(frames) if b[1] > a[1]]
    interval = sorted(numbers)[len(numbers) // 2]
    shown_at = {time: shown for time, _, shown in frames}
    light = av_offset.brightness(file)
    media_start, trigger_time = (int(opened["facts"][name]) / 1e9 for name in ("media_start_mono_ns", "trigger_mono_ns"))
    guess = media_start - frames[0][2]
    origins = []
    for shown in (shown_at[time] for time in av_offset.flashes(light) if time in shown_at):
        noted = min(set_white, key=lambda time: abs(time - shown - guess))
        origins.append(noted - shown)
    if not origins:
        sys.exit("no flash in the picture")
    origins.sort()
    origin = origins[len(origins) // 2] + interval / 2  # a flash is seen half an interval late in the mean
    first, last = origin + frames[0][2], origin + frames[-1][2]
    print(f"first frame {facts['start'] - first:.2f} to {facts['started'] - first:.2f} s before the trigger")
    print(f"last frame {last - facts['stop']:+.2f} s from the beginning of the stop command")
    # Where frames are lost a keyframe comes late, and so does the last frame.
    largest_gap = max([b - a for a, b in joined(journal.gaps[VIDEO])], default=0)
    if first > facts["started"] + COMMAND - options.pre_event:
        faults.append("the pre-event part is too short")
    if first < facts["start"] - options.pre_event - options.gop - 2 * interval - DRAWN_LATE - largest_gap:
        faults.append("the pre-event part is longer than a GOP more than asked for")
    if last < facts["stop"] - 2 * interval - DRAWN_LATE - largest_gap:
        faults.append("the recording ends before the stop")
    held = trigger_time - media_start
    print(f"by the recorder: pre-event {held:.3f} s, first frame {(media_start - first) * 1000:+.0f} ms from what it shows")
    if not 0 <= held - options.pre_event <= options.gop + interval / 2 + largest_gap:
        faults.append("the pre-event part by the recorder's clock is not what was asked for")
    if not facts["start"] - ROUNDING * 10 <= trigger_time <= facts["started"] + COMMAND:
        faults.append("the trigger was not at the time of the command")
    if abs(media_start - first) > interval + DRAWN_LATE:
        faults.append("the first frame's time is not the driver's")

    # Both rise together, but what is shown moves in the driver's steps of 4 ms and is drawn late.
    apart = [(time - frames[0][0]) - (shown - frames[0][2]) for time, _, shown in frames]
    print(f"times in the file against the times shown: {min(apart) * 1000:+.0f} to {max(apart) * 1000:+.0f} ms")
    if max(apart) - min(apart) > interval + DRAWN_LATE:
        faults.append("the frames' times in the file are not those shown")

    ends = [journal.segment_ends[segment] for segment in sorted(journal.segment_ends)]
    lengths = [b - a for a, b in pairwise([0, *ends])]
    print(f"segments of {', '.join(f'{length:.2f}' for length in lengths)} s")
    # A segment rather goes on to a keyframe that has just come than that its successor begins with an old one: for so long.
    patience = 2.5
    longest = options.segment + patience + options.gop + 2 * interval + largest_gap
    if any(not options.segment - interval <= length <= longest for length in lengths[:-1]) or lengths[-1] > longest:
        faults.append(f"the segments are not of {options.segment} s")

    sound, span = av_offset.sound(file)
    if av_offset.report(light, sound, span, joined(journal.gaps[VIDEO] + journal.gaps[AUDIO])):
        faults.append("sound and picture are apart")
    trigger = int(opened["facts"]["trigger_mt_us"]) / 1e6
    print(f"sound begins {(span[0] - trigger) * 1000:+.1f} ms from the trigger")
    # The first packet holds the encoder's delay before it; a decoder that does not skip it plays 6.5 ms of nothing.
    if not options.pre_event_audio and span[0] < trigger - 0.007:
        faults.append("there is sound of before the trigger")
    if span[0] > trigger + interval and not journal.gaps[AUDIO]:
        faults.append("sound begins late")

    for fault in faults:
        print("FAIL:", fault)
    return 1 if faults else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("results")
    parser.add_argument("--pre-event", type=float, default=10)
    parser.add_argument("--pre-event-audio", action="store_true")
    parser.add_argument("--segment", type=float, default=10)
    parser.add_argument("--gop", type=float, default=1)
    parser.add_argument("--most-lost", type=float, default=20)
    sys.exit(main(parser.parse_args()))
