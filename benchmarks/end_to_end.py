#!/usr/bin/env python3
"""Measures a running server from outside, each store in turn, beside a peer.

Starts everything itself on free loopback ports and in a temporary folder, and
prints one table. Figures of one run compare with each other, not with those of
another machine.
"""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parent / "build" / "release"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.01)
    raise SystemExit(f"gave up waiting for {what}")


def answers(port, target="/readyz"):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{target}", timeout=1):
            return True
    except OSError:
        return False


@contextlib.contextmanager
def process(command, **options):
    child = subprocess.Popen(command, **options)
    try:
        yield child
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(30)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


@contextlib.contextmanager
def redis(folder, fsync):
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1",
               "--dir", str(folder), "--appendonly", "yes",
               "--appendfsync", fsync, "--save", ""]
    with process(command, stdout=subprocess.DEVNULL):
        wait_for(lambda: subprocess.run(
            ["redis-cli", "-p", str(port), "ping"], capture_output=True,
        ).stdout.startswith(b"PONG"), 10, "redis")
        yield port


@contextlib.contextmanager
def server(store, folder):
    port = free_port()
    log = open(folder / "server.log", "ab")
    started = time.monotonic()
    command = [str(BUILD / "troupe"), "serve", "--listen", f"127.0.0.1:{port}",
               "--data", str(folder / "data"), "--store", store]
    with process(command, stderr=log, stdout=log) as child:
        wait_for(lambda: answers(port), 20, "the server")
        child.ready_ms = (time.monotonic() - started) * 1000
        yield port, child


def load(*arguments):
    done = subprocess.run([str(BUILD / "troupe-load"), *map(str, arguments)],
                          capture_output=True, text=True, check=False)
    if not done.stdout:
        raise SystemExit(f"troupe-load failed: {done.stderr}")
    return json.loads(done.stdout)


def memory_mb(pid):
    """Proportional set size: shared pages count by their share."""
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def cpu_seconds(pid):
    """Of all threads, in nanoseconds of the scheduler: idle ones use no tick."""
    return sum(int((thread / "schedstat").read_text().split()[0])
               for thread in pathlib.Path(f"/proc/{pid}/task").iterdir()) / 1e9


def idle_figures(rows, child):
    pss = memory_mb(child.pid)
    before, started = cpu_seconds(child.pid), time.monotonic()
    time.sleep(10)
    share = (cpu_seconds(child.pid) - before) / (time.monotonic() - started)
    rows.append(("idle server, memory (PSS)", f"{pss:.1f} MB"))
    rows.append(("idle server, share of a core", f"{share * 100:.2f} %"))
    rows.append(("start to ready", f"{child.ready_ms:.0f} ms"))


