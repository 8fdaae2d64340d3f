"""The faults. Each takes the run (world, load, oracle, random) and breaks one
thing while clients go on; what is broken is whole again when it returns, and
it returns when that began, or None if it did not happen."""

import contextlib
import os
import pathlib
import signal
import threading
import time

import store_faults
from stores import wait_for
from world import LEASE_S, call, saturated

FAKETIME = sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))


def at_start(run, server, name, number):
    """What only happens to the work that a dead server left. The others stand
    still meanwhile, or they would do it."""
    others = [each for each in run.world.servers
              if each is not server and each.alive()]
    if name == "rolled_forward":
        server.points.arm("commit_stored", signal.SIGKILL)
        wait_for(lambda: not server.alive(), 6)
        server.points.disarm()
        for other in others:
            other.process.send_signal(signal.SIGSTOP)
    server.kill()
    server.points.arm(name, number)
    server.start(wait=False)
    met = wait_for(lambda: server.is_stopped() or not server.alive(), 6)
    server.points.disarm()
    for other in others:
        other.go_on()
    return met


def at_point(run, server, name, number):
    """Raises the signal where the process passes that point next."""
    if name in ("adopted", "rolled_forward"):
        return at_start(run, server, name, number)
    rare = name == "checkpoint_seen"  # once in a download
    server.points.arm(name, number, 1 if rare else run.random.randint(1, 2))
    gone = (lambda: server.is_stopped()) if number == signal.SIGSTOP \
        else (lambda: not server.alive())
    met = wait_for(gone, 15 if rare else 3)
    server.points.disarm()
    return met


def kill_at(run, server, name):
    """SIGKILL at a fault point; at once, or after others have recovered."""
    at_point(run, server, name, signal.SIGKILL)
    begun = time.monotonic()
    if server.alive():
        return None
    if len(run.world.servers) > 1 and run.random.random() < 0.4:
        time.sleep(run.random.uniform(0, 2.5 * LEASE_S))
    server.process.wait()
    server.restart()
    return begun


def stop_at(run, server, name):
    """SIGSTOP at a fault point, for less or more than a lease; SIGCONT."""
    if not at_point(run, server, name, signal.SIGSTOP):
        server.go_on()
        if not server.alive():
            server.restart()
        return None
    begun = time.monotonic()
    time.sleep(run.random.choice((0.3, 1.5, 3)) * LEASE_S)
    server.go_on()
    return begun


def fill_disk(run):
    """No byte fits any more, for a while: of the library, the staging, the
    embedded store."""
    begun = time.monotonic()
    filler = run.world.disk / "filler"
    with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as out:
        while out.write(bytes(1 << 20)):
            pass
    with contextlib.suppress(OSError), open(filler, "ab", buffering=0) as out:
        while out.write(bytes(512)):
            pass
    time.sleep(run.random.uniform(0.5, 2))
    filler.unlink()
    return begun


def off_by(offset):
    """The environment of a server whose clock is so many seconds off."""
    return {"LD_PRELOAD": str(FAKETIME[0]), "FAKETIME": offset,
            "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def clock_jump(run):
    """A server whose clock is ten minutes off, for one life."""
    server = run.random.choice(run.world.servers)
    begun = time.monotonic()
    server.kill()
    server.start(more=off_by(run.random.choice(("+600", "-600"))))
    time.sleep(1.5 * LEASE_S)
    server.kill()
    server.start()
    return begun


def kill_in_batch(run, size=500):
    """A server dies while it stores a batch: all of it is there, or none."""
    server = run.random.choice(run.world.servers)
    tag = f"batch{run.random.randrange(1 << 40)}"
    point = run.random.choice(("submit_before", "submit_stored",
                               "store_writing", "store_written"))
    server.points.arm(point, signal.SIGKILL, run.random.randint(1, 4))
    call(server, "POST", "/v1/jobs/batch", {
        "tags": [tag], "jobs": [{"type": "noop", "params": {}, "tags": [tag]}
                                for _ in range(size)]}, timeout=20)
    met = wait_for(lambda: not server.alive(), 3)
    begun = time.monotonic()
    server.points.disarm()
    if met:
        server.process.wait()
        server.restart()

    def jobs():
        told = call(server, "GET", f"/v1/jobs?tag={tag}&page_size=1000",
                    timeout=20)
        return told.json["jobs"] if told and told.status == 200 else None

    def ended():
        now = jobs()
        return now is not None and len(now) in (0, size) \
            and all(job["state"] == "succeeded" for job in now)
    if not wait_for(ended, 60):
        now = jobs() or []
        run.wrong.append(f"batch killed at {point}: {len(now)} of {size} jobs,"
                         f" {sorted({job['state'] for job in now})}")
    return begun if met else None


def busy(run):
    """Every core has more to do than it can, for several leases."""
    begun = time.monotonic()
    with saturated():
        time.sleep(3 * LEASE_S)
    return begun


def together(run):
    """A server dies at a point while something else is broken, too."""
    others = [fill_disk] if run.world.small else []
    others += store_faults.brief(run)
    if not others:
        return None
    also = threading.Thread(target=run.random.choice(others), args=(run,))
    server = run.random.choice(run.world.servers)
    begun = time.monotonic()
    also.start()
    try:
        kill_at(run, server, run.random.choice(server.points.names()))
    finally:
        also.join()
    if not server.alive():
        server.restart()
    return begun


def whole(run):
    """What can happen to the store and the machine, of this kind and here."""
    found = [busy, kill_in_batch]
    if run.world.small:
        found.append(fill_disk)
    if run.world.small or run.world.redis:
        found += [together, together]
    if run.world.redis and FAKETIME:
        # SQLite has no clock but its server's: see `scenes`.
        found.append(clock_jump)
    return found + store_faults.whole(run)
