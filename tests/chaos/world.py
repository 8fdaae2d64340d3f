"""What the suite breaks: servers with fault points, on a store of `stores`.

Everything lives in one temporary folder, listens on loopback alone and is
ended by its process id.
"""

import contextlib
import http.client
import json
import mmap
import os
import pathlib
import signal
import struct
import subprocess
import time

from stores import Redis, Watched, Wire, wait_until
import harness  # `stores` has told where it is

#: Renewed at a third; what is late by a sixth stops expiry for a lease.
LEASE_S = 1.5
DISK_MB = 512
SLOT = struct.Struct("40sQII")
#: Whoever comes to a point that is armed with it waits until it is disarmed.
HOLD = 255


class FaultPoints:
    """The file that a server shares with us, see config/fault_points.hpp."""

    def __init__(self, path):
        self.path = path
        self.map = None

    def open(self):
        """After the server has made it; the names of its points."""
        with open(self.path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 0)
        return self.names()

    def names(self):
        return [self.map[at:at + 40].rstrip(b"\0").decode()
                for at in range(0, len(self.map), SLOT.size)]

    def at(self, name):
        return self.names().index(name) * SLOT.size

    def hits(self):
        return {name: SLOT.unpack_from(self.map, i * SLOT.size)[1]
                for i, name in enumerate(self.names())}

    def arm(self, name, signal_number, after=1):
        at = self.at(name)
        self.map[at + 52:at + 56] = struct.pack("I", after)
        self.map[at + 48:at + 52] = struct.pack("I", signal_number)

    def is_held(self, name):
        """Somebody waits at this point, which was armed with HOLD."""
        at = self.at(name)
        return self.map[at + 48:at + 56] == struct.pack("II", HOLD, 0)

    def disarm(self):
        for at in range(0, len(self.map), SLOT.size):
            self.map[at + 48:at + 56] = bytes(8)


class Server(harness.Server):
    """A `troupe-chaos serve` that can be ended at its fault points."""

    def __init__(self, folder, name, library, store, environment):
        home = folder / name
        home.mkdir(exist_ok=True)
        self.name = name
        self.points = FaultPoints(home / "points")
        self.lives = 0
        super().__init__(home, *store, environment={
            "FAULT_POINTS_FILE": str(self.points.path),
            "TROUPE_LIBRARY_DIR": str(library),
            "TROUPE_STORE_LEASE_S": str(LEASE_S),
            "TROUPE_STORE_RETENTION_COUNT": "1000000",
            "TROUPE_POOLS_BULK": "30", "TROUPE_POOLS_DOWNLOAD": "4",
            "TROUPE_SOURCES_ALLOW_PRIVATE": "true", **environment})

    def start(self, seconds=60, more=None, wait=True):
        command = [str(harness.BIN / "troupe-chaos"), "serve", "--data",
                   str(self.folder / "data"), "--listen",
                   f"127.0.0.1:{self.port}", *self.arguments]
        with open(self.folder / "server.log", "ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env={**os.environ, **self.environment, **(more or {})})
        self.lives += 1
        if wait:
            wait_until(self.ready, seconds, f"{self.name} is ready")
            if self.points.map is None:
                self.points.open()
        return self

    def restart(self, seconds=40):
        """As often as it takes: without its store a server does not start."""
        deadline = time.monotonic() + seconds
        while True:
            self.start(wait=False)
            try:
                return wait_until(self.ready, 20, f"{self.name} is ready")
            except AssertionError:
                self.close()
                if time.monotonic() > deadline:
                    raise

    def state(self):
        """As /proc tells: "T" is stopped; empty once it is gone."""
        with contextlib.suppress(OSError, IndexError):
            stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
            return stat.rsplit(")", 1)[1].split()[0]
        return ""

    def audit(self):
        """What `doctor` finds wrong in the store, line by line."""
        done = subprocess.run(
            [str(harness.BIN / "troupe-chaos"), "doctor", "--data",
             str(self.folder / "data"), *self.arguments], text=True,
            env={**os.environ, **self.environment, "FAULT_POINTS_FILE": ""},
            capture_output=True, timeout=120, check=False)
        audits = [line for line in done.stdout.splitlines()
                  if line.split()[1:2] == ["audit"]]
        if not audits:
            return [f"doctor ended with {done.returncode} and no audit: "
                    f"{done.stderr[-300:]}"]
        return [line for line in audits if not line.startswith("OK ")]

    def node_id(self):
        return (self.folder / "data" / "node-id").read_text().strip()

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def is_stopped(self):
        return self.alive() and self.state() == "T"

    def go_on(self):
        if self.alive():
            self.process.send_signal(signal.SIGCONT)

    def close(self):
        self.go_on()
        super().close()


def mount(folder):
    """A file system of its own, small enough to be filled; False if that is
    not permitted."""
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m",
                           "tmpfs", str(folder)], capture_output=True,
                          check=False)
    return done.returncode == 0


