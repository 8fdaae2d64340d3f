#!/usr/bin/env python3
"""A `transcode` job beside one run of ffmpeg at equal settings: time, size and
SSIM to the source.

    transcode.py [--seconds 60] [--size 1280x720] [--film FILE]

The film is synthetic unless one is given: moving patterns with grain, a cut
every few seconds. The job's time is from its start to its end, with joining,
checking and digest; two children share the film, so ffmpeg runs with one
thread and with two.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests" / "program"))

import harness  # noqa: E402

#: What `web_optimized` is made by (media/av/ladder, media/codec/av/x264), but
#: for the borders of segments.
X264 = ["-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high",
        "-pix_fmt", "yuv420p", "-crf", "23", "-x264-params",
        "ref=3:bframes=3:b-pyramid=normal:weightp=1"]
RATES = {1080: 6000, 720: 3000, 480: 1500, 360: 800}


def run(*words, **more):
    return subprocess.run(words, check=True, stdin=subprocess.DEVNULL, **more)


def make_film(path, seconds, size):
    parts = [f"testsrc2=size={size}:rate=25:duration={seconds}",
             f"mandelbrot=size={size}:rate=25,trim=duration={seconds}"]
    mix = (f"[0:v][1:v]blend=all_expr='if(lt(mod(T,9),5),A,B)',"
           "noise=alls=6:allf=t,format=yuv420p[v]")
    run("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", parts[0], "-f",
        "lavfi", "-i", parts[1], "-f", "lavfi", "-i",
        f"sine=frequency=440:sample_rate=48000:duration={seconds}",
        "-filter_complex", mix, "-map", "[v]", "-map", "2:a", "-c:v", "libx264",
        "-preset", "veryfast", "-crf", "14", "-c:a", "aac", str(path))


def height_of(path):
    told = run("ffprobe", "-v", "error", "-select_streams", "v:0",
               "-show_entries", "stream=height", "-of", "json", str(path),
               capture_output=True)
    return json.loads(told.stdout)["streams"][0]["height"]


def ssim(made, source):
    done = run("ffmpeg", "-v", "info", "-i", str(made), "-i", str(source),
               "-lavfi", "[0:v][1:v]ssim", "-f", "null", "-",
               capture_output=True, text=True)
    return float(re.search(r"All:([0-9.]+)", done.stderr).group(1))


def by_ffmpeg(source, target, threads):
    rate = RATES.get(height_of(source), 6000)
    began = time.monotonic()
    run("ffmpeg", "-v", "error", "-y", "-threads", str(threads), "-i",
        str(source), *X264, "-maxrate", f"{rate}k", "-bufsize", f"{2 * rate}k",
        "-threads", str(threads), "-c:a", "aac", "-ac", "1",
        "-b:a", "80k", "-movflags", "+faststart", str(target))
    return time.monotonic() - began


def by_job(folder, source):
    server = harness.Server(folder, "--media-root", str(source.parent))
    server.start()
    try:
        job = server.wait_for_state(server.submit(
            "transcode", {"source": f"local:///{source.name}"}),
            harness.TERMINAL, 3600)
        if job["state"] != "succeeded":
            raise SystemExit(f"the job ended: {job['error']}")
        began, ended = (
            time.mktime(time.strptime(job[name][:19], "%Y-%m-%dT%H:%M:%S"))
            + float(job[name][19:-1]) for name in ("started_at", "finished_at"))
        made = folder / "job.mp4"
        made.write_bytes(pathlib.Path(job["result"]["path"]).read_bytes())
        return made, ended - began
    finally:
        server.close()


def main():
    options = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    options.add_argument("--seconds", type=int, default=60)
    options.add_argument("--size", default="1280x720")
    options.add_argument("--film", type=pathlib.Path)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="troupe-bench-") as name:
        folder = pathlib.Path(name)
        film = chosen.film and chosen.film.resolve()
        if not film:
            (folder / "media").mkdir()
            film = folder / "media" / "film.mp4"
            make_film(film, chosen.seconds, chosen.size)
        made, took = by_job(folder, film)
        rows = [("job, two children", made, took)]
        for threads in (1, 2):
            target = folder / f"ffmpeg{threads}.mp4"
            rows.append((f"ffmpeg, {threads} thread{'s'[threads < 2:]}",
                         target, by_ffmpeg(film, target, threads)))
        base = rows[1][1].stat().st_size
        for label, path, seconds in rows:
            size = path.stat().st_size
            print(f"{label:20} {seconds:7.2f} s  {size:10} bytes  "
                  f"x{size / base:.3f}  SSIM {ssim(path, film):.5f}")


if __name__ == "__main__":
    main()
