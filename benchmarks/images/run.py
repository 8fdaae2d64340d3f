#!/usr/bin/env python3
"""Images of photographs of 12 and 24 megapixels, beside sharp, Pillow and
vipsthumbnail, in one run.

    run.py [--quick] [--only cold,cached,library,orders,pages]

Starts everything itself on free loopback ports and in a temporary folder. All
make 300 pixels in width by the same qualities and efforts: JPEG 80, WebP 79
and 2, AVIF 63 and 2. Client and servers share the machine's cores.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests" / "program"))

import harness  # noqa: E402
import makers as all_makers  # noqa: E402
import measure  # noqa: E402

PARTS = ("cold", "cached", "library", "orders", "pages")
#: Of lomiri-wallpapers-20.04: 20 megapixels, baseline.
PHOTO = pathlib.Path("/usr/share/backgrounds/Kleiber_by_Lukas_Baubkus.jpg")
SIZES = {"12": "4000x3000", "24": "6000x4000"}
BATCH = 10000
SIDES = (150, 300, 600)


class Plan:
    """How much is measured."""

    def __init__(self, quick):
        self.quick = quick
        self.samples, self.rounds, self.seconds = (
            (8, 1, 2) if quick else (50, 3, 5))
        self.wrk_s, self.pages_s = (3, 10) if quick else (20, 60)
        self.sources = 20 if quick else 100
        self.photos = ("12",) if quick else ("12", "24")


def make_photos(media):
    """One of each size, and many names for each."""
    source = PHOTO
    if not source.exists():
        print(f"{source} is not there: slopes with grain instead")
        source = media.parent / "made.png"
        subprocess.run(
            ["ffmpeg", "-v", "error", "-f", "lavfi", "-i",
             "gradients=size=6000x4000:n=6,noise=alls=12", "-frames:v", "1",
             source], check=True)
    for name, size in SIZES.items():
        subprocess.run(
            ["vipsthumbnail", source, "-s", size, "--smartcrop", "centre",
             "-o", f"{media}/{name}.jpg[Q=90]"], check=True)
        (media / name).mkdir()
        for number in range(all_makers.COPIES):
            os.link(media / f"{name}.jpg", media / name / f"{number:03}.jpg")


def table(heads, rows):
    rows = [heads, ["---"] * len(heads), *[[*map(str, row)] for row in rows]]
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        print("| " + " | ".join(cell.ljust(width) for cell, width in
                                zip(row, widths)) + " |")
    print(flush=True)


def cold(makers, plan):
    """Each in turn, several rounds; medians of rates, all latencies."""
    rows = []
    for photo in plan.photos:
        for kind in all_makers.FORMATS:
            able = [maker for maker in makers if kind in maker.formats]
            took = {maker.name: [] for maker in able}
            rates = {maker.name: [] for maker in able}
            peaks = dict.fromkeys(took, 0)
            for _ in range(plan.rounds):
                for maker in able:
                    maker.cold(photo, kind, 2)
                    took[maker.name] += maker.cold(photo, kind, plan.samples)
                    rates[maker.name].append(
                        maker.throughput(photo, kind, plan.seconds))
                    peaks[maker.name] = max(peaks[maker.name], maker.peak)
            for maker in able:
                name = maker.name
                rows.append((
                    f"{photo} MP, {kind}", name,
                    f"{measure.percentile(took[name], .5):.1f}",
                    f"{measure.percentile(took[name], .99):.1f}",
                    f"{statistics.median(rates[name]):.1f}",
                    f"{peaks[name]:.0f}"))
    print("Images that nobody has (aim: images/s of troupe >= those of sharp)")
    table(("source, format", "by", "p50 ms", "p99 ms", "images/s",
           "peak MB"), rows)


def cached(troupe, plan):
    rows = []
    for kind in all_makers.FORMATS:
        path = troupe.path("12", kind)
        measure.latencies(troupe.port, [path])
        for connections in (1, 4, 16, 64):
            per_s, p50, p99 = measure.wrk(troupe.port, path, connections,
                                          plan.wrk_s)
            rows.append((kind, connections, f"{per_s:,.0f}", f"{p50:.2f}",
                         f"{p99:.2f}"))
    print("Hits, asked for by wrk (aims: 15,000/s, p99 2 ms)")
    table(("format", "connections", "answers/s", "p50 ms", "p99 ms"), rows)


def library(plan, folder):
    """image_bench: a codec child beside libvips in a process of its own."""
    program = harness.BIN / "image_bench"
    if not program.exists():
        print(f"{program} is not built (-DTROUPE_BENCHMARKS=ON)\n")
        return
    least = "0.05" if plan.quick else "1"
    told = subprocess.run(
        [program, "--benchmark_format=json", f"--benchmark_min_time={least}"],
        env={**os.environ, "TMPDIR": str(folder),
             "TROUPE_BENCH_PHOTO": str(folder / "media" / "24.jpg")},
        capture_output=True, text=True, check=True).stdout
    # "NAME/repeats:5/real_time" → milliseconds
    at = {one["run_name"].split("/repeats")[0].removesuffix("/real_time"):
          one["real_time"] for one in json.loads(told)["benchmarks"]
          if one.get("aggregate_name") == "median"}
    rows = []
    for kind in all_makers.FORMATS:
        name = f"12 MP to 300 px {kind}"
        own, theirs = at[f"{name}/child"], at[f"{name}/libvips"]
        rows.append((f"{name}: a child, libvips", f"{own:.1f}, {theirs:.1f} ms",
                     f"x{own / theirs:.2f}", "x1.10"))
    for size, least in (("12", 1.7), ("24", 2)):
        name = f"{size} MP to webp/"
        one = at[name + "150 and 300 and 600"]
        apart = sum(at[name + str(side)] for side in SIDES)
        largest = at[name + "600"]
        rows += [
            (f"{size} MP: 150 + 300 + 600 in one order, 600 alone",
             f"{one:.1f}, {largest:.1f} ms", f"x{one / largest:.2f}", "x1.2"),
            (f"{size} MP: the three separately", f"{apart:.1f} ms",
             f"x{apart / one:.2f}", f"x{least}")]
    print("In a codec child, medians")
    table(("what", "measured", "ratio", "aim"), rows)


def batch_of(troupe, photo, sides, **more):
    return troupe.server.submit("image_batch", {
        "operations": [{"name": str(side), "options": f"w:{side}",
                        "format": "webp"} for side in sides], **more})


def seconds_of(job):
    times = [time_of(job[name]) for name in ("started_at", "finished_at")]
    return times[1] - times[0]


def time_of(text):
    return time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) + float(
        "0" + text[19:-1])


def orders(troupe, plan):
    """A batch's item is one order; separate batches are separate orders."""
    rows = []
    for photo in plan.photos:
        sources = [f"local:///{photo}/{number:03}.jpg"
                   for number in range(plan.sources)]

        def took(*sides):
            job = batch_of(troupe, photo, sides, sources=sources)
            done = troupe.server.wait_for_state(
                job, ("succeeded", "failed"), 600)
            if done["state"] != "succeeded" or done["result"]["failed"]:
                raise measure.Wrong(done)
            return seconds_of(done)

        took(SIDES[0])
        rounds = [(took(*SIDES), took(SIDES[-1]), sum(map(took, SIDES)))
                  for _ in range(plan.rounds)]
        one, alone, apart = map(statistics.median, zip(*rounds))
        rows.append((f"{photo} MP", plan.sources, f"{one:.2f}", f"{alone:.2f}",
                     f"{apart:.2f}", f"x{one / alone:.2f}",
                     f"x{apart / one:.2f}"))
    print("image_batch, WebP of 150, 300 and 600 (aims: x1.2; x1.7, x2.0)")
    table(("source", "files", "one batch, s", "600 alone, s", "three, s",
           "to alone", "three to one"), rows)


