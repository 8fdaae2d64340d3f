"""Faults that need a scene of their own, while the load rests."""

import signal
import time

from faults import off_by
from store_faults import fail_over, promote
from stores import wait_for
from world import HOLD, LEASE_S, call, harness, listed, saturated, wait_until


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


def large_batches(run, size, times):
    """So many batches, one after the other, on saturated cores: nothing loses
    its lease, nothing runs twice; the seconds that the slowest took."""
    slowest = 0
    with saturated():
        for _ in range(times):
            begun = time.monotonic()
            answer = run.load.batch(size, run.world.servers[0])
            if not answer:
                run.wrong.append(f"a batch of {size} was refused")
                break
            batch = answer["batch"]["id"]
            wait_until(lambda: has_finished(run, batch), 240,
                       f"a batch of {size} has ended")
            slowest = max(slowest, time.monotonic() - begun)
            again = run_again(run, batch)
            if again:
                run.wrong.append(f"saturated: {len(again)} of a batch of "
                                 f"{size} ran again: {again[:2]}")
    return slowest


def has_finished(run, batch):
    told = call(run.world.servers[-1], "GET", f"/v1/batches/{batch}")
    return told and told.status == 200 and told.json.get("finished_at")


def run_again(run, batch):
    """Jobs of the batch that ended in another attempt than their first."""
    jobs = listed(run.world.servers[-1], f"&batch={batch}")
    return [(job["id"], job["attempt"], job["errors"]) for job in jobs
            if job["attempt"] != 1]


def outage(run, jobs=50):
    """A store away for three leases, or until its copy has its place, costs
    no running job its attempt; how many were running."""
    server = run.world.servers[0]
    ids = all_running(server, jobs)
    if not ids:
        run.wrong.append(f"outage: {jobs} jobs never ran at the same time")
        return 0
    take_away(run)
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


def take_away(run, leases=3):
    if run.world.watched:
        time.sleep(0.5)  # or the copy may not have heard of the claims
        fail_over(run)
        return
    run.world.redis.signal(signal.SIGSTOP)
    time.sleep(leases * LEASE_S)
    run.world.redis.signal(signal.SIGCONT)


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
    if run.world.watched:
        wait_for(run.world.watched.linked, 20)
        submit(None)
        fail_over(run)
    else:
        promote(run, submit)
    for server in run.world.servers:
        wait_until(server.ready, 30, f"{server.name} is ready again")
    lost = [i for i in ids if wait_until(
        lambda job_id=i: call(run.world.servers[0], "GET",
                              f"/v1/jobs/{job_id}"),
        30, "a server answers").status == 404]
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
    server.points.arm("published", HOLD)
    job = server.post("/v1/jobs", {"type": "noop", "params": {
        "output_bytes": 600}}).json
    run.ledger.acknowledged(job, output=True, may_cancel=True)
    held = wait_for(lambda: server.points.is_held("published"), 6)
    if held:
        call(run.world.servers[-1], "POST", f"/v1/jobs/{job['id']}/cancel")
    server.points.disarm()
    return held
