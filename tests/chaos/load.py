"""Clients that never stop asking, and write down what was answered."""

import random
import threading
import time
import uuid

from oracle import TERMINAL, find
from world import call


class Load:
    """Submits jobs of all sorts from a few threads, up to `most` open."""

    def __init__(self, world, ledger, origin=None, seed=1, threads=3, most=40,
                 callback=None, batches=False):
        self.world, self.ledger, self.origin = world, ledger, origin
        self.callback, self.batches = callback, batches
        self.random = random.Random(seed)
        self.most = most
        self.paused = threading.Event()
        self.ended = threading.Event()
        self.open = set()
        self.slow = set()  # downloads, ever
        self.lock = threading.Lock()
        self.submitted = 0
        self.asking = 0    # clients that wait for an answer
        self.threads = [threading.Thread(target=self.run, daemon=True)
                        for _ in range(threads)]
        self.threads.append(threading.Thread(target=self.watch, daemon=True))
        for thread in self.threads:
            thread.start()

    def pick(self):
        return self.random.choice(self.world.servers)

    def run(self):
        while not self.ended.is_set():
            if not self.may_ask():
                time.sleep(0.01)
                continue
            try:
                made = self.one()
            finally:
                with self.lock:
                    self.asking -= 1
            if not made:
                time.sleep(0.02)

    def may_ask(self):
        with self.lock:
            if self.paused.is_set() or len(self.open) >= self.most:
                return False
            self.asking += 1
            return True

    def one(self):
        kind = self.random.random()
        if self.origin and len(self.open & self.slow) < 2:
            return self.download()
        if kind < 0.10:
            return self.race()
        if kind < 0.13 and self.batches:
            return self.batch(self.random.choice((3, 30)))
        return self.noop(cancel=kind > 0.85)

    def submit(self, server, body, about, key=None):
        answer = call(server, "POST", "/v1/jobs", body, timeout=2,
                      headers={"Idempotency-Key": key} if key else None)
        if not answer or answer.status not in (200, 202):
            return None
        self.ledger.acknowledged(answer.json, **about)
        with self.lock:
            self.open.add(answer.json["id"])
            self.submitted += 1
        return answer.json

    def noop(self, cancel=False):
        pick = self.random
        output = pick.choice((0, 300, 5000))
        fails = pick.choice((0, 0, 0, 1))
        body = {"type": "noop", "priority": pick.randrange(10),
                "params": {"sleep_ms": pick.choice((0, 20, 100, 400)),
                           "steps": pick.choice((1, 4)),
                           "fail_times": fails, "output_bytes": output},
                "backoff": {"initial_s": 0.05, "max_s": 1, "jitter": 0.2},
                "max_attempts": 20}
        about = {"output": bool(output)}
        if self.callback and pick.random() < 0.3:
            body["callback_url"] = self.callback
            about["callback"] = True
        if cancel:
            about["may_cancel"] = True
        job = self.submit(self.pick(), body, about)
        if job and cancel:
            time.sleep(pick.choice((0, 0.02, 0.1, 0.12)))
            told = call(self.pick(), "POST", f"/v1/jobs/{job['id']}/cancel")
            if told and told.status == 200 and told.json["state"] in (
                    "succeeded", "cancelled"):
                self.ledger.saw_end(told.json)
        return job

    def race(self):
        """One request sent from several sides at once makes one job; what
        was spooled for a store that is away ends as a duplicate."""
        key = uuid.uuid4().hex
        body = {"type": "noop", "params": {"output_bytes": 200},
                "backoff": {"initial_s": 0.05, "max_s": 1},
                "max_attempts": 20}
        ids = []
        begun = time.monotonic()

        def send(server):
            job = self.submit(server, body, {"output": True}, key)
            if job and job["durability"] == "local":
                self.ledger.jobs[job["id"]]["may_cancel"] = True
            elif job:
                ids.append(job["id"])
        racers = [threading.Thread(target=send, args=(self.pick(),))
                  for _ in range(3)]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
        if len(set(ids)) > 1:
            self.ledger.races.append((ids, begun, time.monotonic()))
        return ids

    def batch(self, size, server=None):
        """Jobs that come all or none; the last waits for the first. Those of a
        large one are for the oracle alone to ask for."""
        large = size > 100
        output = [i % (20 if large else 2) == 1 for i in range(size)]
        jobs = [{"type": "noop", "params": {"output_bytes": 100 * output[i]},
                 "backoff": {"initial_s": 0.05, "max_s": 1},
                 "max_attempts": 20} for i in range(size)]
        jobs[-1]["depends_on"] = ["#0"]
        answer = call(server or self.pick(), "POST", "/v1/jobs/batch",
                      {"jobs": jobs}, timeout=30 if large else 2)
        if not answer or answer.status != 202:
            return None
        for i, job_id in enumerate(answer.json["ids"]):
            self.ledger.acknowledged({"id": job_id, "durability": "batch"},
                                     output=output[i], sync=i == size - 1)
        with self.lock:
            self.open |= set() if large else set(answer.json["ids"])
            self.submitted += size
        return answer.json

    def download(self):
        number = self.random.randrange(1 << 30)
        body = {"type": "download", "max_attempts": 50,
                "backoff": {"initial_s": 0.1, "max_s": 1},
                "params": {"url": self.origin.url("/files/clip.mp4"),
                           "filename": f"d{number}/{{title}}"}}
        job = self.submit(self.pick(), body, {"download": f"d{number}",
                                              "output": True})
        if job:
            self.slow.add(job["id"])
        return job

    def quick(self):
        """What is open and takes less than a second where nothing is wrong."""
        return self.open - self.slow

    def watch(self):
        """What is told to have ended stays so."""
        while not self.ended.is_set():
            with self.lock:
                some = list(self.open)[:50]
            for job_id in some:
                job = find(self.world, job_id, 2)
                if job == {}:
                    # Gone by retention, or lost: the oracle will tell.
                    self.ledger.ended.setdefault(job_id,
                                                 (None, time.monotonic()))
                elif job and job["state"] in TERMINAL:
                    self.ledger.saw_end(job)
                else:
                    continue
                with self.lock:
                    self.open.discard(job_id)
                if self.ended.is_set():
                    return
            time.sleep(0.05)

    def rest(self):
        """Nobody asks for anything any more, and no answer is under way."""
        with self.lock:
            self.paused.set()
        while self.asking and not self.ended.is_set():
            time.sleep(0.01)

    def go_on(self):
        with self.lock:
            self.open.clear()
        self.paused.clear()

    def stop(self):
        self.ended.set()
        for thread in self.threads:
            thread.join(10)
