"""Media facts of files beneath the media roots, at once and by a job."""

import os
import pathlib
import random
import shutil
import signal
import threading
import time
import unittest
import urllib.parse

from harness import BIN, TroupeTest, make_clip, wait_until


def children_of(pid):
    """Process ids and names of what a process started."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            name, rest = stat[stat.index("(") + 1:].rsplit(") ", 1)
            if int(rest.split()[1]) == pid:
                found.append((int(entry.name), name))
    return found


class ProbeTest(TroupeTest):
    flags = ()

    def setUp(self):
        super().setUp()
        self.media = self.folder / "media"
        (self.media / "a folder").mkdir(parents=True)
        make_clip(self.media / "a folder" / "clip.mp4")
        self.troupe = self.server("--media-root", str(self.media), *self.flags,
                                  environment={"TROUPE_POOLS_VIDEO": "20",
                                               "TROUPE_POOLS_VIDEO_MIN": "20",
                                               "TROUPE_NODE_CPUS": "8"})

    def probe(self, path):
        return self.probe_source("local:///" + urllib.parse.quote(path))

    def probe_source(self, source):
        return self.troupe.get("/v1/probe?source=" + urllib.parse.quote(source))

    def zygote(self):
        found = [pid for pid, name in children_of(self.troupe.process.pid)
                 if name == "troupe-zygote"]
        return found[0] if found else None


class Probes(ProbeTest):
    def test_a_file_is_told_at_once_and_by_a_job(self):
        told = self.probe("a folder/clip.mp4")
        self.assertEqual(told.status, 200, told.body)
        self.assertEqual(told.json["container"], "mp4")
        self.assertEqual([stream["codec"] for stream in told.json["streams"]],
                         ["h264", "aac"])
        self.assertRegex(told.json["streams"][0]["codecs"],
                         r"^avc1\.[0-9A-F]{6}$")

        job = self.troupe.wait_for_state(
            self.troupe.submit("probe",
                               {"source": "local:///a%20folder/clip.mp4"}),
            ["succeeded", "failed"])
        self.assertEqual(job["result"], told.json)

    def test_addresses_that_are_not_public_are_refused(self):
        for url in ("http://127.0.0.1:1/a.mp4", "http://10.0.0.1/a.mp4",
                    "http://[::1]/a.mp4", "http://localhost/a.mp4"):
            told = self.probe_source(url)
            self.assertEqual(told.status, 422, (url, told.body))
            self.assertEqual(told.json["code"], "source_forbidden", url)
            told = self.troupe.post("/v1/jobs", {"type": "probe",
                                                 "params": {"source": url}})
            self.assertEqual((told.status, told.json["code"]),
                             (422, "source_forbidden"), url)

    def test_what_is_no_file_of_the_roots_is_refused(self):
        secret = self.folder / "secret.mp4"
        make_clip(secret)
        (self.media / "way-out.mp4").symlink_to(secret)
        (self.media / "words.mp4").write_text("no film")
        (self.media / "list.mp4").write_text(
            f"#EXTM3U\n#EXTINF:2,\n{self.media}/a folder/clip.mp4\n")
        os.mkfifo(self.media / "fifo")

        for path, status in (("none.mp4", 404), ("../secret.mp4", 422),
                             ("way-out.mp4", 422), ("words.mp4", 422),
                             ("list.mp4", 422), ("fifo", 422),
                             ("a folder", 422), ("", 422)):
            told = self.probe(path)
            self.assertEqual(told.status, status, (path, told.body))
            self.assertEqual(told.json["errors"][0]["pointer"], "/source")
        linked = self.probe("way-out.mp4").json
        self.assertEqual(linked["code"], "source_forbidden")
        self.assertIn("leads out of its folder by a link", linked["detail"])
        for query in ("", "?source=", "?source=ftp://example.org/a.mp4",
                      "?source=local:///a&other=1"):
            told = self.troupe.get("/v1/probe" + query)
            self.assertEqual(told.status, 422, (query, told.body))
        for state in ("failed", "cancelled"):
            left = self.troupe.get(f"/v1/jobs?state={state}").json["jobs"]
            self.assertEqual(left, [])

    def test_a_killed_zygote_is_replaced_and_nobody_notices(self):
        wait_until(self.zygote, 20, "a zygote")
        for _ in range(3):
            os.kill(self.zygote(), signal.SIGKILL)
            told = self.probe("a folder/clip.mp4")
            self.assertEqual(told.status, 200, told.body)
        wait_until(lambda: [name for _, name in
                            children_of(self.troupe.process.pid)]
                   == ["troupe-zygote"], 20, "no child but the zygote")

    def test_children_die_with_a_killed_server(self):
        wait_until(self.zygote, 20, "a zygote")
        zygote = self.zygote()
        self.troupe.kill()
        wait_until(lambda: not pathlib.Path(f"/proc/{zygote}").exists(), 20,
                   "the zygote's end")


class RemoteProbes(ProbeTest):
    flags = ("--allow-private-sources",)

    def test_a_remote_file_and_one_that_a_job_has_made_are_told_alike(self):
        here = self.probe("a folder/clip.mp4").json
        origin = self.origin(self.media / "a folder")
        url = origin.url("/files/clip.mp4")

        told = self.probe_source(url)
        self.assertEqual((told.status, told.json), (200, here))
        job = self.troupe.submit("download", {"url": url,
                                              "format": "original"})
        self.troupe.wait_for_state(job, "succeeded")
        told = self.probe_source("job:" + job)
        self.assertEqual((told.status, told.json), (200, here))

        self.assertEqual(self.probe_source("job:none").status, 404)
        self.assertEqual(
            self.probe_source(origin.url("/files/none.mp4")).status, 404)
        noop = self.troupe.submit("noop", {})
        self.troupe.wait_for_state(noop, "succeeded")
        self.assertEqual(self.probe_source("job:" + noop).status, 404)

    def test_a_slow_source_is_answered_by_its_job(self):
        make_clip(self.media / "slow.mp4", seconds=60)
        origin = self.origin(self.media)

        told = self.probe_source(origin.url("/files/slow.mp4?rate=60000"))

        self.assertEqual(told.status, 202, told.body)
        self.assertEqual(told.headers["Location"],
                         "/v1/jobs/" + told.json["id"])
        job = self.troupe.wait_for_state(told.json["id"],
                                         ["succeeded", "failed"])
        self.assertEqual(job["result"]["container"], "mp4", job)

    def test_sources_that_hang_leave_slots_to_others(self):
        origin = self.origin(self.media / "a folder")
        for i in range(24):
            self.troupe.submit("probe", {
                "source": origin.url(f"/files/clip.mp4?stall_after=0&n={i}")})
        hanging = self.troupe.submit("probe", {
            "source": origin.url("/files/clip.mp4?stall_after=0&n=last")})
        here = self.troupe.submit("probe",
                                  {"source": "local:///a%20folder/clip.mp4"})

        # A source that hangs is given up after 20 s.
        job = self.troupe.wait_for_state(here, "succeeded", seconds=15)
        self.assertEqual(job["result"]["container"], "mp4")
        self.assertEqual(self.probe("a folder/clip.mp4").status, 200)
        put_off = self.troupe.job(hanging)
        self.assertIn(put_off["state"], ("queued", "scheduled"), put_off)
        self.assertEqual(put_off["errors"], [], "it was not tried")

    def test_ten_probes_outlive_their_zygote(self):
        make_clip(self.media / "slow.mp4", seconds=60)
        origin = self.origin(self.media)
        wait_until(self.zygote, 20, "a zygote")
        # The first block comes at once, so that children wait for the next.
        jobs = [self.troupe.submit("probe", {
            "source": origin.url(f"/files/slow.mp4?rate=150000&n={i}")})
            for i in range(10)]
        wait_until(lambda: len(children_of(self.troupe.process.pid)) == 11, 30,
                   "ten children")

        os.kill(self.zygote(), signal.SIGKILL)

        for job in jobs:
            done = self.troupe.wait_for_state(job, ["succeeded", "failed"])
            self.assertEqual(done["state"], "succeeded", done)
            self.assertEqual(done["errors"], [])


class Mutations(TroupeTest):
    """2,000 damaged files of ten containers, asked for over HTTP."""

    kinds = {"mp4": "-c:v libx264 -c:a aac", "mkv": "-c:v libx264 -c:a ac3",
             "webm": "-c:v libvpx -deadline realtime -c:a libvorbis",
             "ts": "-c:v libx264 -c:a aac", "avi": "-c:v mpeg4 -c:a mp3",
             "flv": "-c:v flv -c:a mp3 -ar 44100",
             "mpg": "-c:v mpeg2video -c:a mp2", "ogg": "-vn -c:a libvorbis",
             "mp3": "-vn -c:a mp3", "wmv": "-c:v wmv2 -c:a wmav2"}

    def setUp(self):
        super().setUp()
        self.media = self.folder / "media"
        self.media.mkdir()
        self.good = {}
        for kind, how in self.kinds.items():
            path = self.folder / f"good.{kind}"
            make_clip(path, seconds=1, extra=how.split())
            self.good[kind] = path.read_bytes()
        self.troupe = self.server("--media-root", str(self.media))
        self.odd = []

    def mutate(self, seed):
        """Two hundred and fifty of each thread's eight."""
        chance = random.Random(seed)
        for number in range(250):
            kind = list(self.good)[number % len(self.good)]
            bad = bytearray(self.good[kind])
            reach = min(len(bad), 2048 if number % 2 else len(bad))
            for _ in range(chance.randint(1, 60)):
                bad[chance.randrange(reach)] = chance.randrange(256)
            if number % 5 == 0:
                del bad[chance.randrange(1, len(bad)):]
            (self.media / f"{seed}-{number}").write_bytes(bad)
            told = self.troupe.get(
                f"/v1/probe?source=local:///{seed}-{number}")
            if told.status not in (200, 202, 422):
                self.odd.append((seed, number, kind, told.status, told.body))

    def test_they_harm_nobody(self):
        system = lambda: self.troupe.get("/v1/system").json
        pid = self.troupe.process.pid
        before, began = system(), time.monotonic()
        threads = [threading.Thread(target=self.mutate, args=(seed,))
                   for seed in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        self.assertEqual(self.odd, [])
        ran = time.monotonic() - began
        self.assertEqual(len(list(self.media.iterdir())), 2000)
        self.assertGreater(system()["uptime_s"] - before["uptime_s"], ran - 2)
        self.assertEqual(self.troupe.process.poll(), None)
        wait_until(lambda: [name for _, name in children_of(pid)]
                   == ["troupe-zygote"], 60, "no child but the zygote")
        descriptors = lambda: len(os.listdir(f"/proc/{pid}/fd"))
        wait_until(lambda: descriptors() <= before["descriptors"]["used"] + 8,
                   30, lambda: f"{descriptors()} descriptors, "
                               f"before {before['descriptors']}")


class Poison(TroupeTest):
    """With the codec of the tests, whose children fail as a file tells them:
    see tests/media/child/codec_main.cpp."""

    def setUp(self):
        super().setUp()
        programs = self.folder / "programs"
        programs.mkdir()
        for name, where in (("troupe", "troupe"),
                            ("test_codec", "troupe-codec")):
            try:
                os.link(BIN / name, programs / where)
            except OSError:
                shutil.copy(BIN / name, programs / where)
        self.media = self.folder / "media"
        self.media.mkdir()
        make_clip(self.media / "good.mp4")
        for fault in ("crash", "fork", "socket", "eat", "hang"):
            (self.media / f"{fault}.mp4").write_text(f"fault:{fault}\n")
        self.troupe = self.server(
            "--media-root", str(self.media), programs=programs,
            environment={"TROUPE_SANDBOX_MEMORY_MB": "256",
                         "TROUPE_NODE_CPUS": "8"})

    def probe(self, name):
        return self.troupe.submit(
            "probe", {"source": f"local:///{name}.mp4"},
            max_attempts=1 if name == "hang" else 5,
            backoff={"initial_s": 0, "factor": 1, "max_s": 0, "jitter": 0})

    def end_of(self, job):
        return self.troupe.wait_for_state(job, ["succeeded", "failed"])

    def test_exactly_the_bad_fail_each_by_its_own_code(self):
        faults = {"crash": "poison", "fork": "sandbox", "socket": "sandbox",
                  "eat": "memory", "hang": "timeout"}
        bad = {fault: self.probe(fault) for fault in faults}
        good = [self.probe("good") for _ in range(20)]
        noop = self.troupe.submit("noop", {"sleep_ms": 500})

        for job in [*good, noop]:
            done = self.end_of(job)
            self.assertEqual((done["state"], done["errors"]),
                             ("succeeded", []))
        for fault, job in bad.items():
            done = self.end_of(job)
            self.assertEqual((done["state"], done["error"]["code"]),
                             ("failed", faults[fault]), done)
        crashed = self.troupe.job(bad["crash"])
        self.assertEqual([error["code"] for error in crashed["errors"]],
                         ["crashed", "poison"], "two, whatever may be tried")

        refused = self.end_of(self.probe("crash"))
        self.assertEqual([error["code"] for error in refused["errors"]],
                         ["poison_source"])
        told = self.troupe.get("/v1/probe?source=local:///crash.mp4")
        self.assertEqual((told.status, told.json["errors"][0]["code"]),
                         (422, "poison_source"))
        for fault in ("fork", "eat"):
            again = self.end_of(self.probe(fault))
            self.assertEqual(again["error"]["code"], faults[fault],
                             "that blames no file")
        self.assertEqual(self.end_of(self.probe("good"))["state"],
                         "succeeded")
        wait_until(lambda: [name for _, name in
                            children_of(self.troupe.process.pid)]
                   == ["troupe-zygote"], 30, "no child but the zygote")

    def test_a_hundred_crashes_leave_nothing_behind(self):
        self.end_of(self.probe("good"))
        pid = self.troupe.process.pid
        descriptors = lambda: len(os.listdir(f"/proc/{pid}/fd"))
        before = descriptors()
        jobs = []
        for number in range(50):
            (self.media / f"bad{number}.mp4").write_text("fault:crash\n")
            jobs.append(self.probe(f"bad{number}"))
        for job in jobs:
            self.assertEqual(self.end_of(job)["error"]["code"], "poison")

        wait_until(lambda: [name for _, name in children_of(pid)]
                   == ["troupe-zygote"], 30, "no zombies")
        wait_until(lambda: descriptors() <= before + 2, 30,
                   lambda: f"{descriptors()} descriptors, before {before}")
        self.assertIsNone(self.troupe.process.poll())


if __name__ == "__main__":
    unittest.main()
