#!/usr/bin/env python3
"""A `transcode` job beside one run of ffmpeg at equal settings: time, size,
SSIM to the source, sound against pictures, and what is heard at the borders of
segments.

    transcode.py [--seconds 60] [--size 1280x720] [--film FILE] [--runs 1]
                 [--capped]

The film is synthetic unless one is given: moving patterns with grain, a cut
every few seconds, a tone that wanders. The job's time is from its start to its
end, with joining, checking and digest; two children share the film, so ffmpeg
runs with one thread and with two. Runs take turns; the shortest time counts,
and the least time of processor, with all of the server's children. Both are
made by quality alone; `--capped`: by `web_optimized`, whose rate is limited.

`A/V` is how much later sound is than pictures, in ms, beside the source, at
the start, in the middle and at the end; `borders` the most that sound differs
from the source's within 20 ms of a border of segments, in dB of its loudness,
and `between` what 1 % of it elsewhere is above.
"""

import argparse
import array
import json
import math
import operator
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests" / "program"))

import harness  # noqa: E402

#: What jobs are made by (media/av/ladder, media/codec/av/x264), but for the
#: borders of segments.
X264 = ["-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high",
        "-pix_fmt", "yuv420p", "-crf", "23", "-x264-params",
        "ref=3:bframes=3:b-pyramid=normal:weightp=1"]
RATES = {1080: 6000, 720: 3000, 480: 1500, 360: 800}
RATE = 48000
#: Samples that are laid over each other, and how far they are moved.
LAID = 8192
MOVED = 960
#: Samples of a window whose difference is measured.
WINDOW = 960


def run(*words, **more):
    return subprocess.run(words, check=True, stdin=subprocess.DEVNULL, **more)


def used():
    of = resource.getrusage(resource.RUSAGE_CHILDREN)
    return of.ru_utime + of.ru_stime


def make_film(path, seconds, size):
    parts = [f"testsrc2=size={size}:rate=25:duration={seconds}",
             f"mandelbrot=size={size}:rate=25,trim=duration={seconds}"]
    mix = ("[0:v]format=yuv420p[a];[1:v]format=yuv420p[b];"
           "[a][b]overlay=enable='gt(mod(t,9),5)',noise=alls=2:allf=t[v]")
    tone = ("0.5*sin(2*PI*1500*t-1200*3.1*cos(2*PI*t/3.1))")
    run("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", parts[0], "-f",
        "lavfi", "-i", parts[1], "-f", "lavfi", "-i",
        f"aevalsrc='{tone}':s={RATE}:d={seconds}",
        "-filter_complex", mix, "-map", "[v]", "-map", "2:a", "-c:v", "libx264",
        "-preset", "veryfast", "-crf", "14", "-c:a", "aac", "-b:a", "192k",
        str(path))


def facts(path):
    told = run("ffprobe", "-v", "error", "-select_streams", "v:0",
               "-show_entries", "stream=height:packet=pts_time", "-of", "json",
               str(path), capture_output=True)
    told = json.loads(told.stdout)
    times = sorted(float(each["pts_time"]) for each in told["packets"])
    return told["streams"][0]["height"], times


def ssim(made, source):
    done = run("ffmpeg", "-v", "info", "-i", str(made), "-i", str(source),
               "-lavfi", "[0:v][1:v]ssim", "-f", "null", "-",
               capture_output=True, text=True)
    return float(re.search(r"All:([0-9.]+)", done.stderr).group(1))


