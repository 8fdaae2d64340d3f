#!/usr/bin/env python3
"""Breaks the queue and looks whether its promises hold.

    chaos.py [--short | --seconds N] [--kinds sqlite,redis-always,…] [--seed N]
             [--mutate PROMISE|all] [--report FILE] [--keep]

Clients submit, race and cancel without a pause, servers and their store are
killed, stopped, cut off and starved meanwhile, and every few faults an oracle
that believes nobody compares what was acknowledged with what came of it. Ends
with 1 if a promise was broken, or if a fault point was never passed.
"""

import argparse
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

import faults
import report
import scenes
from oracle import HIDDEN_S
from run import Run, of_name
from stores import wait_for
from world import harness


KINDS = ("sqlite", "redis-always", "redis-everysec", "redis-sentinel")
#: Every so many faults all is healed and looked at.
ROUND = 12
#: Each with the scene that is about it, what is said if it is not kept, and the
#: stores on which it is taken out: a zombie and an outage take two servers.
PROMISES = {
    "fence": (scenes.zombie, "doubled:", ("redis-always",)),
    "commit_record": (scenes.cancel_against_commit, "doubled:",
                      ("redis-always", "sqlite")),
    "alive_grace": (scenes.outage, "outage: .* lost their attempt",
                    ("redis-always",)),
}
#: Batches on saturated cores: their size, and how many in a row.
LARGE = (10_000, 4)
#: A scene whose parts have to meet is tried so often.
TRIES = 3


def plan(run, names):
    """The faults of one pass, in an order of chance: every point once with
    either signal, and what can happen to the store and the machine."""
    steps = []
    for name in names:
        for way in (faults.kill_at, faults.stop_at):
            server = run.random.choice(run.world.servers)
            steps.append((way.__name__, way, server, name))
    for fault in faults.whole(run):
        steps += [(of_name(fault), fault)] * 2
    run.random.shuffle(steps)
    return steps


def until_met(scene):
    """1 as soon as its parts have met, 0 if they never did."""
    return int(any(scene() for _ in range(TRIES)))


def alone(run):
    """Nobody asks, nothing is broken, all has ended."""
    run.load.rest()
    run.world.heal()
    wait_for(lambda: not run.load.open, 20)


def play(run, short):
    """What needs the stage for itself."""
    alone(run)
    if not short:
        scenes.long_job(run)
        run.counts["long_job"] += 1
    run.measured["crash to rerun, s"] = scenes.crash_to_rerun(run)
    run.counts["crash_to_rerun"] += 1
    run.counts["cancel_against_commit"] += until_met(
        lambda: scenes.cancel_against_commit(run))
    if run.load.batches:
        size, times = (200, 1) if short else LARGE
        run.measured["slowest batch under load, s"] = scenes.large_batches(
            run, size, times)
        run.counts["large_batches"] += times
    if run.world.redis:
        play_shared(run, short)
    elif not short and faults.FAKETIME:
        scenes.clock_jump_alone(run)
    run.load.go_on()
    # Seldom met by chance: the publication that a dead server left.
    server = run.world.servers[0]
    run.points["rolled_forward"] += until_met(lambda: run.inject(
        "kill_at", faults.kill_at, server, "rolled_forward"))
    run.look()


def play_shared(run, short):
    """With a store that can be away, and a second server."""
    run.measured["jobs running in an outage"] = scenes.outage(run)
    name = "fail_over" if run.world.watched else "outage"
    run.counts[name] += run.measured["jobs running in an outage"] > 0
    run.counts["zombie"] += until_met(lambda: scenes.zombie(run))
    if not short and run.kind in ("redis-everysec", "redis-sentinel"):
        run.measured["jobs that a replica had"] = \
            scenes.acknowledged_by_replica(run)
        run.counts["acknowledged_by_replica"] += \
            run.measured["jobs that a replica had"] > 0


def storm(run, until, short):
    """Faults until the time is over; at least one scene."""
    names = run.world.servers[0].points.names()
    play(run, short)
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


def within(run, work):
    """What `work()` throws is told, and fails the run."""
    try:
        work()
    except Exception:
        run.wrong.append(traceback.format_exc())
    except KeyboardInterrupt:
        run.interrupted = True
    finally:
        try:
            run.hits = run.world.hits()
        finally:
            run.close()
    return run


def one(kind, seconds, asked, origin, seed):
    run = Run(kind, seed, origin, keep=asked.keep)
    return within(run, lambda: storm(run, time.monotonic() + seconds,
                                     asked.short))


def unkept(run, promise):
    """What the oracle said that only a broken promise makes it say."""
    told = re.compile(PROMISES[promise][1])
    return [text for text in run.wrong if told.match(text)]


def mutate(promise, kind, asked, origin):
    """Takes it out; true if the scene that is about it notices."""
    run = Run(kind, asked.seed, origin, promise, asked.keep)

    def work():
        for _ in range(TRIES):
            alone(run)
            PROMISES[promise][0](run)
            run.look()
            if unkept(run, promise):
                break
    within(run, work)
    found = unkept(run, promise)
    print(f"without {promise} on {kind}: {len(found)} wrong")
    for text in (found or run.wrong)[:3]:
        print(f"   {text[:300]}", flush=True)
    return bool(found)


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
            names = PROMISES if asked.mutate == "all" else [asked.mutate]
            return 0 if all([mutate(name, kind, asked, origin)
                             for name in names
                             for kind in PROMISES[name][2]]) else 1
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
