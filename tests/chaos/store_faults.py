"""What is broken of the store that servers share, or between it and them."""

import contextlib
import os
import signal
import time

from stores import Redis, Wire, wait_for
from world import LEASE_S, call, wait_until

#: What `everysec` may lose: a second, and two that a slow sync takes longer.
TAIL_S = 3.5


def kill_store(run):
    begun = time.monotonic()
    run.world.redis.kill()
    if run.kind == "redis-everysec":
        # While a sync takes its time, Redis holds back what it would write.
        run.oracle.tail_cuts.append((time.monotonic(), TAIL_S))
    time.sleep(run.random.uniform(0, 1.5))
    run.world.redis.start()
    return begun


def stop_store(run):
    begun = time.monotonic()
    run.world.redis.signal(signal.SIGSTOP)
    time.sleep(run.random.choice((0.5, 3)) * LEASE_S)
    run.world.redis.signal(signal.SIGCONT)
    return begun


def cut_one_off(run):
    """One server's wire to the store carries nothing; the other goes on."""
    begun = time.monotonic()
    wire = run.random.choice(run.world.wires)
    wire.cut()
    time.sleep(run.random.choice((0.5, 1.5, 3)) * LEASE_S)
    wire.heal()
    return begun


def cut_all_off(run):
    begun = time.monotonic()
    for wire in run.world.wires:
        wire.cut()
    time.sleep(run.random.choice((0.5, 3)) * LEASE_S)
    for wire in run.world.wires:
        wire.heal()
    return begun


def fill_memory(run):
    """Submits are refused; what runs ends. Redis' share for finished jobs is
    exceeded with it: they go, the oldest first, so we look before."""
    redis = run.world.redis
    run.look()
    wait_for(lambda: len(run.load.quick()) > 10, 5)
    begun = time.monotonic()
    redis.ask("CONFIG", "SET", "maxmemory", str(redis.used_memory() + 20000))
    before = run.load.quick()
    ended = wait_for(lambda: not before & run.load.open, 15)
    run.load.rest()
    wait_for(lambda: not run.load.quick(), 5)
    redis.ask("CONFIG", "SET", "maxmemory", "0")
    run.oracle.trimmed_at = time.monotonic()
    run.load.go_on()
    if not ended:
        run.wrong.append("maxmemory: running work did not end: "
                         f"{sorted(before & run.load.open)[:3]}")
    return begun


def cut_tail(run):
    """What a power cut does: the newest writes were never synced. Redis
    writes whole transactions; one torn in two it does not take out of its log
    (seen with 7.0.15), which then holds half of it for the next start."""
    redis = run.world.redis
    size = redis.append_file().stat().st_size
    begun = time.monotonic()
    time.sleep(run.random.uniform(0.1, 1.5))
    redis.kill()
    run.oracle.tail_cuts.append((time.monotonic(), TAIL_S))
    os.truncate(redis.append_file(), size)
    redis.start()
    return begun


def promote_replica(run):
    """The store's machine is gone; a copy that lagged takes its place."""
    def lag(wire):
        wire.cut()
        time.sleep(run.random.uniform(0, 1))
    return promote(run, lag)


def promote(run, just_before):
    """A copy of the store takes its place when `just_before(wire)` is over."""
    world, old = run.world, run.world.redis
    wire = Wire(old.port)
    copy = Redis(world.folder, old.fsync, wire.port)
    copy.start()
    wait_until(lambda: copy.info("replication", "master_link_status") == "up",
               60, "the replica has its copy")
    just_before(wire)
    begun = time.monotonic()
    old.kill()
    run.oracle.tail_cuts.append((time.monotonic(), TAIL_S))
    wire.close()
    copy.promote()
    world.single = copy
    for each in world.wires:
        each.to = copy.port
    return begun


def kill_with_spool(run):
    """A server dies that holds what its store has not heard of."""
    server = run.random.choice(run.world.servers)
    redis = run.world.redis
    redis.signal(signal.SIGSTOP)
    local = 0
    for _ in range(5):
        job = call(server, "POST", "/v1/jobs", {
            "type": "noop", "params": {"output_bytes": 300}}, timeout=5)
        if job and job.status == 202:
            run.ledger.acknowledged(job.json, output=True)
            local += job.json["durability"] == "local"
    begun = time.monotonic()
    server.kill()
    server.start(wait=False)
    time.sleep(run.random.uniform(0, LEASE_S))
    redis.signal(signal.SIGCONT)
    up = False
    with contextlib.suppress(AssertionError):
        up = wait_for(server.ready, 10)
    if not up:
        server.close()
        server.restart()
    return begun if local else None


# -- behind a Sentinel --------------------------------------------------------


def promoted(run, old, seconds=40):
    """True as soon as another one is the master."""
    return wait_for(lambda: run.world.watched.master is not old, seconds)


def replaced(run, old, how):
    """`how()` makes the Sentinel replace the master; when that began."""
    begun = time.monotonic()
    how()
    if not promoted(run, old):
        run.wrong.append("the Sentinel has promoted nobody")
    return begun


def fail_over(run):
    """The master dies; the Sentinel notices. It comes back as a copy."""
    watched = run.world.watched
    if not wait_for(watched.linked, 20):
        return None
    begun = replaced(run, watched.master, watched.master.kill)
    watched.start_copy()
    return begun


def switch_over(run):
    """The Sentinel is told to change the master, who is well."""
    watched = run.world.watched
    if not wait_for(watched.linked, 20) or not wait_for(watched.fail_over, 10):
        return None
    return replaced(run, watched.master, lambda: None)


def freeze_master(run):
    """The master stands still until another has its place, and goes on as if
    it were the master."""
    watched = run.world.watched
    if not wait_for(watched.linked, 20):
        return None
    old = watched.master
    begun = replaced(run, old, lambda: old.signal(signal.SIGSTOP))
    old.signal(signal.SIGCONT)
    return begun


# -- which there are ----------------------------------------------------------


def brief(run):
    """What may happen while a server dies, too."""
    if run.world.watched:
        return [fail_over]
    if not run.world.redis:
        return []
    return [stop_store, kill_store, cut_one_off, cut_all_off]


def whole(run):
    """All that can happen to a store of this kind."""
    if run.world.watched:
        return [fail_over, switch_over, freeze_master, kill_with_spool]
    if not run.world.redis:
        return []
    found = [kill_store, stop_store, cut_one_off, cut_all_off, fill_memory,
             kill_with_spool]
    if run.kind == "redis-everysec":
        found += [cut_tail, promote_replica]
    return found
