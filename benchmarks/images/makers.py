"""Who makes images: a Troupe server, sharp, Pillow, vipsthumbnail.

Each has a `name`, the `formats` it writes, `cold(photo, format, count)`: the
milliseconds of so many images that nobody has, one after the other,
`throughput(photo, format, seconds)`: images a second on all cores, and `peak`:
megabytes at most in the last of those.
"""

import itertools
import json
import os
import pathlib
import shutil
import subprocess
import time

import harness
import measure

HERE = pathlib.Path(__file__).resolve().parent
FORMATS = ("jpg", "webp", "avif")
WIDTH = 300
#: Names of one photograph: who waits for one of them waits for no other.
COPIES = 200


class HttpMaker:
    formats = FORMATS
    process = None

    def __init__(self):
        self.peak = 0
        self.numbers = itertools.count()

    def path(self, photo, kind):
        """Of an image that was never asked for."""
        raise NotImplementedError

    def cold(self, photo, kind, count):
        return measure.latencies(
            self.port, [self.path(photo, kind) for _ in range(count)])

    def throughput(self, photo, kind, seconds):
        with measure.Peak(self.process.pid) as peak:
            per_s = measure.rate(self.port,
                                 lambda _: self.path(photo, kind), seconds)
        self.peak = peak.mb
        return per_s

    def close(self):
        self.process.terminate()
        self.process.wait()


class Troupe(HttpMaker):
    name = "troupe"

    def __init__(self, folder, media):
        super().__init__()
        self.server = harness.Server(folder, "--media-root", str(media)).start()
        self.process, self.port = self.server.process, self.server.port

    def path(self, photo, kind):
        number = next(self.numbers)
        return self.url(f"w:{WIDTH}/cb:{number}",
                        f"{photo}/{number % COPIES:03}.jpg", kind)

    @staticmethod
    def url(options, name, kind):
        return f"/img/_/{options}/plain/local:///{name}@{kind}"

    def close(self):
        self.server.stop()


class Plain(HttpMaker):
    """A server of ours around a library."""

    def __init__(self, command, media):
        super().__init__()
        self.process = subprocess.Popen([*command, str(media)], text=True,
                                        stdout=subprocess.PIPE, cwd=HERE)
        self.port = self.told()

    def told(self):
        return int(self.process.stdout.readline())

    def path(self, photo, kind):
        # Copies of a photograph are no matter here: nothing is kept.
        return f"/{kind}/{WIDTH}/{photo}.jpg"


class Sharp(Plain):
    name = "sharp"

    def __init__(self, media):
        if not shutil.which("npm"):
            raise RuntimeError("sharp: npm is not installed")
        if not (HERE / "node_modules").is_dir():
            subprocess.run(["npm", "install", "--silent", "--no-save"],
                           cwd=HERE, check=True)
        if subprocess.run(["node", "-e", "require('sharp')"], cwd=HERE,
                          capture_output=True, check=False).returncode:
            raise RuntimeError("sharp: no package for this platform")
        super().__init__(["node", "sharp_server.js"], media)


class Pillow(Plain):
    name = "Pillow"

    def __init__(self, media):
        # Debian's Python: that of python3-pil.
        super().__init__(["/usr/bin/python3", "pillow_server.py"], media)

    def told(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("Pillow: python3-pil is not installed")
        self.formats = tuple(json.loads(line))
        return super().told()


class Vipsthumbnail:
    """A process an image."""
    name = "vipsthumbnail"
    formats = FORMATS
    saves = {"jpg": "[Q=80,optimize_coding,strip]",
             "webp": "[Q=79,effort=2,strip]",
             "avif": "[Q=63,effort=2,strip]"}

    def __init__(self, folder, media):
        self.folder, self.media, self.peak = folder, media, 0

    def make(self, photo, kind, number):
        """Megabytes that it had at most."""
        child = subprocess.Popen(
            ["vipsthumbnail", self.media / f"{photo}.jpg", "-s", f"{WIDTH}x",
             "-o", f"{self.folder}/{number}.{kind}{self.saves[kind]}"],
            env={**os.environ, "VIPS_CONCURRENCY": "1"})
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise measure.Wrong("vipsthumbnail failed")
        return used.ru_maxrss / 1024

    def cold(self, photo, kind, count):
        took = []
        for number in range(count):
            began = time.perf_counter()
            self.make(photo, kind, number)
            took.append((time.perf_counter() - began) * 1000)
        return took

    def throughput(self, photo, kind, seconds):
        cores, most = os.cpu_count(), []
        per_s = measure.in_turn(
            lambda _, number: most.append(self.make(photo, kind, number % 64)),
            seconds, cores)
        # What its processes share is counted for each.
        self.peak = max(most) * cores
        return per_s

    def close(self):
        pass


def available(folder, media):
    """All that this machine has, and what is said of the others."""
    makers, missing = [Troupe(folder, media)], []
    for make in (lambda: Sharp(media), lambda: Pillow(media),
                 lambda: Vipsthumbnail(folder, media)):
        try:
            makers.append(make())
        except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
            missing.append(str(error))
    return makers, missing
