"""How long requests take, how many there are, and how much memory is held."""

import contextlib
import http.client
import pathlib
import re
import subprocess
import threading
import time


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Wrong(Exception):
    """An answer that is no image."""


def fetch(connection, path):
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise Wrong(f"{path}: {answer.status} {body[:300]}")
    return answer


def latencies(port, paths):
    """Milliseconds of each, one after the other on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    took = []
    with contextlib.closing(connection):
        for path in paths:
            began = time.perf_counter()
            fetch(connection, path)
            took.append((time.perf_counter() - began) * 1000)
    return took


def in_turn(work, seconds, hands=4):
    """How many times a second `work(state, number)` ends, done by so many
    hands without a pause; `state` is a dictionary for each."""
    numbers = iter(range(10**9))
    lock = threading.Lock()
    until = time.perf_counter() + seconds
    ends, failures = [], []

    def run():
        state = {}
        try:
            while time.perf_counter() < until:
                with lock:
                    number = next(numbers)
                work(state, number)
                ends.append(time.perf_counter())
        except Exception as error:  # told by the thread that waits
            failures.append(error)

    began = time.perf_counter()
    threads = [threading.Thread(target=run) for _ in range(hands)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return len(ends) / (max(ends) - began)


def rate(port, path_of, seconds, hands=4):
    """Answers a second, each hand on a connection of its own."""
    def work(state, number):
        if "link" not in state:
            state["link"] = http.client.HTTPConnection("127.0.0.1", port,
                                                       timeout=60)
        fetch(state["link"], path_of(number))
    return in_turn(work, seconds, hands)


def paced(port, path_of, per_s, seconds):
    """Milliseconds of requests that come whether or not the last is answered;
    counted from when each was due. None for what was refused."""
    took, threads = [], []
    began = time.perf_counter()

    def ask(number, due):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        with contextlib.closing(connection):
            try:
                fetch(connection, path_of(number))
                took.append((time.perf_counter() - due) * 1000)
            except (Wrong, OSError, http.client.HTTPException):
                took.append(None)

    for number in range(int(per_s * seconds)):
        due = began + number / per_s
        time.sleep(max(0, due - time.perf_counter()))
        threads.append(threading.Thread(target=ask, args=(number, due)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    return took


def wrk(port, path, connections, seconds):
    """(answers a second, milliseconds of the 50th and the 99th percentile)"""
    told = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--latency",
         f"http://127.0.0.1:{port}{path}"],
        capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in told or "Socket errors" in told:
        raise Wrong(told)
    per_s = float(re.search(r"Requests/sec:\s+([\d.]+)", told)[1])
    unit = {"us": 0.001, "ms": 1, "s": 1000}
    at = {share: float(value) * unit[name] for share, value, name in
          re.findall(r"(\d+)%\s+([\d.]+)(us|ms|s)", told)}
    return per_s, at["50"], at["99"]


def family(pid):
    """A process and all that came of it."""
    found = [pid]
    with contextlib.suppress(OSError):
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += family(int(child))
    return found


def pss_mb(pid):
    """Of each page that is shared, a share."""
    with contextlib.suppress(OSError):
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        return int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1]) / 1024
    return 0


class Peak:
    """The most memory of a process and its family meanwhile, looked at ten
    times a second; in `mb` afterwards."""

    def __init__(self, pid):
        self.pid, self.mb = pid, 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.look)

    def look(self):
        while True:
            self.mb = max(self.mb, sum(map(pss_mb, family(self.pid))))
            if self.over.wait(0.1):
                return

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


class Pulse:
    """Asks `/healthz` every five milliseconds: what takes long was held up, by
    the event loop or by the machine. Milliseconds in `took`."""

    def __init__(self, port):
        self.link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.took = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.beat)

    def beat(self):
        while not self.over.wait(0.005):
            began = time.perf_counter()
            fetch(self.link, "/healthz")
            self.took.append((time.perf_counter() - began) * 1000)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.link.close()
