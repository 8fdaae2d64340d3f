"""What the suite breaks: servers with fault points, a Redis, the wire between.

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
import socket
import struct
import subprocess
import sys
import threading
import time

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS / "program"))

import harness  # noqa: E402  (needs the path above)
from harness import free_port, wait_until  # noqa: E402

#: Renewed at a third; what is late by a sixth stops expiry for a lease.
LEASE_S = 1.5
DISK_MB = 256
SLOT = struct.Struct("40sQII")


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

    def disarm(self):
        for at in range(0, len(self.map), SLOT.size):
            self.map[at + 48:at + 56] = bytes(8)


class Wire:
    """A TCP proxy that can stop forwarding and keeps its connections."""

    def __init__(self, port):
        self.to = port
        self.open = threading.Event()
        self.open.set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.ended = False
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while not self.ended:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.join, args=(client,),
                             daemon=True).start()

    def join(self, client):
        self.open.wait()
        try:
            server = socket.create_connection(("127.0.0.1", self.to), 5)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=self.pump, args=(server, client),
                         daemon=True).start()
        self.pump(client, server)

    def pump(self, source, sink):
        with contextlib.suppress(OSError):
            while block := source.recv(65536):
                self.open.wait()
                sink.sendall(block)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
                one.close()

    def cut(self):
        self.open.clear()

    def heal(self):
        self.open.set()

    def close(self):
        self.ended = True
        self.heal()
        self.listener.close()


class Redis:
    def __init__(self, folder, fsync, master=None):
        """@param master the port of the Redis that this one copies."""
        self.port = free_port()
        self.folder = folder / f"redis-{self.port}"
        self.folder.mkdir()
        self.fsync = fsync
        self.more = ["--replicaof", "127.0.0.1", str(master)] if master else []
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1",
             "--dir", str(self.folder), "--appendonly", "yes", "--appendfsync",
             self.fsync, "--save", "", "--auto-aof-rewrite-percentage", "0",
             "--repl-diskless-sync-delay", "0", *self.more],
            stdout=open(self.folder / "log", "ab"), stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL)
        wait_until(self.answers, 60, "redis answers")

    def answers(self):
        with contextlib.suppress(OSError):
            return self.ask("PING") == b"PONG"
        return False

    def ask(self, *words):
        """One command; the reply of one line, without its type."""
        lines = b"".join(b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode())
                         for word in words)
        with socket.create_connection(("127.0.0.1", self.port), 5) as link:
            link.sendall(b"*%d\r\n" % len(words) + lines)
            reply = link.makefile("rb").readline().rstrip()
        return reply[1:]

    def info(self, section, name):
        """One figure of INFO, as text."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as link:
            link.sendall(f"INFO {section}\r\n".encode())
            answer = link.makefile("rb")
            size = int(answer.readline()[1:])
            for line in answer.read(size).decode().splitlines():
                if line.startswith(name + ":"):
                    return line.split(":", 1)[1]
        return ""

    def used_memory(self):
        return int(self.info("memory", "used_memory"))

    def promote(self):
        self.ask("REPLICAOF", "NO", "ONE")
        self.more = []

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()

    def append_file(self):
        return max((self.folder / "appendonlydir").glob("*.incr.aof"),
                   key=lambda path: path.stat().st_mtime)


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
        return [line for line in done.stdout.splitlines()
                if line.startswith("FAIL  audit")]

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
    `redis-always` or `redis-everysec`."""

    def __init__(self, folder, kind, without=""):
        self.folder = pathlib.Path(folder)
        self.kind = kind
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        self.small = mount(self.disk)
        self.library = self.disk / "library"
        self.library.mkdir()
        self.redis = None
        self.wires = []
        environment = {"FAULT_WITHOUT": without} if without else {}
        if kind == "sqlite":
            self.servers = [Server(self.disk, "a", self.library, (),
                                   environment)]
        else:
            self.redis = Redis(self.folder, kind.split("-")[1])
            self.redis.start()
            self.servers = []
            for name in ("a", "b"):
                wire = Wire(self.redis.port)
                self.wires.append(wire)
                self.servers.append(Server(
                    self.disk, name, self.library,
                    ("--store", f"redis://127.0.0.1:{wire.port}/0"),
                    environment))
        for server in self.servers:
            server.start()

    def heal(self):
        """Everything up again."""
        if self.redis:
            if self.redis.process.poll() is not None:
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
        if self.redis:
            self.redis.kill()
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
