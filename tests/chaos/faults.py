"""The faults. Each takes the run (world, load, oracle, random) and breaks one
thing while clients go on; what is broken is whole again when it returns."""

import contextlib
import os
import pathlib
import random
import signal
import subprocess
import threading
import time

from world import LEASE_S, Redis, Wire, call, harness, wait_until

FAKETIME = sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))


#: What `everysec` may lose: a second, and two that a slow sync takes longer.
TAIL_S = 3.5


def wait_for(condition, seconds):
    """As `wait_until`, but False at the end."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.005)
    return False


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


def kill_with_spool(run):
    """A server dies that holds what its store has not heard of."""
    server = run.random.choice(run.world.servers)
    run.world.redis.signal(signal.SIGSTOP)
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
    run.world.redis.signal(signal.SIGCONT)
    up = False
    with contextlib.suppress(AssertionError):
        up = wait_for(server.ready, 10)
    if not up:
        server.close()
        server.restart()
    return begun if local else None


def busy(run):
    """Every core has more to do than it can, for several leases."""
    begun = time.monotonic()
    burners = [subprocess.Popen(["/bin/sh", "-c", "while :; do :; done"])
               for _ in range(2 * (os.cpu_count() or 1))]
    time.sleep(3 * LEASE_S)
    for burner in burners:
        burner.kill()
        burner.wait()
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


def together(run):
    """A server dies at a point while something else is broken, too."""
    others = [fill_disk] if run.world.small else []
    if run.world.redis:
        others += [stop_store, kill_store, cut_one_off, cut_all_off]
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
    world.redis = copy
    for each in world.wires:
        each.to = copy.port
    return begun


# -- faults that need a scene of their own; the load rests --------------------


def long_job(run):
    """A job that runs ten leases long runs once."""
    server = run.world.servers[-1]
    job_id = server.submit("noop", {"sleep_ms": int(10 * LEASE_S * 1000),
                                    "steps": 20, "output_bytes": 100})
    job = server.wait_for_state(job_id, ("succeeded", "failed"), 30)
    if (job["state"], job["attempt"], job["errors"]) != ("succeeded", 1, []):
        run.wrong.append(f"ten leases: {job['attempt']} attempts, "
                         f"{job['errors']}")


def crash_to_rerun(run):
    """A killed server that is started again goes on at once; the seconds, the
    best of three since the cores may be busy."""
    took = harness.best_of(3, lambda: one_crash_to_rerun(run), 1)
    if took > 1:
        run.wrong.append(f"crash to rerun took {took:.2f} s")
    return took


def one_crash_to_rerun(run):
    server = run.world.servers[0]
    job_id = server.submit("noop", {"sleep_ms": 600000, "steps": 600})
    first = server.wait_for_state(job_id, "running", 30)
    owner = next(each for each in run.world.servers
                 if each.node_id() == first["node"])
    owner.kill()
    begun = time.monotonic()
    owner.start()

    def again():
        job = call(owner, "GET", f"/v1/jobs/{job_id}")
        return job and job.json["state"] == "running" \
            and job.json["started_at"] != first["started_at"]
    wait_until(again, 60, "the job runs again")
    took = time.monotonic() - begun
    owner.post(f"/v1/jobs/{job_id}/cancel")
    owner.wait_for_state(job_id, "cancelled", 30)
    return took


def large_batch(run, size):
    """Ten thousand jobs at once on cores that have more to do than they can:
    nothing loses its lease, nothing runs twice; the seconds."""
    burners = [subprocess.Popen(["/bin/sh", "-c", "while :; do :; done"])
               for _ in range(2 * (os.cpu_count() or 1))]
    begun = time.monotonic()
    try:
        answer = run.load.batch(size, run.world.servers[0])
        if not answer:
            run.wrong.append(f"a batch of {size} was refused")
            return 0

        def ended():
            told = call(run.world.servers[-1], "GET",
                        f"/v1/batches/{answer['batch']['id']}")
            return told and told.status == 200 \
                and told.json.get("finished_at")
        wait_until(ended, 120, f"a batch of {size} has ended")
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()
    return time.monotonic() - begun


def outage(run, jobs=50, leases=3):
    """A store away for three leases costs no running job its attempt; how
    many were running."""
    server = run.world.servers[0]
    ids = all_running(server, jobs)
    if not ids:
        run.wrong.append(f"outage: {jobs} jobs never ran at the same time")
        return 0
    run.world.redis.signal(signal.SIGSTOP)
    time.sleep(leases * LEASE_S)
    run.world.redis.signal(signal.SIGCONT)
    again = []
    for job_id in ids:
        job = server.wait_for_state(job_id, ("succeeded", "failed"), 60)
        if (job["state"], job["attempt"], job["errors"]) \
                != ("succeeded", 1, []):
            again.append((job_id, job["attempt"], job["errors"]))
    if again:
        run.wrong.append(f"outage: {len(again)} of {len(ids)} running "
                         f"jobs lost their attempt: {again[:2]}")
    return len(ids)


def all_running(server, count):
    """Ids of so many jobs that run at this moment, or none. Each try gives
    them more time, for a machine where starting them all takes long."""
    for seconds in (4, 8, 16):
        made = call(server, "POST", "/v1/jobs/batch", {
            "jobs": [{"type": "noop", "params": {"sleep_ms": seconds * 1000,
                                                 "steps": 8}}] * count},
            timeout=30)
        if not made or made.status != 202:
            continue
        ids = set(made.json["ids"])

        def running():
            told = call(server, "GET",
                        "/v1/jobs?state=running&page_size=1000")
            return told and told.status == 200 \
                and ids <= {job["id"] for job in told.json["jobs"]}
        if wait_for(running, seconds):
            return ids
        batch = made.json["batch"]["id"]
        call(server, "POST", f"/v1/batches/{batch}/cancel")
    return set()


def clock_jump_alone(run):
    """SQLite's time is its server's clock, ten minutes off for one life each
    way. What waits for no time of day ends, once; load with retries rests."""
    server = run.world.servers[0]
    for offset in ("+600", "-600"):
        server.kill()
        server.start(more=off_by(offset))
        ids = []
        for i in range(20):
            job = server.post("/v1/jobs", {"type": "noop", "params": {
                "output_bytes": 300, "sleep_ms": 3000 * (i % 2)}}).json
            run.ledger.acknowledged(job, output=True)
            ids.append(job["id"])
        server.kill()
        server.start()
        for job_id in ids:
            job = server.wait_for_state(job_id, ("succeeded", "failed"), 30)
            if (job["state"], job["attempt"]) != ("succeeded", 1):
                run.wrong.append(f"clock {offset}: {job_id} {job['state']} "
                                 f"in attempt {job['attempt']}")
        run.counts["clock_jump"] += 1


def acknowledged_by_replica(run):
    """What was answered as `replica` survives the loss of the master; how
    many jobs were. Servers notice a new replica within a second or two."""
    ids = []

    def submit(_):
        deadline = time.monotonic() + 20
        for i in range(10_000):
            if len(ids) >= 30 or time.monotonic() > deadline:
                break
            job = run.world.servers[i % 2].post("/v1/jobs", {
                "type": "noop", "params": {}, "durability": "replica"}).json
            if job["durability"] == "replica":
                ids.append(job["id"])
    promote(run, submit)
    for server in run.world.servers:
        wait_until(server.ready, 30, f"{server.name} is ready again")
    lost = [i for i in ids if call(run.world.servers[0], "GET",
                                   f"/v1/jobs/{i}").status == 404]
    if lost:
        run.wrong.append(f"lost: {len(lost)} jobs that a replica had")
        run.lost += len(lost)
    return len(ids)


def zombie(run):
    """An attempt that was taken for dead comes back when its successor has
    published, and not said so yet: it commits nothing, publishes nothing."""
    first, second = run.world.servers
    first.points.arm("commit_before", signal.SIGSTOP)
    for _ in range(30):
        job = call(first, "POST", "/v1/jobs", {
            "type": "noop", "params": {"output_bytes": 700, "sleep_ms": 50}},
            timeout=1)
        if job and job.status == 202:
            run.ledger.acknowledged(job.json, output=True)
        if wait_for(first.is_stopped, 0.4):
            break
    second.points.arm("published", signal.SIGSTOP)
    met = wait_for(second.is_stopped, 6 * LEASE_S)
    first.go_on()
    time.sleep(1)
    second.go_on()
    for server in run.world.servers:
        server.points.disarm()
        server.go_on()
    return met


def cancel_against_commit(run):
    """Cancelled between publication and its record: the file decides."""
    server = run.world.servers[0]
    # Armed only when the answer is here: a stopped server gives none.
    job = server.post("/v1/jobs", {"type": "noop", "params": {
        "output_bytes": 600, "sleep_ms": 500}}).json
    run.ledger.acknowledged(job, output=True, may_cancel=True)
    server.points.arm("published", signal.SIGSTOP)
    if not wait_for(server.is_stopped, 6):
        server.points.disarm()
        server.go_on()
        return False
    told = threading.Thread(target=call, args=(
        run.world.servers[-1], "POST", f"/v1/jobs/{job['id']}/cancel"))
    told.start()
    time.sleep(0.2)
    server.go_on()
    told.join()
    return True