class World:
    """Servers on one store and one library. `kind` is `sqlite`,
    `redis-always`, `redis-everysec` or `redis-sentinel`."""

    def __init__(self, folder, kind, without=""):
        self.folder = pathlib.Path(folder)
        self.kind = kind
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        self.small = mount(self.disk)
        self.library = self.disk / "library"
        self.library.mkdir()
        self.watched = None   # with a Sentinel
        self.single = None    # Redis without one
        self.wires = []
        environment = {"FAULT_WITHOUT": without} if without else {}
        self.servers = [Server(self.disk, name, self.library, store,
                               environment) for name, store in self.open()]
        for server in self.servers:
            server.start()

    def open(self):
        """Makes the store; names of servers, and how each comes to it."""
        if self.kind == "sqlite":
            return [("a", ())]
        if self.kind == "redis-sentinel":
            self.watched = Watched(self.folder, "everysec")
            return [(name, ("--store", self.watched.url)) for name in "ab"]
        self.single = Redis(self.folder, self.kind.split("-")[1])
        self.single.start()
        self.wires = [Wire(self.single.port) for _ in "ab"]
        return [(name, ("--store", f"redis://127.0.0.1:{wire.port}/0"))
                for name, wire in zip("ab", self.wires)]

    @property
    def redis(self):
        """The one that servers write to; None on SQLite."""
        return self.watched.master if self.watched else self.single

    def heal(self):
        """Everything up again."""
        if self.watched:
            self.watched.heal()
        elif self.redis:
            if not self.redis.alive():
                self.redis.start()
            self.redis.signal(signal.SIGCONT)
            self.redis.ask("CONFIG", "SET", "maxmemory", "0")
        for wire in self.wires:
            wire.heal()
        (self.disk / "filler").unlink(missing_ok=True)
        for server in self.servers:
            server.go_on()
            if server.points.map is not None:
                server.points.disarm()
            if not server.alive():
                server.restart()
        for server in self.servers:
            wait_until(server.ready, 30, f"{server.name} is ready again")

    def hits(self):
        total = {}
        for server in self.servers:
            for name, count in server.points.hits().items():
                total[name] = total.get(name, 0) + count
        return total

    def close(self):
        for server in self.servers:
            server.close()
        if self.watched:
            self.watched.close()
        if self.single:
            self.single.kill()
        for wire in self.wires:
            wire.close()
        if self.small:
            subprocess.run(["umount", "-l", str(self.disk)], check=False)


def call(server, method, path, body=None, headers=None, timeout=5):
    """An answer, or None if there is none."""
    with contextlib.suppress(OSError, http.client.HTTPException,
                             json.JSONDecodeError):
        return server.request(method, path, body, headers=headers,
                              timeout=timeout)
    return None


def listed(server, query=""):
    """All jobs of a list, page by page, newest first.
    @param query as `&state=running`"""
    token = ""
    while True:
        told = call(server, "GET", f"/v1/jobs?page_size=1000"
                    f"&page_token={token}{query}", timeout=20)
        if not told or told.status != 200:
            raise ConnectionError(f"no list of {query}")
        yield from told.json["jobs"]
        token = told.json["next_page_token"]
        if not token:
            return


@contextlib.contextmanager
def saturated():
    """Every core has more to do than it can."""
    burners = [subprocess.Popen(["/bin/sh", "-c", "while :; do :; done"])
               for _ in range(2 * (os.cpu_count() or 1))]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()
