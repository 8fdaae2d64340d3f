#!/usr/bin/env python3
"""Jobs that do nothing in Troupe, BullMQ and Celery, in one run.

All three use one Redis with one fsync, each its own databases; each figure is
measured in turn, `--rounds` times, and the medians are compared. What only one
of them has (a server between application and Redis) is in its figure.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from end_to_end import load, memory_mb, redis, server  # noqa: E402

FUTURE = '{"type":"noop","params":{},"delay_s":86400}'


class Troupe:
    """Our figures; a server per figure, on the databases 0 and 1.

    The pool has its 256 slots from the start, instead of growing to them while
    the first jobs wait.
    """

    def __init__(self, port, jobs):
        self.port, self.jobs = port, jobs
        os.environ["TROUPE_POOLS_BULK_MIN"] = "256"

    def run(self, work):
        flush(self.port, 0)
        with tempfile.TemporaryDirectory(prefix="troupe-bench-") as name:
            folder = pathlib.Path(name)
            with server(f"redis://127.0.0.1:{self.port}/0", folder) as at:
                return work(*at)

    def submit(self):
        return self.run(lambda port, _: load(
            "submit", "--port", port, "--count", self.jobs, "--connections",
            100, "--body", FUTURE)["per_s"])

    def latency(self):
        return self.run(lambda port, _: load(
            "submit", "--port", port, "--count", self.jobs // 10,
            "--connections", 1, "--body", FUTURE)["p99_ms"])

    def end_to_end(self):
        def work(port, child):
            rate = load("jobs", "--port", port, "--count", self.jobs,
                        "--connections", 100)["per_s"]
            return rate, memory_mb(child.pid)
        return self.run(work)

    def bulk(self):
        return self.run(lambda port, _: load(
            "submit", "--port", port, "--count", self.jobs, "--connections",
            4, "--body", FUTURE, "--batch", 500)["per_s"])

    def end_to_end_bulk(self):
        return self.run(lambda port, _: load(
            "jobs", "--port", port, "--count", self.jobs, "--connections", 4,
            "--batch", 500)["per_s"])

    def drain(self):
        return self.run(lambda port, _: load(
            "drain", "--port", port, "--count", self.jobs, "--connections",
            100)["per_s"])


def flush(port, database):
    subprocess.run(["redis-cli", "-p", str(port), "-n", str(database),
                    "flushdb"], check=True, capture_output=True)


def peer(command, mode, port, count):
    done = subprocess.run([*command, mode, str(port), str(count)], cwd=HERE,
                          capture_output=True, text=True, check=False)
    if not done.stdout:
        raise SystemExit(f"{command} {mode} failed: {done.stderr}")
    return json.loads(done.stdout)


class BullMQ:
    def __init__(self, port, jobs):
        self.port, self.jobs = port, jobs
        if not (HERE / "node_modules").is_dir():
            # Not `npm ci`: not every registry has each platform's packages.
            subprocess.run(["npm", "install", "--silent", "--no-save"],
                           cwd=HERE, check=True)

    def ask(self, mode, count=None):
        return peer(["node", "bullmq_bench.js"], mode, self.port,
                    count or self.jobs)

    def submit(self):
        return self.ask("submit")["per_s"]

    def latency(self):
        return self.ask("latency", self.jobs // 10)["p99_ms"]

    def bulk(self):
        return self.ask("bulk")["per_s"]

    def end_to_end(self):
        figures = self.ask("end_to_end")
        return figures["per_s"], figures["memory_mb"]

    def end_to_end_bulk(self):
        return self.ask("end_to_end_bulk")["per_s"]

    def drain(self):
        return self.ask("drain")["per_s"]


class Celery:
    """A tenth of the jobs: it is that much slower."""

    def __init__(self, port, jobs):
        self.port, self.jobs = port, jobs // 10

    def ask(self, mode):
        return peer(["/usr/bin/python3", "celery_bench.py"], mode, self.port,
                    self.jobs)

    def submit(self):
        return self.ask("submit")["per_s"]

    def latency(self):
        return self.ask("latency")["p99_ms"]

    def end_to_end(self):
        figures = self.ask("end_to_end")
        return figures["per_s"], figures["memory_mb"]

    def drain(self):
        return self.ask("drain")["per_s"]


FIGURES = [
    ("submit", "submits/s, one each, 100 in flight", "{:,.0f}"),
    ("bulk", "submits/s, in batches", "{:,.0f}"),
    ("latency", "submit, one after the other: p99 ms", "{:.2f}"),
    ("end_to_end", "jobs/s end to end, one each", "{:,.0f}"),
    ("end_to_end_bulk", "jobs/s end to end, in batches", "{:,.0f}"),
    ("drain", "jobs/s draining a full queue", "{:,.0f}"),
]


def measure(system, figure, rates, memory):
    work = getattr(system, figure, None)
    if work is None:
        return
    name = type(system).__name__
    got = work()
    if isinstance(got, tuple):
        got, megabytes = got
        memory.setdefault(name, []).append(megabytes)
    rates.setdefault(figure, {}).setdefault(name, []).append(got)
    print(f"{figure} {name} {got:,.2f}", file=sys.stderr, flush=True)


def row(cells):
    print("| " + " | ".join(cells) + " |")


def table(rates, memory):
    names = ["Troupe", "BullMQ", "Celery"]
    row(["what", *names, "to BullMQ", "to Celery"])
    row(["---"] * 6)
    for figure, what, form in FIGURES:
        if figure not in rates:
            continue
        got = {name: statistics.median(rates[figure][name])
               for name in names if name in rates[figure]}
        shown = [form.format(got[n]) if n in got else "" for n in names]
        ratios = [f"{got['Troupe'] / got[n]:.1f}"
                  if n in got and "Troupe" in got else "" for n in names[1:]]
        row([what, *shown, *ratios])
    row(["memory of the worker, MB",
         *(f"{max(memory[n]):.0f}" if n in memory else "" for n in names),
         "", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=20000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--fsync", default="everysec")
    parser.add_argument("--only", default="", help="figures, with commas")
    parser.add_argument("--systems", default="Troupe,BullMQ,Celery")
    asked = parser.parse_args()
    rates, memory = {}, {}
    chosen = asked.systems.split(",")
    with tempfile.TemporaryDirectory(prefix="troupe-bench-") as name:
        with redis(pathlib.Path(name), asked.fsync) as port:
            systems = [kind(port, asked.jobs)
                       for kind in (Troupe, BullMQ, Celery)
                       if kind.__name__ in chosen]
            for _ in range(asked.rounds):
                for figure, _, _ in FIGURES:
                    if not asked.only or figure in asked.only.split(","):
                        for system in systems:
                            measure(system, figure, rates, memory)
    table(rates, memory)
    return 0


if __name__ == "__main__":
    sys.exit(main())