UPGRADE = (b"GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1\r\n"
           b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
           b"Sec-WebSocket-Version: 13\r\n"
           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
SHORT = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def idle_connections(rows, port, child, count=2000):
    """What a client costs the server that has asked once and stays."""
    for what, request, status in (("kept-alive HTTP", SHORT, b"200"),
                                  ("WebSocket", UPGRADE, b"101")):
        with contextlib.ExitStack() as open_ones:
            before = memory_mb(child.pid)
            for _ in range(count):
                peer_socket = open_ones.enter_context(
                    socket.create_connection(("127.0.0.1", port)))
                peer_socket.sendall(request)
                answer = peer_socket.recv(4096)
                assert answer.split(b" ", 2)[1] == status, answer
            each = (memory_mb(child.pid) - before) * 1024 / count
        rows.append((f"memory of an idle {what} connection, of {count:,}",
                     f"{each:.1f} KB"))


def measure_store(name, url, folder, seconds, jobs, rows):
    with server(url, folder) as (port, child):
        if name.startswith("sqlite"):
            idle_figures(rows, child)
            idle_connections(rows, port, child)
        rate = load("submit", "--port", port, "--rate", 1000,
                    "--seconds", seconds,
                    "--body", '{"type":"noop","params":{},"delay_s":86400}')
        rows.append((f"{name}: submit at 1,000/s, p50 / p99",
                     f"{rate['p50_ms']:.2f} / {rate['p99_ms']:.2f} ms"))
        submits = load("submit", "--port", port, "--seconds", seconds,
                       "--body", '{"type":"noop","params":{},"delay_s":86400}')
        rows.append((f"{name}: submits/s, 64 connections",
                     f"{submits['per_s']:,} (p99 {submits['p99_ms']:.1f} ms)"))
    shutil.rmtree(folder / "data", ignore_errors=True)
    with server(url.replace("/0", "/1"), folder) as (port, child):
        ended = load("jobs", "--port", port, "--count", jobs)
        rows.append((f"{name}: noop jobs/s end to end", f"{ended['per_s']:,}"))
        rows.append((f"{name}: memory after {jobs:,} jobs",
                     f"{memory_mb(child.pid):.0f} MB"))
    shutil.rmtree(folder / "data", ignore_errors=True)


@contextlib.contextmanager
def peer(script):
    folder = HERE / "peers"
    if not (folder / "node_modules").is_dir():
        subprocess.run(["npm", "ci", "--silent"], cwd=folder, check=True)
    with said_port(["node", str(folder / script)]) as port:
        yield port


@contextlib.contextmanager
def said_port(command):
    """A server that prints the port that it took."""
    with process(command, stdout=subprocess.PIPE, text=True) as child:
        yield int(child.stdout.readline())


def measure_peer(seconds, rows):
    with peer("http_server.js") as port:
        figures = load("submit", "--port", port, "--seconds", seconds)
        rows.append(("peer, node:http that stores nothing: POSTs/s",
                     f"{figures['per_s']:,}"))


def fan_out(name, port, seconds, clients, rows):
    """Each POST makes three events; 7 a second are about 20 events/s."""
    for rate, what in ((7, "20 events/s"), (400, "as fast as it goes")):
        ear = subprocess.Popen(
            [str(BUILD / "troupe-load"), "listen", "--port", str(port),
             "--clients", str(clients), "--seconds", str(seconds)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        ear.stderr.readline()
        load("submit", "--port", port, "--rate", rate, "--connections", 8,
             "--seconds", seconds + 1)
        heard = json.loads(ear.communicate()[0])
        rows.append((f"{name}: {clients:,} WebSocket clients, {what}",
                     f"{heard['per_s']:,} messages/s, p50 / p99 "
                     f"{heard['p50_ms']:.0f} / {heard['p99_ms']:.0f} ms, "
                     f"{heard['errors']} closed"))


def measure_fan_out(folder, seconds, clients, rows):
    with server("memory:", folder) as (port, _):
        fan_out("troupe", port, seconds, clients, rows)
    shutil.rmtree(folder / "data", ignore_errors=True)
    with said_port([str(BUILD / "bare_fan_out")]) as port:
        fan_out("floor, a bare loop", port, seconds, clients, rows)
    if shutil.which("npm"):
        with peer("fan_out_server.js") as port:
            fan_out("peer, npm's ws", port, seconds, clients, rows)


def measure_version(rows):
    times = []
    for _ in range(10):
        started = time.monotonic()
        subprocess.run([str(BUILD / "troupe"), "version"], check=True,
                       stdout=subprocess.DEVNULL)
        times.append((time.monotonic() - started) * 1000)
    rows.append(("troupe version, median of 10", f"{sorted(times)[5]:.1f} ms"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--jobs", type=int, default=100000)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--only", default="", help="part of a store's name")
    asked = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="troupe-bench-") as name:
        folder = pathlib.Path(name)
        if shutil.which("npm"):
            measure_peer(asked.seconds, rows)
        with redis(folder, "everysec") as port:
            stores = [
                ("memory (memory)", "memory:"),
                ("sqlite (disk)", f"sqlite:{folder}/data/queue.db"),
                ("redis AOF everysec (interval)", f"redis://127.0.0.1:{port}/0"),
            ]
            for store, url in stores:
                if asked.only in store:
                    measure_store(store, url, folder, asked.seconds,
                                  asked.jobs, rows)
        if not asked.only:
            measure_fan_out(folder, asked.seconds, asked.clients, rows)
            measure_version(rows)
    width = max(len(what) for what, _ in rows)
    for what, figure in rows:
        print(f"| {what:{width}} | {figure} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
