"""More work of all kinds than a machine can do: what becomes of queues, memory
and whoever waits. Used by a test for seconds and by a benchmark for minutes."""

import http.client
import itertools
import json
import pathlib
import statistics
import threading
import time

#: Jobs of each kind that are offered a second, as a share of `offer`.
SHARES = {"noop": 1, "probe": 0.5, "download": 0.02}
#: Clients of each kind: each waits for one answer at a time.
CLIENTS = {"noop": 4, "probe": 2, "download": 1}
QUEUES = {"noop": "bulk", "probe": "video", "download": "download"}


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Client:
    """One kept connection."""

    def __init__(self, port):
        self.link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, method, path, body=None):
        """Status, headers, body."""
        sent = {"Content-Type": "application/json"} if body else {}
        self.link.request(method, path, json.dumps(body) if body else None,
                          sent)
        answer = self.link.getresponse()
        return answer.status, answer.headers, answer.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.link.close()


def memory_of(pid):
    """The server's own, resident, in MB."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0


class MixedLoad:
    """Offers `offer` noops a second, and other kinds by their shares, while
    somebody waits for a probe twenty times a second. `probe` and `download`
    are the params of such jobs; `source` is what is probed at once."""

    def __init__(self, server, probe, download, source, offer):
        self.server, self.source, self.offer = server, source, offer
        self.params = {"noop": {"sleep_ms": 100}, "probe": probe,
                       "download": download}
        self.answers = {kind: [] for kind in SHARES}
        self.waits, self.odd = [], []
        self.ages, self.memory, self.latencies = [], [], []
        self.interactive = []
        self.end = 0
        self.numbers = itertools.count()

    def run(self, seconds):
        self.end = time.monotonic() + seconds
        work = [(self.submit, kind) for kind in SHARES
                for _ in range(CLIENTS[kind])]
        work += [(self.wait_for_probes,), (self.watch,)]
        threads = [threading.Thread(target=self.with_client, args=what)
                   for what in work]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self

    def with_client(self, work, *arguments):
        with Client(self.server.port) as client:
            work(client, *arguments)

    def submit(self, client, kind):
        pause = CLIENTS[kind] / (self.offer * SHARES[kind])
        due = time.monotonic()
        while time.monotonic() < self.end:
            due += pause
            time.sleep(max(0, due - time.monotonic()))
            number = str(next(self.numbers))
            params = {key: value.replace("{n}", number)
                      if isinstance(value, str) else value
                      for key, value in self.params[kind].items()}
            status, headers, body = client.ask(
                "POST", "/v1/jobs", {"type": kind, "params": params})
            self.answers[kind].append(status)
            if status in (429, 503):
                self.waits.append(int(headers["Retry-After"]))
            elif status != 202:
                self.odd.append((status, body))

    def wait_for_probes(self, client):
        while time.monotonic() < self.end:
            began = time.monotonic()
            status, _, _ = client.ask("GET", "/v1/probe?source=" + self.source)
            self.latencies.append(time.monotonic() - began)
            self.interactive.append(status)
            time.sleep(max(0, began + 0.05 - time.monotonic()))

    def watch(self, client):
        while time.monotonic() < self.end:
            queues = json.loads(client.ask("GET", "/v1/queues")[2])["queues"]
            self.ages.append({it["name"]: it["oldest_age_s"]
                              for it in queues})
            self.memory.append(memory_of(self.server.process.pid))
            time.sleep(0.25)

    def taken(self, kind):
        return self.answers[kind].count(202)

    def refused(self, kind):
        return len(self.answers[kind]) - self.taken(kind)

    def oldest(self, kind):
        return max(ages.get(QUEUES[kind], 0) for ages in self.ages)

    def growth(self):
        """MB between the medians of the second and the last quarter."""
        quarter = max(1, len(self.memory) // 4)
        return (statistics.median(self.memory[-quarter:])
                - statistics.median(self.memory[quarter:2 * quarter]))

    def report(self):
        lines = [f"{kind}: {len(self.answers[kind])} offered, "
                 f"{self.taken(kind)} taken, {self.refused(kind)} refused, "
                 f"oldest {self.oldest(kind):.1f} s" for kind in SHARES]
        lines.append(
            f"interactive probes: {len(self.latencies)}, p50 "
            f"{quantile(self.latencies, 0.5) * 1000:.0f} ms, p99 "
            f"{quantile(self.latencies, 0.99) * 1000:.0f} ms, "
            f"not 200: {len(self.interactive) - self.interactive.count(200)}")
        lines.append(f"memory: {self.memory[-1]:.0f} MB, "
                     f"{self.growth():+.1f} MB over the second half")
        return "\n".join(lines)
