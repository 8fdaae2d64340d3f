#!/usr/bin/env python3
"""Breaks the queue and looks whether its promises hold.

    chaos.py [--short | --seconds N] [--kinds sqlite,redis-always,…] [--seed N]
             [--mutate PROMISE] [--report FILE]

Clients submit, race and cancel without a pause, servers and their store are
killed, stopped, cut off and starved meanwhile, and every few faults an oracle
that believes nobody compares what was acknowledged with what came of it. Ends
with 1 if a promise was broken, or if a fault point was never passed.
"""

import argparse
import collections
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

import faults
import report
from load import Load
from oracle import HIDDEN_S, Ledger, Oracle
from receiver import Receiver
from world import World, harness


KINDS = ("sqlite", "redis-always", "redis-everysec")
#: Every so many faults all is healed and looked at.
ROUND = 12
PROMISES = ("fence", "commit_record", "alive_grace")
#: After a fault, what was open and quick has ended; for slow machines, too.
RECOVERED_S = 40
#: A scene whose parts have to meet is tried so often.
TRIES = 3


class Run:
    """One world under load, and what was done to it."""

    def __init__(self, kind, seed, origin, without="", keep=False):
        self.kind = kind
        self.random = random.Random(seed)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="troupe-chaos-"))
        self.world = World(self.folder, kind, without)
        self.ledger = Ledger(self.folder / "ledger")
        self.receiver = Receiver(seed)
        self.oracle = Oracle(self.world, self.ledger, self.receiver)
        self.load = Load(self.world, self.ledger, origin, seed,
                         callback=self.callback(), batches=self.batches())
        self.counts = collections.Counter()
        self.points = collections.Counter()   # faults at each point
        self.slowest = collections.defaultdict(float)
        self.wrong, self.forgiven = [], []
        self.lost = self.doubled = 0
        self.left = []        # staging folders that nobody removes
        self.measured = {}
        self.keep = keep
        self.interrupted = False
        self.cannot = {}      # faults by name, and why not on this machine
        if not self.world.small:
            self.cannot["fill_disk"] = "nothing can be mounted"
        if not faults.FAKETIME:
            self.cannot["clock_jump"] = "libfaketime is not installed"

    def expected(self, short):
        """The faults that have to have happened at the end."""
        names = {"kill_at", "crash_to_rerun", "cancel_against_commit",
                 "large_batch"}
        if self.world.redis:
            names |= {"outage", "zombie"}
        if not short:
            names |= {"long_job", "stop_at", *map(of_name, whole(self)),
                      "clock_jump"}
        if not short and self.kind == "redis-everysec":
            names.add("acknowledged_by_replica")
        return names - set(self.cannot)

    def missing(self, short):
        return sorted(name for name in self.expected(short)
                      if self.counts[name] == 0)

    def callback(self):
        """Where callbacks go, if this server calls back."""
        answer = self.world.servers[0].post("/v1/jobs", {
            "type": "noop", "params": {}, "callback_url": self.receiver.url})
        return self.receiver.url if answer.status == 202 else None

    def batches(self):
        answer = self.world.servers[0].post("/v1/jobs/batch", {
            "jobs": [{"type": "noop", "params": {}}]})
        return answer.status == 202

    def inject(self, name, fault, *arguments):
        before = self.load.quick()
        try:
            begun = fault(self, *arguments)
        except Exception:  # told, and a failure of the run
            self.wrong.append(f"{name}: {traceback.format_exc()}")
            self.world.heal()
            return False
        if begun is None:
            return False
        self.counts[name] += 1
        ended = faults.wait_for(lambda: not before & self.load.open,
                                RECOVERED_S)
        took = time.monotonic() - begun
        self.slowest[name] = max(self.slowest[name], took)
        if not ended:
            self.wrong.append(f"{name}: not recovered in {RECOVERED_S} s")
        return True

    def look(self, wait=5):
        """Heals all and asks the oracle."""
        self.load.rest()
        self.world.heal()
        verdict = self.oracle.check(120, wait)
        self.wrong += verdict.wrong
        self.forgiven += verdict.forgiven
        self.lost += verdict.lost
        self.doubled += verdict.doubled
        self.load.go_on()
        return bool(verdict)

    def close(self):
        self.load.stop()
        self.world.close()
        self.receiver.close()
        if self.wrong and self.keep:
            print(f"  kept: {self.folder}", file=sys.stderr)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)


def of_name(fault):
    return fault.__name__


def whole(run):
    """What can happen to the store and the machine, of this kind and here."""
    found = [faults.busy, faults.kill_in_batch]
    if run.world.small:
        found.append(faults.fill_disk)
    if run.world.small or run.world.redis:
        found += [faults.together, faults.together]
    if run.world.redis:
        # SQLite has no clock but its server's: see `scenes`.
        found += [faults.clock_jump] if faults.FAKETIME else []
        found += [faults.kill_store, faults.stop_store, faults.cut_one_off,
                  faults.cut_all_off, faults.fill_memory,
                  faults.kill_with_spool]
    if run.kind == "redis-everysec":
        found += [faults.cut_tail, faults.promote_replica]
    return found