def loop_figures(server):
    """Lines of `/metrics` about holds of the event loop."""
    lines = server.get("/metrics").body.decode().splitlines()
    return [line for line in lines if "loop" in line.split("{")[0].split()[0]
            and not line.startswith("#") and "_bucket" not in line]


def pages(troupe, plan, media):
    folder = media / "many"
    folder.mkdir()
    for number in range(BATCH):
        os.link(media / "12.jpg", folder / f"{number:05}.jpg")
    job = batch_of(troupe, "12", SIDES, source_dir="local:///many")
    harness.wait_until(
        lambda: ((troupe.server.job(job) or {}).get("progress") or {}).get(
            "done", 0) > 10, 60, "images of the batch")
    rows = []
    with measure.Pulse(troupe.port) as pulse:
        for kind in ("jpg", "webp"):
            took = measure.paced(troupe.port,
                                 lambda _, kind=kind: troupe.path("12", kind),
                                 5, plan.pages_s / 2)
            good = [each for each in took if each is not None]
            rows.append((kind, len(took), len(took) - len(good),
                         f"{measure.percentile(good, .5):.1f}",
                         f"{measure.percentile(good, .99):.1f}",
                         f"{max(good):.1f}"))
    state = troupe.server.job(job)
    troupe.server.post(f"/v1/jobs/{job}/cancel")
    troupe.server.wait_for_state(job, "cancelled", 60)
    print(f"Pages that wait, 5 a second of 12 MP, while a batch of {BATCH:,} "
          f"runs (it was {state['state']},\n"
          f"{(state.get('progress') or {}).get('done')} were done; aim: p99 "
          "100 ms)")
    table(("format", "asked", "refused", "p50 ms", "p99 ms", "longest ms"),
          rows)
    held = loop_figures(troupe.server) or ["no metric tells it"]
    print(f"/healthz meanwhile, {len(pulse.took):,} times: p99 "
          f"{measure.percentile(pulse.took, .99):.1f} ms, longest "
          f"{max(pulse.took):.1f} ms\nthe event loop's holds (aim: 5 ms): "
          + "\n".join(held) + "\n")


def run(plan, parts, folder):
    media = folder / "media"
    media.mkdir()
    make_photos(media)
    if "library" in parts:
        library(plan, folder)
    if parts == ["library"]:
        return
    makers, missing = all_makers.available(folder, media)
    for words in missing:
        print("not measured:", words)
    troupe = makers[0]
    try:
        if "cold" in parts:
            cold(makers, plan)
        for maker in makers[1:]:
            maker.close()
        del makers[1:]
        if "cached" in parts:
            cached(troupe, plan)
        if "orders" in parts:
            orders(troupe, plan)
        if "pages" in parts:
            pages(troupe, plan, media)
    finally:
        for maker in makers:
            maker.close()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default=",".join(PARTS))
    asked = parser.parse_args()
    parts = asked.only.split(",")
    if not set(parts) <= set(PARTS):
        parser.error(f"--only takes {','.join(PARTS)}")
    print(f"load before: {os.getloadavg()[0]:.2f}, cores: {os.cpu_count()}\n")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="troupe-bench-"))
    try:
        run(Plan(asked.quick), parts, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
