"""What may be believed: our own ledger of what was acknowledged, the files in
the library. Nothing of it is taken from the servers but their last word on
each job, which has to agree with it."""

import contextlib
import hashlib
import json
import os
import pathlib
import threading
import time

from world import call, listed

#: A callback that was taken along by a server that died comes again after 60 s,
#: and may be taken along, or refused, a few times more.
HIDDEN_S = 240
#: An answer that was sent before may be read so much after a fault.
LATE_S = 1.0
#: Who runs a job that a cut has taken away notices after a lease, and may have
#: been publishing until then.
ORPHAN_S = 5.0
#: Servers ask a Sentinel so often who the master is.
LEFT_S = 1.0
#: The two seconds that it takes a Sentinel to notice, the election, the lag.
REPLACED_S = 8.0
TERMINAL = ("succeeded", "failed", "cancelled")
STATES = ("scheduled", "blocked", "queued", "running", "paused", "cancelling",
          *TERMINAL)


class Ledger:
    """Acknowledged ids and how they were asked for; synced line by line."""

    def __init__(self, path):
        self.file = open(path, "ab", buffering=0)
        self.lock = threading.Lock()
        self.jobs = {}
        self.ended = {}
        self.races = []  # (ids that one key was given, begun, ended)

    def write(self, entry, sync=True):
        with self.lock:
            self.file.write(json.dumps(entry).encode() + b"\n")
            if sync:
                os.fsync(self.file.fileno())

    def acknowledged(self, job, sync=True, **about):
        """@param about what it may end as: `may_fail`, `output`."""
        self.write({"id": job["id"], "durability": job["durability"], **about},
                   sync)
        about["at"] = time.monotonic()
        about["durability"] = job["durability"]
        self.jobs.setdefault(job["id"], about)

    def saw_end(self, job):
        """Told to a client: from now on it is so for ever."""
        if self.ended.get(job["id"]) is None:
            self.write({"id": job["id"], "ended": job["state"]})
            self.ended[job["id"]] = (job["state"], time.monotonic())


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def find(world, job_id, timeout=5):
    unknown = 0
    for server in world.servers:
        answer = call(server, "GET", f"/v1/jobs/{job_id}", timeout=timeout)
        if answer and answer.status == 200:
            return answer.json
        unknown += bool(answer and answer.status == 404)
    return {} if unknown == len(world.servers) else None


class Verdict:
    """What was found wrong, by kind. `forgiven` is what a durability does not
    cover; it is counted, but no failure."""

    def __init__(self):
        self.wrong = []
        self.forgiven = []
        self.lost = 0
        self.doubled = 0

    def add(self, kind, text, forgive=False):
        (self.forgiven if forgive else self.wrong).append(f"{kind}: {text}")
        if not forgive:
            self.lost += kind == "lost"
            self.doubled += kind == "doubled"

    def __bool__(self):
        return not self.wrong


