"""The stores that servers share, and the wires to them."""

import contextlib
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "program"))

from harness import free_port, wait_until  # noqa: E402


def wait_for(condition, seconds):
    """As `wait_until`, but False at the end."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.005)
    return False


def ask(port, *words, line=1):
    """One command; that line of its reply, whose first has its type."""
    text = b"".join(b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode())
                    for word in words)
    with socket.create_connection(("127.0.0.1", port), 5) as link:
        link.sendall(b"*%d\r\n" % len(words) + text)
        reply = link.makefile("rb")
        for _ in range(line):
            last = reply.readline().rstrip()
    return last


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
        return ask(self.port, *words)[1:]

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

    def follows(self, master):
        """True if it has all that the other one had to say."""
        with contextlib.suppress(OSError, ValueError):
            return (self.info("replication", "master_link_status") == "up"
                    and self.info("replication", "master_port")
                    == str(master.port))
        return False

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        if self.alive():
            self.signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()

    def append_file(self):
        return max((self.folder / "appendonlydir").glob("*.incr.aof"),
                   key=lambda path: path.stat().st_mtime)


class Watched:
    """Two Redis, of which one copies the other, and the Sentinel that has the
    copy take its place: after two seconds without an answer, or when asked."""

    def __init__(self, folder, fsync):
        self.folder = folder / "sentinel"
        self.folder.mkdir()
        self.port = free_port()
        first = Redis(folder, fsync)
        first.start()
        self.pair = [first, Redis(folder, fsync, first.port)]
        self.pair[1].start()
        self.master = first
        self.tell = lambda: None  # called when another one is the master
        self.ended = False
        self.process = self.start()
        wait_until(self.linked, 60, "the copy is up")
        threading.Thread(target=self.watch, daemon=True).start()

    def start(self):
        file = self.folder / "sentinel.conf"
        file.write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {self.folder}\n"
            f"sentinel monitor jobs 127.0.0.1 {self.master.port} 1\n"
            "sentinel down-after-milliseconds jobs 2000\n"
            "sentinel failover-timeout jobs 3000\n")
        process = subprocess.Popen(
            ["redis-server", str(file), "--sentinel"],
            stdout=open(self.folder / "log", "ab"), stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL)
        wait_until(lambda: self.master_port() == self.master.port, 60,
                   "the Sentinel answers")
        return process

    @property
    def url(self):
        return f"redis+sentinel://127.0.0.1:{self.port}/jobs/0"

    def master_port(self):
        with contextlib.suppress(OSError, ValueError):
            return int(ask(self.port, "SENTINEL", "get-master-addr-by-name",
                           "jobs", line=5))
        return 0

    def watch(self):
        while not self.ended:
            port = self.master_port()
            for each in self.pair:
                if each.port == port and each is not self.master:
                    each.more = []
                    self.master = each
                    self.tell()
            time.sleep(0.05)

    def copy(self):
        return next(each for each in self.pair if each is not self.master)

    def linked(self):
        """There is a copy that could be promoted, and the Sentinel knows."""
        if not self.copy().follows(self.master):
            return False
        with contextlib.suppress(OSError):
            known = ask(self.port, "SENTINEL", "CKQUORUM", "jobs")
            return known.startswith(b"+OK")
        return False

    def fail_over(self):
        """True if the Sentinel begins to."""
        with contextlib.suppress(OSError):
            return ask(self.port, "SENTINEL", "FAILOVER",
                       "jobs").startswith(b"+OK")
        return False

    def start_copy(self):
        """Where one has died, it comes back as a copy of the other."""
        copy = self.copy()
        copy.more = ["--replicaof", "127.0.0.1", str(self.master.port)]
        copy.start()

    def heal(self):
        for each in self.pair:
            if each.alive():
                each.signal(signal.SIGCONT)
        wait_until(self.master.alive, 30, "the Sentinel has promoted the copy")
        if not self.copy().alive():
            self.start_copy()
        wait_until(self.linked, 60, "there is a copy again")

    def close(self):
        self.ended = True
        self.process.kill()
        self.process.wait()
        for each in self.pair:
            each.kill()