def plan(run, names):
    """The faults of one pass, in an order of chance: every point once with
    either signal, and what can happen to the store and the machine."""
    steps = []
    for name in names:
        for way in (faults.kill_at, faults.stop_at):
            server = run.random.choice(run.world.servers)
            steps.append((way.__name__, way, server, name))
    for fault in whole(run):
        steps += [(of_name(fault), fault)] * 2
    run.random.shuffle(steps)
    return steps


def until_met(scene):
    """1 as soon as its parts have met, 0 if they never did."""
    return int(any(scene() for _ in range(TRIES)))


def scenes(run, short):
    """What needs the stage for itself."""
    run.load.rest()
    run.world.heal()
    faults.wait_for(lambda: not run.load.open, 20)
    if not short:
        faults.long_job(run)
        run.counts["long_job"] += 1
    run.measured["crash to rerun, s"] = faults.crash_to_rerun(run)
    run.counts["crash_to_rerun"] += 1
    run.counts["cancel_against_commit"] += until_met(
        lambda: faults.cancel_against_commit(run))
    if run.load.batches:
        run.measured["batch under load, s"] = faults.large_batch(
            run, 200 if short else 10000)
        run.counts["large_batch"] += 1
    if run.world.redis:
        run.measured["jobs running in an outage"] = faults.outage(run)
        run.counts["outage"] += run.measured["jobs running in an outage"] > 0
        run.counts["zombie"] += until_met(lambda: faults.zombie(run))
    elif not short and faults.FAKETIME:
        faults.clock_jump_alone(run)
    if not short and run.kind == "redis-everysec":
        run.measured["jobs that a replica had"] = \
            faults.acknowledged_by_replica(run)
        run.counts["acknowledged_by_replica"] += \
            run.measured["jobs that a replica had"] > 0
    run.load.go_on()
    # Seldom met by chance: the publication that a dead server left.
    server = run.world.servers[0]
    run.points["rolled_forward"] += until_met(lambda: run.inject(
        "kill_at", faults.kill_at, server, "rolled_forward"))
    run.look()


def storm(run, until, short):
    """Faults until the time is over; at least one scene."""
    names = run.world.servers[0].points.names()
    scenes(run, short)
    steps = []
    done = 0
    while time.monotonic() < until:
        if not steps:
            steps = plan(run, names)
        name, fault, *arguments = steps.pop()
        if run.inject(name, fault, *arguments):
            if len(arguments) == 2:
                run.points[arguments[1]] += 1
            done += 1
        if done % ROUND == ROUND - 1:
            done += 1
            run.look()
    run.look(wait=5 if short else HIDDEN_S)
    run.load.rest()
    run.left = run.oracle.leftovers(10)


def one(kind, seconds, asked, origin, seed, without=""):
    run = Run(kind, seed, origin, without, asked.keep)
    try:
        if without:
            for _ in range(5):
                if not run.wrong:
                    scenes(run, short=True)
        else:
            storm(run, time.monotonic() + seconds, asked.short)
    except Exception:  # whatever it was, it is told, and fails the run
        run.wrong.append(traceback.format_exc())
    except KeyboardInterrupt:
        run.interrupted = True
    finally:
        try:
            run.hits = run.world.hits()
        finally:
            run.close()
    return run


def mutations(asked, origin):
    """Takes each promise out; true if the suite noticed every time."""
    noticed = True
    names = PROMISES if asked.mutate == "all" else [asked.mutate]
    for number, name in enumerate(names):
        run = one("redis-always", 0, asked, origin, asked.seed + number, name)
        print(f"without {name}: {len(run.wrong)} wrong")
        for text in run.wrong[:3]:
            print(f"   {text[:300]}")
        noticed = noticed and bool(run.wrong)
    return noticed


def make_origin(folder):
    harness.make_clip(folder / "clip.mp4", seconds=1)
    return harness.Origin(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--seconds", type=int, default=1200)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--mutate", choices=(*PROMISES, "all"))
    parser.add_argument("--report", default="build/chaos/report.md")
    parser.add_argument("--keep", action="store_true")
    asked = parser.parse_args()
    seconds = 48 if asked.short else asked.seconds
    kinds = asked.kinds.split(",")
    media = pathlib.Path(tempfile.mkdtemp(prefix="troupe-chaos-media-"))
    origin = make_origin(media)
    runs = []
    try:
        if asked.mutate:
            return 0 if mutations(asked, origin) else 1
        for number, kind in enumerate(kinds):
            print(f"== {kind}, seed {asked.seed + number}", flush=True)
            run = one(kind, seconds / len(kinds), asked, origin,
                      asked.seed + number)
            runs.append(run)
            print(f"   {sum(run.counts.values())} faults, "
                  f"{len(run.ledger.jobs)} jobs, {len(run.wrong)} wrong",
                  flush=True)
            for text in run.wrong[:20]:
                print(f"   {text}", flush=True)
            if run.interrupted:
                break
    finally:
        origin.close()
        shutil.rmtree(media, ignore_errors=True)
    return report.write(pathlib.Path(asked.report), runs, asked)


def with_mounts():
    """Where only root may mount, we are root of a namespace of our own."""
    unshare = ["unshare", "--user", "--map-root-user", "--mount"]
    if os.geteuid() != 0 and not subprocess.run(
            [*unshare, "true"], capture_output=True, check=False).returncode:
        os.execvp(unshare[0], [*unshare, sys.executable, "-B", *sys.argv])


if __name__ == "__main__":
    with_mounts()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))
    sys.exit(main())