def sound(path):
    """Samples by their times."""
    done = run("ffmpeg", "-v", "error", "-copyts", "-i", str(path), "-af",
               "aresample=async=1:first_pts=0", "-ac", "1", "-ar", str(RATE),
               "-f", "f32le", "-c:a", "pcm_f32le", "-", capture_output=True)
    return array.array("f", done.stdout[:len(done.stdout) // 4 * 4])


def lag(made, source, at):
    """Samples by which sound comes later than the source's there."""
    wanted = source[at:at + LAID]
    return max(range(-MOVED, MOVED + 1), key=lambda by: sum(
        map(operator.mul, wanted, made[at + by:at + by + LAID])))


def differences(made, source):
    """In dB of the whole's loudness, of each window."""
    count = min(len(made), len(source)) // WINDOW * WINDOW
    loud = sum(map(operator.mul, source, source)) / len(source)
    found = []
    for at in range(0, count, WINDOW):
        apart = sum((a - b) ** 2 for a, b in zip(
            made[at:at + WINDOW], source[at:at + WINDOW])) / WINDOW
        found.append(10 * math.log10(max(apart, 1e-12) / loud))
    return found


def borders(made):
    """Seconds at which keys stand."""
    told = run("ffprobe", "-v", "error", "-select_streams", "v:0",
               "-skip_frame", "nokey", "-show_entries", "frame=pts_time", "-of",
               "csv=p=0", str(made), capture_output=True, text=True)
    return [float(each.strip(",")) for each in told.stdout.split()]


def judge_sound(made, source, cuts):
    heard, wanted = sound(made), sound(source)
    shown, shown_first = facts(made)[1], facts(source)[1]
    places = [MOVED, len(wanted) // 2, len(wanted) - LAID - 2 * MOVED]
    offsets = []
    for at in places:
        n = min(int(at / len(wanted) * len(shown)), len(shown) - 1)
        pictures = shown[n] - shown_first[n]
        offsets.append(1000 * (lag(heard, wanted, at) / RATE - pictures))
    each = differences(heard, wanted)
    near = {round(cut * RATE) // WINDOW + by for cut in cuts for by in (-1, 0)}
    # Before the first sample and after the last, encoders have nothing.
    inner = range(2, len(each) - 4)
    there = max(each[n] for n in inner if n in near)
    between = sorted(each[n] for n in inner if n not in near)
    return offsets, there, between[len(between) * 99 // 100]


def by_ffmpeg(source, target, threads, capped):
    rate = RATES.get(facts(source)[0], 6000)
    caps = ["-maxrate", f"{rate}k", "-bufsize", f"{2 * rate}k"]
    began = time.monotonic()
    run("ffmpeg", "-v", "error", "-y", "-threads", str(threads), "-i",
        str(source), *X264, *(caps if capped else []), "-threads", str(threads),
        "-c:a", "aac", "-ac", "1", "-b:a", "80k", "-movflags", "+faststart",
        str(target))
    return target, time.monotonic() - began


def by_job(folder, source, capped):
    how = {} if capped else {"profile": "high_quality", "preset": "veryfast",
                             "crf": 23, "audio_bitrate": 80000}
    server = harness.Server(folder, "--media-root", str(source.parent))
    server.start()
    try:
        job = server.wait_for_state(server.submit(
            "transcode", {"source": f"local:///{source.name}", **how}),
            harness.TERMINAL, 3600)
        if job["state"] != "succeeded":
            raise SystemExit(f"the job ended: {job['error']}")
        began, ended = (
            time.mktime(time.strptime(job[name][:19], "%Y-%m-%dT%H:%M:%S"))
            + float(job[name][19:-1]) for name in ("started_at", "finished_at"))
        made = folder.parent / "job.mp4"
        made.write_bytes(pathlib.Path(job["result"]["path"]).read_bytes())
        return made, ended - began
    finally:
        server.close()


def main():
    options = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    options.add_argument("--seconds", type=int, default=60)
    options.add_argument("--size", default="1280x720")
    options.add_argument("--film", type=pathlib.Path)
    options.add_argument("--runs", type=int, default=1)
    options.add_argument("--capped", action="store_true")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="troupe-bench-") as name:
        folder = pathlib.Path(name)
        film = chosen.film and chosen.film.resolve()
        if not film:
            (folder / "media").mkdir()
            film = folder / "media" / "film.mp4"
            make_film(film, chosen.seconds, chosen.size)
        rows = {}

        def note(label, work):
            before = used()
            made, took = work()
            best = rows.get(label, (made, math.inf, math.inf))
            rows[label] = (made, min(took, best[1]),
                           min(used() - before, best[2]))

        for n in range(chosen.runs):
            (folder / f"job{n}").mkdir()
            note("job, two children",
                 lambda at=folder / f"job{n}": by_job(at, film,
                                                          chosen.capped))
            for threads in (1, 2):
                note(f"ffmpeg, {threads} thread{'s'[threads < 2:]}",
                     lambda name=f"ffmpeg{threads}.mp4", many=threads:
                     by_ffmpeg(film, folder / name, many, chosen.capped))
        cuts = borders(rows["job, two children"][0])[1:]
        base = rows["ffmpeg, 1 thread"][0].stat().st_size
        for label, (path, seconds, cpu) in rows.items():
            size = path.stat().st_size
            offsets, near, far = judge_sound(path, film, cuts)
            print(f"{label:18} {seconds:7.2f} s, cpu {cpu:6.2f} {size:10} bytes "
                  f"x{size / base:.3f}  SSIM {ssim(path, film):.5f}  A/V "
                  + ", ".join(f"{each:.2f}" for each in offsets)
                  + f" ms  borders {near:.1f} dB, between {far:.1f}")


if __name__ == "__main__":
    main()
