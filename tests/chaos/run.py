"""One world under load, and what was done to it."""

import collections
import pathlib
import random
import shutil
import sys
import tempfile
import time
import traceback

import faults
from load import Load
from oracle import Ledger, Oracle
from receiver import Receiver
from stores import wait_for
from world import World

#: After a fault, what was open and quick has ended; for slow machines, too.
RECOVERED_S = 40
#: Everything has ended; downloads look at their source again and again where a
#: machine is too busy to do it in time.
ENDED_S = 400


def of_name(fault):
    return fault.__name__


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
        if self.world.watched:
            self.world.watched.tell = self.oracle.replaced
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
                 "large_batches"}
        if self.world.redis:
            names |= {"fail_over" if self.world.watched else "outage",
                      "zombie"}
        if not short:
            names |= {"long_job", "stop_at", *map(of_name, faults.whole(self)),
                      "clock_jump"}
        if not short and self.kind in ("redis-everysec", "redis-sentinel"):
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
        """@return true if it happened"""
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
        ended = wait_for(lambda: not before & self.load.open, RECOVERED_S)
        took = time.monotonic() - begun
        self.slowest[name] = max(self.slowest[name], took)
        if not ended:
            self.wrong.append(f"{name}: not recovered in {RECOVERED_S} s")
        return True

    def look(self, wait=5):
        """Heals all and asks the oracle."""
        self.load.rest()
        self.world.heal()
        verdict = self.oracle.check(ENDED_S, wait)
        self.wrong += verdict.wrong
        self.forgiven += verdict.forgiven
        self.lost += verdict.lost
        self.doubled += verdict.doubled
        self.load.go_on()
        return bool(verdict)

    def close(self):
        self.load.stop()
        if self.wrong and self.keep:  # before the file system is gone
            for server in self.world.servers:
                shutil.copy(server.folder / "server.log",
                            self.folder / f"{server.name}.log")
        self.world.close()
        self.receiver.close()
        if self.wrong and self.keep:
            print(f"  kept: {self.folder}", file=sys.stderr)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
