#!/usr/bin/python3
"""Celery doing jobs that do nothing: `celery_bench.py MODE PORT COUNT`.

One JSON line out. The worker is a process of its own with one child per core,
started by `drain` and `end_to_end`; a job has ended when its result is stored.
"""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import time

import celery
import redis

PORT = os.environ.get("CELERY_BENCH_PORT") or sys.argv[2]
APP = celery.Celery("celery_bench", broker=f"redis://127.0.0.1:{PORT}/3",
                    backend=f"redis://127.0.0.1:{PORT}/4")
APP.conf.task_acks_late = True  # a job of a worker that dies is done again


@APP.task(name="noop")
def noop():
    return {}


def results():
    return redis.Redis(port=int(PORT), db=4).dbsize()


def memory_mb(pid):
    """Of a process and its children, shared pages by their share."""
    kib = 0
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True,
                           text=True, check=False).stdout.split()
    for each in [str(pid), *found]:
        with contextlib.suppress(OSError):
            text = pathlib.Path(f"/proc/{each}/smaps_rollup").read_text()
            kib += sum(int(line.split()[1]) for line in text.splitlines()
                       if line.startswith("Pss:"))
    return kib / 1024


@contextlib.contextmanager
def worker():
    child = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "celery_bench", "worker",
         "-c", str(os.cpu_count()), "-l", "ERROR", "--without-gossip",
         "--without-mingle", "--without-heartbeat"],
        cwd=pathlib.Path(__file__).parent,
        env={**os.environ, "CELERY_BENCH_PORT": str(PORT)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield child.pid
    finally:
        child.terminate()
        child.wait()


def wait_for(count):
    while results() < count:
        time.sleep(0.01)


def submit(count):
    begun = time.monotonic()
    for _ in range(count):
        noop.delay()
    return {"per_s": count / (time.monotonic() - begun)}


def latency(count):
    times = []
    for _ in range(count):
        begun = time.monotonic()
        noop.delay()
        times.append((time.monotonic() - begun) * 1000)
    times.sort()
    return {"p50_ms": times[count // 2], "p99_ms": times[count * 99 // 100]}


def end_to_end(count):
    with worker() as pid:
        noop.delay()
        wait_for(1)
        begun = time.monotonic()
        submit(count)
        wait_for(count + 1)
        return {"per_s": count / (time.monotonic() - begun),
                "memory_mb": memory_mb(pid)}


def drain(count):
    submit(count)
    begun = time.monotonic()
    with worker():
        wait_for(1)
        begun, done = time.monotonic(), results()
        wait_for(count)
        return {"per_s": (count - done) / (time.monotonic() - begun)}


def main():
    modes = {"submit": submit, "latency": latency, "end_to_end": end_to_end,
             "drain": drain}
    store = redis.Redis(port=int(PORT), db=3)
    for number in (3, 4):
        redis.Redis(port=int(PORT), db=number).flushdb()
    print(json.dumps(modes[sys.argv[1]](int(sys.argv[3]))))
    store.flushdb()


if __name__ == "__main__":
    main()
