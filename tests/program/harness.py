"""What black-box tests stand on: the built binary, real sockets, real kills.

Standard library only, but for `document`. `TROUPE_BIN` names the folder of the
built programs.
"""

import contextlib
import hashlib
import http.client
import itertools
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from document import Document
from websocket_client import WebSocket

TESTS = pathlib.Path(__file__).resolve().parent.parent
BIN = pathlib.Path(os.environ.get("TROUPE_BIN", TESTS.parent / "build/release"))
# To `troupe` every unknown `TROUPE_` variable is an error.
os.environ.pop("TROUPE_BIN", None)
TERMINAL = ("succeeded", "failed", "cancelled")


def wait_until(condition, seconds, what):
    """The condition's first true value; fails the test after `seconds`, and
    one more look. `what` may be called for words of that moment."""
    deadline = time.monotonic() + seconds
    while True:
        late = time.monotonic() > deadline
        if found := condition():
            return found
        if late:
            break
        time.sleep(0.02)
    told = what() if callable(what) else what
    raise AssertionError(f"not within {seconds} s: {told}")


def best_of(times, measure, enough):
    """The least of what `measure()` gives, `times` at most: a promise of
    seconds is kept if the machine, busy with other tests, let us see it once.
    Ends at once with a measurement that is at most `enough`."""
    least = float("inf")
    for _ in range(times):
        least = min(least, measure())
        if least <= enough:
            break
    return least


#: Below what outgoing connections and port 0 take, so that nothing else gets
#: the port of a server that is about to start, or to start again.
PORTS_FROM = 10000
EPHEMERAL = pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range")


def candidate_ports():
    """All ports of ours, beginning somewhere else in each process."""
    end = int(EPHEMERAL.read_text().split()[0])
    if end < PORTS_FROM + 1000:
        raise RuntimeError(f"no ports of our own below {end}")
    ports = range(PORTS_FROM, end)
    return itertools.chain(ports[os.getpid() * 37 % len(ports):], ports)


CANDIDATES = candidate_ports()


def free_port():
    """A port that nobody has, and that this process is given once."""
    for port in CANDIDATES:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port")


