#!/usr/bin/env python3
"""What pools do under load, measured from outside: a step of load that slots
follow, and three times of what the machine can do, while somebody waits.

Starts everything itself on free loopback ports and in a temporary folder.
"""

import argparse
import os
import pathlib
import shutil
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent / "tests" / "program"))

import harness  # noqa: E402
from mixed_load import MixedLoad  # noqa: E402


def figure(server, name):
    lines = server.get("/metrics").body.decode().splitlines()
    return next((float(line.split()[1]) for line in lines
                 if line.split()[0] == name), 0)


def pss(pid):
    """Megabytes: of each page that is shared, a share."""
    lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines
                if line.startswith("Pss:"))


def children_of(pid):
    """The zygote, which has a session of its own, and whom it bore."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        found += (task / "children").read_text().split()
    return [int(child) for child in found]


def memory(folder):
    server = harness.Server(folder).start()
    try:
        harness.wait_until(lambda: children_of(server.process.pid), 20,
                           "a zygote")
        time.sleep(2)
        alone = pss(server.process.pid)
        tree = alone + sum(map(pss, children_of(server.process.pid)))
    finally:
        server.close()
    print(f"idle: server {alone:.1f} MB, with its zygote {tree:.1f} MB (PSS)")


def step(folder):
    """Nothing, then as many jobs as 16 slots end in 20 s, then nothing."""
    server = harness.Server(folder, environment={
        "TROUPE_NODE_SAMPLE_S": "0.5", "TROUPE_POOLS_BULK": "16",
        "TROUPE_POOLS_BULK_MIN": "2", "TROUPE_POOLS_GROW_AFTER_S": "0.5",
        "TROUPE_POOLS_SHRINK_AFTER_S": "5",
        "TROUPE_POOLS_MAX_CPU": "1"}).start()
    print("step: seconds, slots, ended per second")
    began, ended = time.monotonic(), 0
    try:
        for number in range(60):
            if number == 2:
                server.post("/v1/jobs/batch", {"jobs": [
                    {"type": "noop", "params": {"sleep_ms": 100}}] * 2400})
            time.sleep(max(0, began + number + 1 - time.monotonic()))
            queues = server.get("/v1/queues").json["queues"]
            bulk = next((q for q in queues if q["name"] == "bulk"), None)
            now = bulk["depth"]["succeeded"] if bulk else 0
            slots = figure(server, 'troupe_pool_slots{pool="bulk"}')
            print(f"  {number + 1:3d} {slots:4.0f} {now - ended:5d}")
            ended = now
            if slots == 2 and ended == 2400:
                break
    finally:
        server.close()


def mixed(folder, seconds):
    media = folder / "media"
    media.mkdir()
    harness.make_clip(media / "clip.mp4")
    origin = harness.Origin(media)
    server = harness.Server(
        folder, "--media-root", str(media), "--allow-private-sources",
        environment={"TROUPE_POOLS_BULK": "8", "TROUPE_POOLS_BULK_MIN": "8",
                     "TROUPE_POOLS_MAX_AGE_S": "5"}).start()
    try:
        load = MixedLoad(
            server, probe={"source": "local:///clip.mp4"},
            download={"url": origin.url("/files/clip.mp4?n={n}")},
            source="local:///clip.mp4", offer=240).run(seconds)
        print(f"mixed load, {seconds} s:\n{load.report()}")
    finally:
        server.close()
        origin.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--only", choices=["memory", "step", "mixed"])
    asked = parser.parse_args()
    print(f"load before: {os.getloadavg()[0]:.2f}")
    for name, measure in (("memory", memory), ("step", step),
                          ("mixed", lambda to: mixed(to, asked.seconds))):
        if asked.only in (None, name):
            folder = pathlib.Path(tempfile.mkdtemp(prefix="troupe-bench-"))
            try:
                measure(folder)
            finally:
                shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