class Oracle:
    def __init__(self, world, ledger, receiver):
        self.world = world
        self.ledger = ledger
        self.receiver = receiver
        self.tail_cuts = []   # (monotonic time, seconds that may be lost)
        self.trimmed_at = 0.0  # retention by memory took ended jobs
        self.checked = set()
        self.calls = {}       # callbacks to be heard of
        self.seen = {}        # files of what was checked, by their names

    def replaced(self):
        """The copy that lagged is the master now; the old one may have taken
        something for a second more."""
        self.tail_cuts.append((time.monotonic() + LEFT_S, REPLACED_S))

    def covered(self, at):
        """False for what was told shortly before a tail was cut off."""
        return not any(cut - allowed <= at <= cut + LATE_S
                       for cut, allowed in self.tail_cuts)

    def uncovered(self, job_id):
        """True if the job was open, or ended shortly before, at a cut."""
        begun = self.ledger.jobs.get(job_id, {"at": 0})["at"]
        _, ended = self.ledger.ended.get(job_id) or (None, float("inf"))
        return any(begun <= cut + LATE_S and ended >= cut - allowed
                   for cut, allowed in self.tail_cuts)

    def made_at_cut(self, paths):
        """True if one was published by a job of whose record a cut may have
        taken something: not long before it, or soon after."""
        now, wall = time.monotonic(), time.time()
        times = []
        for path in paths:
            with contextlib.suppress(FileNotFoundError):
                times.append(now - wall + path.stat().st_ctime)
        return any(cut - allowed <= at <= cut + ORPHAN_S
                   for at in times for cut, allowed in self.tail_cuts)

    def when(self, at):
        """In seconds after the last cut, for the report."""
        cuts = [at - cut for cut, _ in self.tail_cuts]
        return f" {min(cuts, key=abs):.2f} s after a cut" if cuts else ""

    def ask(self, job_id):
        """The job, {} if no server knows it, None if not all have said so: a
        spooled one is known to its own server alone."""
        return find(self.world, job_id)

    def many(self, ids):
        """Those that have ended, of more than can be asked for one by one."""
        if len(ids) < 2000:
            return {}
        found, left = {}, set(ids)
        with contextlib.suppress(ConnectionError):
            for job in listed(self.world.servers[0]):
                if not left:
                    break
                if job["id"] in left and job["state"] in TERMINAL:
                    found[job["id"]] = job
                left.discard(job["id"])
        return found

    def wait_for_all(self, ids, seconds):
        """The jobs by id, as soon as all have ended; else as they are."""
        deadline = time.monotonic() + seconds
        jobs = self.many(ids)
        left = set(ids) - set(jobs)
        while left:
            for job_id in sorted(left):
                job = self.ask(job_id)
                if job is not None:
                    jobs[job_id] = job
                if job == {} or (job and job["state"] in TERMINAL):
                    left.discard(job_id)
            if time.monotonic() > deadline:
                break
            if left:
                time.sleep(0.1)
        return jobs

    def check(self, seconds=60, wait=5):
        """@param seconds for all jobs to end; @param wait for callbacks"""
        verdict = Verdict()
        asked = {job_id: about for job_id, about in self.ledger.jobs.items()
                 if job_id not in self.checked}
        jobs = self.wait_for_all(asked, seconds)
        files = self.files()
        self.check_again(files, verdict)
        for job_id, about in asked.items():
            job = jobs.get(job_id)
            self.check_end(job_id, about, job, verdict)
            if job:
                name = about.get("download", job_id)
                paths = files.pop(name, [])
                self.check_files(job, about, paths, verdict)
                if job["state"] in TERMINAL:
                    self.seen[name] = (job_id, set(paths), time.monotonic())
        self.check_races(verdict)
        self.check_strangers(files, verdict)
        self.check_indexes(jobs, verdict)
        self.check_callbacks(jobs, verdict, wait)
        for line in self.world.servers[0].audit():
            verdict.add("index", line)
        self.checked |= {i for i, job in jobs.items()
                         if job and job["state"] in TERMINAL}
        return verdict

    def check_end(self, job_id, about, job, verdict):
        # Its server has it on disk until the store has, too.
        covered = (about["durability"] == "local"
                   or self.covered(about["at"]))
        if job == {} and about["at"] < self.trimmed_at \
                and (job_id in self.ledger.ended or not covered):
            return
        if job is None or job == {}:
            verdict.add("lost", f"{job_id} was acknowledged "
                        f"({about['durability']}){self.when(about['at'])} "
                        "and is not known",
                        forgive=not covered)
            return
        if job["state"] not in TERMINAL:
            verdict.add("lost", f"{job_id} has not ended: {brief(job)}")
        elif job["state"] == "failed" and not about.get("may_fail"):
            verdict.add("lost", f"{job_id} failed: {job['errors'][-1:]}")
        elif job["state"] == "cancelled" and not about.get("may_cancel"):
            verdict.add("lost", f"{job_id} was cancelled by nobody")
        told, at = self.ledger.ended.get(job_id) or (None, 0)
        if told and told != job["state"]:
            verdict.add("changed", f"{job_id} was {told}, is {job['state']}",
                        forgive=not self.covered(at))

    def check_files(self, job, about, paths, verdict):
        forgive = self.uncovered(job["id"])
        wanted = job["state"] == "succeeded" and about.get("output")
        if len(paths) > (1 if wanted else 0):
            verdict.add("doubled", f"{brief(job)} has {paths}", forgive)
        if not wanted:
            return
        path = pathlib.Path(job["result"]["path"])
        if not paths:
            verdict.add("lost", f"{job['id']} succeeded without {path}")
        elif path not in paths:
            verdict.add("wrong", f"{job['id']} is at {paths}, not {path}",
                        forgive)
        elif digest(path) != job["result"]["sha256"]:
            verdict.add("wrong", f"{path} has another hash", forgive)

    def files(self):
        """Published files by the job that they are named by."""
        found = {}
        for path in (self.world.library / "noop").glob("*"):
            found.setdefault(path.name[:26], []).append(path)
        for path in self.world.library.rglob("*.mp4"):
            if ".troupe" not in path.parts:
                found.setdefault(path.parent.name, []).append(path)
        return found

    def check_races(self, verdict):
        """A cut may have taken the key that one of two had left."""
        for ids, begun, ended in self.ledger.races:
            near = any(begun <= cut + LATE_S and ended >= cut - allowed
                       for cut, allowed in self.tail_cuts)
            verdict.add("doubled", f"one key made {ids}", forgive=near)
        self.ledger.races.clear()

    def check_again(self, files, verdict):
        """What has ended gets no more files and loses none. Takes them out."""
        for name, (job_id, before, at) in self.seen.items():
            paths = set(files.pop(name, []))
            if paths != before:
                near = any(cut - allowed <= at <= cut + ORPHAN_S
                           for cut, allowed in self.tail_cuts)
                kind = "lost" if before - paths else "doubled"
                verdict.add(kind, f"{job_id} had {before}, has {paths}",
                            forgive=near)
                self.seen[name] = (job_id, paths, at)

    def check_strangers(self, files, verdict):
        """A submit without an answer may have been stored all the same."""
        for job_id, paths in files.items():
            if job_id.startswith("d"):
                if len(paths) > 1:
                    verdict.add("doubled", f"{paths}")
                continue
            job = self.ask(job_id)
            if not job and self.trimmed_at and len(paths) == 1:
                continue
            if not job or job["state"] != "succeeded" or len(paths) > 1:
                verdict.add("doubled", f"{paths} of {brief(job or {})}",
                            forgive=self.made_at_cut(paths))

    def check_indexes(self, jobs, verdict):
        """Each job is in the list of its own state, and in no other."""
        seen = {}
        for state in STATES:
            try:
                for job in listed(self.world.servers[0], f"&state={state}"):
                    seen.setdefault(job["id"], []).append(state)
            except ConnectionError as error:
                return verdict.add("index", str(error))
        for job_id, job in jobs.items():
            if job and job["state"] in TERMINAL \
                    and seen.get(job_id) != [job["state"]]:
                verdict.add("index", f"{brief(job)} is in {seen.get(job_id)}")
        return None

    def check_callbacks(self, jobs, verdict, wait):
        """Told at least once of its end, always under the same event id."""
        for job_id, job in jobs.items():
            if job and job["state"] in TERMINAL \
                    and self.ledger.jobs[job_id].get("callback"):
                self.calls.setdefault(job_id, (job, time.monotonic()))
        deadline = time.monotonic() + wait
        while self.untold() and time.monotonic() < deadline:
            time.sleep(0.1)
        untold = self.untold()
        for job_id, (job, since) in list(self.calls.items()):
            ids = self.event_ids(job)
            if job_id in untold and time.monotonic() - since < HIDDEN_S:
                continue
            if not ids:
                verdict.add("lost", f"{job_id}: no callback, heard "
                            f"{self.receiver.events(job_id)}",
                            forgive=self.uncovered(job_id))
            if len(ids) > 1:
                verdict.add("doubled", f"{job_id}: events {ids}",
                            forgive=self.uncovered(job_id))
            del self.calls[job_id]

    def event_ids(self, job):
        return {key for event, key in self.receiver.events(job["id"])
                if event == "job." + job["state"]}

    def untold(self):
        return {job_id for job_id, (job, _) in self.calls.items()
                if not self.event_ids(job)}

    def leftovers(self, seconds):
        """Names of what stays staged though everything has ended; the servers
        may take their time."""
        staged = self.world.library / ".troupe"

        def left():
            with contextlib.suppress(FileNotFoundError):
                return sorted(path.name for path in staged.iterdir())
            return []
        deadline = time.monotonic() + seconds
        while left() and time.monotonic() < deadline:
            time.sleep(0.1)
        return left()


def brief(job):
    return {key: job.get(key)
            for key in ("id", "state", "attempt", "errors", "node")}
