"""Media facts of files beneath the media roots, at once and by a job."""

import os
import pathlib
import signal
import unittest
import urllib.parse

from harness import TroupeTest, make_clip, wait_until


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
                                  environment={"TROUPE_POOLS_VIDEO": "10",
                                               "TROUPE_POOLS_VIDEO_MIN": "10",
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
        for query in ("", "?source=", "?source=ftp://example.org/a.mp4",
                      "?source=local:///a&other=1"):
            told = self.troupe.get("/v1/probe" + query)
            self.assertEqual(told.status, 422, (query, told.body))

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


if __name__ == "__main__":
    unittest.main()