def sha256(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def command_of(pid):
    """Its command line; empty once it is dead."""
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode(
            errors="replace")
    return ""


def processes_naming(text):
    """Ids of the processes whose command line or folder holds `text`."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            seen = command_of(entry.name)
            if text in seen or text in os.readlink(entry / "cwd"):
                found.append(int(entry.name))
    return found


def children_of(pid, command, nice=None):
    """Ids of its children whose command line holds `command`, of all or of
    one niceness."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            if command not in command_of(int(entry.name)):
                continue
            # From the state on, the name before may hold anything.
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            if int(fields[1]) == pid and nice in (None, int(fields[16])):
                found.append(int(entry.name))
    return found


class Answer:
    """An HTTP answer; `json` is None where the body is something else."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()
        self.json = None
        if "json" in (response.headers.get("Content-Type") or ""):
            self.json = json.loads(self.body)


class Server:
    """A `troupe serve` on a port of its own; lives as often as it is started.
    Every answer is one that its document tells of."""

    def __init__(self, folder, *arguments, environment=None, programs=BIN):
        self.folder = pathlib.Path(folder)
        self.programs = programs
        self.port = free_port()
        self.arguments = arguments
        self.environment = environment or {}
        self.process = None
        self.document = None

    @property
    def library(self):
        return self.folder / "data" / "library"

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self, seconds=60, path="/readyz"):
        """Waits until `path` answers 200."""
        command = [str(self.programs / "troupe"), "serve", "--data",
                   str(self.folder / "data"), "--listen",
                   f"127.0.0.1:{self.port}", *self.arguments]
        with open(self.folder / "server.log", "ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env={**os.environ, **self.environment})
        wait_until(lambda: self.ready(path), seconds,
                   lambda: f"server ready\n{self.log()[-2000:]}")
        if not self.document:
            with contextlib.suppress(OSError, http.client.HTTPException):
                self.document = Document(self.get("/openapi.json").json)
        return self

    def ready(self, path="/readyz"):
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended:\n{self.log()[-4000:]}")
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.get(path).status == 200
        return False

    def log(self):
        with contextlib.suppress(OSError):
            return (self.folder / "server.log").read_text(errors="replace")
        return ""

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, seconds=80):
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def close(self):
        if self.process and self.process.poll() is None:
            self.kill()

    def request(self, method, path, body=None, headers=None, timeout=30):
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=timeout)
        data = body
        if body is not None and not isinstance(body, (bytes, str)):
            data = json.dumps(body)
        sent = {"Content-Type": "application/json"} if data is not None else {}
        sent.update(headers or {})
        with contextlib.closing(connection):
            connection.request(method, path, data, sent)
            answer = Answer(connection.getresponse())
        if self.document:
            self.document.check(method, path, answer)
        return answer

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.request("POST", path, body, **options)

    def submit(self, kind, params, **more):
        """The id of a new job."""
        answer = self.post("/v1/jobs", {"type": kind, "params": params, **more})
        if answer.status != 202:
            raise AssertionError(f"{answer.status}: {answer.body}")
        return answer.json["id"]

    def job(self, job_id):
        return self.get(f"/v1/jobs/{job_id}").json

    def wait_for_state(self, job_id, states, seconds=60):
        states = (states,) if isinstance(states, str) else states
        job = {}

        def there():
            nonlocal job
            with contextlib.suppress(OSError, http.client.HTTPException):
                job = self.job(job_id) or {}
            return job.get("state") in states and job
        return wait_until(
            there, seconds,
            lambda: f"{job_id} in {states}: {job}\n{self.log()[-3000:]}")

    def metric(self, name):
        """The figure of a metric without labels."""
        lines = self.get("/metrics").body.decode().splitlines()
        return next(float(line.split()[1]) for line in lines
                    if line.split()[0] == name)


class Redis:
    """A redis-server of its own; frozen and thawed by its process id."""

    def __init__(self, folder):
        self.port = free_port()
        self.command = ["redis-server", "--port", str(self.port), "--bind",
                        "127.0.0.1", "--dir", str(folder), "--appendonly",
                        "yes", "--save", ""]
        self.process = None

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self):
        self.process = subprocess.Popen(self.command,
                                        stdout=subprocess.DEVNULL)

        wait_until(self.answers, 30, "redis answers")

    def answers(self):
        """False, too, while it reads its log."""
        with contextlib.suppress(OSError), socket.create_connection(
                ("127.0.0.1", self.port), 5) as link:
            link.sendall(b"PING\r\n")
            return link.recv(64) == b"+PONG\r\n"
        return False

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)


class Origin:
    """The origin of `tests/origin/origin.py` on the given addresses."""

    def __init__(self, folder, *addresses, rate=0, port=0):
        binds = [f"--bind={address}" for address in addresses or ["127.0.0.1"]]
        self.address = (addresses or ["127.0.0.1"])[0]
        self.process = subprocess.Popen(
            ["/usr/bin/python3", str(TESTS / "origin" / "origin.py"),
             str(folder), "--rate", str(rate), "--port", str(port), *binds],
            stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])

    def url(self, path, address=None):
        return f"http://{address or self.address}:{self.port}{path}"

    def call(self, method, path):
        connection = http.client.HTTPConnection(self.address, self.port)
        with contextlib.closing(connection):
            connection.request(method, path)
            return connection.getresponse().read()

    def requests(self):
        return json.loads(self.call("GET", "/log"))

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class TroupeTest(unittest.TestCase):
    """A temporary folder; whatever was started in it is ended by pid."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="troupe-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def server(self, *arguments, **options):
        made = Server(self.folder, *arguments, **options)
        self.addCleanup(made.close)
        return made.start()

    def origin(self, folder, *addresses, **options):
        made = Origin(folder, *addresses, **options)
        self.addCleanup(made.close)
        return made

    def redis(self):
        made = Redis(self.folder)
        self.addCleanup(made.kill)
        made.start()
        return made

    def websocket(self, server, **options):
        made = WebSocket(server.port, **options)
        self.addCleanup(made.close)
        return made

    def assert_nothing_left(self, seconds=30):
        """Neither the server nor anything that it started lives."""
        data = str(self.folder / "data")
        wait_until(lambda: not processes_naming(data), seconds,
                   lambda: f"processes gone, but {processes_naming(data)}")

    def tools(self):
        """Ids of what the server started: yt-dlp, ffmpeg, their guards."""
        servers = processes_naming("troupe\0serve")
        return [pid for pid in processes_naming(str(self.folder / "data"))
                if pid not in servers]


def make_clip(path, seconds=2, extra=()):
    """A small H.264/AAC clip, made by ffmpeg; different for each path."""
    tone = 200 + int(hashlib.sha256(str(path).encode()).hexdigest(), 16) % 800
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i",
         f"testsrc=duration={seconds}:size=320x180:rate=25", "-f", "lavfi",
         "-i", f"sine=frequency={tone}:duration={seconds}", "-c:v", "libx264",
         "-preset", "ultrafast", "-c:a", "aac", "-pix_fmt", "yuv420p", *extra,
         str(path)], check=True, stdin=subprocess.DEVNULL)
    return path
