#!/usr/bin/env python3
"""Says by how much sound and picture are apart in a file recorded while flash_beep ran (guest.sh: flash_and_beep).

  av_offset.py FILE

Prints a line for each flash: the time of the first white frame, of the beep's first sample, and the first less the
second in milliseconds. A flash is first seen in the next frame that vivid draws, and vivid takes the exposure to have
started a tenth of a frame before it draws: with exact timestamps the difference lies between -0.1 and 0.9 of a frame.
A busy guest draws late. So the fault is a difference more than half a frame outside of that, or a flash without its
beep or a beep without its flash where there are both sound and picture, or none of either. Exit status 0 or 1.
"""

import array
import bisect
import math
import subprocess
import sys
from itertools import pairwise

# ffmpeg must neither repeat nor drop a frame, however uneven their times.
EVERY_FRAME = ("-fps_mode", "passthrough", "-enc_time_base", "1:90000")
LOUD = 8192  # half of the beep's amplitude, four times that of the tone below it


def flashes(frames):
    """Times of the first white frames, of (time, brightness) pairs."""
    brightness = [b for _, b in frames]
    middle = (min(brightness) + max(brightness)) / 2
    if max(brightness) - min(brightness) < 40:
        return []
    return [time for (_, before), (time, b) in pairwise(frames) if before < middle <= b]


def beeps(samples, rate):
    """Places of the first samples of beeps, of 16-bit samples."""
    found, last = [], -rate
    for place, sample in enumerate(samples):
        if abs(sample) > LOUD:
            if place - last > rate // 10:
                found.append(place)
            last = place
    return found


def report(frames, beep_times, sound_span, gaps=()):
    """Prints what is apart; the number of faults. What is in a gap, (from, to), or beside one is not judged."""

    def is_judged(time):
        return all(time < start - 0.2 or time > end + 0.2 for start, end in gaps)

    interval = sorted(b[0] - a[0] for a, b in pairwise(frames))[len(frames) // 2]
    first, last = frames[0][0], frames[-1][0]
    white = flashes(frames)
    faults = 0
    apart = []
    for time in white:
        beep = min(beep_times, key=lambda b: abs(b - time), default=None)
        if beep is None or abs(beep - time) > 0.4:
            if sound_span[0] < time - 0.2 and time + 0.2 < sound_span[1] and is_judged(time):
                print(f"flash at {time:.3f}: no beep")
                faults += 1
            continue
        apart.append((time - beep) * 1000)
        off = is_judged(time) and not -0.6 * interval <= time - beep <= 1.4 * interval
        faults += off
        print(f"flash at {time:.3f}, beep at {beep:.3f}: {apart[-1]:+.1f} ms{', apart' if off else ''}")
    for beep in beep_times:
        if first + 0.2 < beep < last - 0.2 and is_judged(beep) and all(abs(time - beep) > 0.4 for time in white):
            print(f"beep at {beep:.3f}: no flash")
            faults += 1
    if not apart:
        print("no flash with its beep")
        return faults + 1
    print(
        f"{len(apart)} flashes: {min(apart):+.1f} to {max(apart):+.1f}, mean {sum(apart) / len(apart):+.1f} ms;"
        f" exact timestamps give {interval * -100:+.1f} to {interval * 900:+.1f}, mean {interval * 400:+.1f}"
    )
    return faults


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def probe(path, stream, entries):
    lines = run("ffprobe", "-v", "error", "-select_streams", stream, "-show_entries", entries, "-of", "csv=p=0", path)
    return [line.strip(",").split(",") for line in lines.decode().split("\n") if line.strip(",")]


def brightness(path):
    """(time, brightness of the lower half) of each frame."""
    times = [float(line[0]) for line in probe(path, "v:0", "frame=best_effort_timestamp_time")]
    to_one_pixel = "crop=iw:ih/2:0:ih/2,scale=1:1:flags=area,format=gray"
    decode = ("ffmpeg", "-v", "error", "-i", path, "-map", "0:v:0", *EVERY_FRAME)
    light = run(*decode, "-vf", to_one_pixel, "-f", "rawvideo", "-")
    if len(light) != len(times) or len(times) < 2:
        sys.exit(f"{len(times)} frames by ffprobe, {len(light)} by ffmpeg")
    return list(zip(times, light))


def sound(path):
    """The beeps' times, and the times of the first and the last sound."""
    rate = int(probe(path, "a:0", "stream=sample_rate")[0][0])
    samples = array.array("h", run("ffmpeg", "-v", "error", "-i", path, "-map", "0:a:0", "-ac", "1", "-f", "s16le", "-"))
    starts, place = [], 0  # of each decoded frame: its first sample's place and time
    for time, count in probe(path, "a:0", "frame=pts_time,nb_samples"):
        starts.append((place, float(time)))
        place += int(count)
    if not starts or place != len(samples):
        sys.exit(f"{place} samples by ffprobe, {len(samples)} by ffmpeg")
    times = []
    for beep in beeps(samples, rate):
        at, time = starts[bisect.bisect_right(starts, (beep, math.inf)) - 1]
        times.append(time + (beep - at) / rate)
    return times, (starts[0][1], starts[-1][1])


def main(path):
    return 1 if report(brightness(path), *sound(path)) else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: av_offset.py FILE")
    sys.exit(main(sys.argv[1]))
