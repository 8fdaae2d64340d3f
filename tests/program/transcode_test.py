"""Conversions: what is refused, a server that is killed half-way, and what of
the work that was done is not done again."""

import os
import pathlib
import signal
import subprocess
import time
import unittest

from harness import TroupeTest, best_of, children_of, sha256, wait_until
from streams_test import frames, make_film

SECONDS = 20
#: A job that is cancelled has ended by then.
CANCELLED_S = 2


class Transcodes(TroupeTest):
    def setUp(self):
        super().setUp()
        self.media = self.folder / "media"
        self.media.mkdir()
        self.film = make_film(self.media / "film.mkv", SECONDS)
        self.troupe = self.server("--media-root", str(self.media))

    def submit(self, **params):
        return self.troupe.submit(
            "transcode", {"source": "local:///film.mkv", **params})

    def wait_for_half(self, job):
        def there():
            told = self.troupe.job(job)
            self.assertIn(told["state"], ("queued", "running"))
            progress = told["progress"] or {}
            return (progress.get("fraction") or 0) > 0.3 and progress
        return wait_until(there, 60, lambda: self.troupe.job(job))

    def test_a_film_is_published_with_what_is_in_it(self):
        job = self.troupe.wait_for_state(
            self.submit(filename="films/{title}.{ext}"), "succeeded")
        result = job["result"]
        path = pathlib.Path(result["path"])
        self.assertEqual(path, self.troupe.library / "films/film.mp4")
        self.assertEqual(result["sha256"], sha256(path))
        self.assertEqual(result["video"]["codec"], "h264")
        self.assertEqual(result["audio"]["codec"], "aac")
        self.assertAlmostEqual(result["duration_s"], SECONDS, delta=0.1)
        self.assertEqual([at for at, _ in frames(path)],
                         [at for at, _ in frames(self.film)])

        again = self.troupe.wait_for_state(self.troupe.submit(
            "transcode", {"source": f"job:{job['id']}",
                          "profile": "audio_only"}), "succeeded")
        self.assertIsNone(again["result"]["video"])
        self.assertTrue(again["result"]["path"].endswith(".m4a"))

    def test_what_is_not_allowed_is_named(self):
        for params, pointer in (
                ({"profile": "best"}, "/params/profile"),
                ({"crf": 52}, "/params/crf"),
                ({"preset": "placebo"}, "/params/preset"),
                ({"video_codec": "mpeg2video"}, "/params/video_codec"),
                ({"container": "avi"}, "/params/container"),
                ({"height": 63}, "/params/height"),
                ({"filename": "../a"}, "/params/filename"),
                ({"x264_params": "a"}, "/params/x264_params"),
                ({"source": "local:///../film.mkv"}, "/params/source")):
            answer = self.troupe.post("/v1/jobs", {
                "type": "transcode",
                "params": {"source": "local:///film.mkv", **params}})
            self.assertEqual(answer.status, 422, params)
            self.assertEqual(
                [each["pointer"] for each in answer.json["errors"]], [pointer])

    def test_a_killed_server_goes_on_from_the_last_segment(self):
        job = self.submit(preset="slow")
        before = self.wait_for_half(job)
        self.assertEqual(before["unit"], "seconds")
        self.assertGreater(before["rate"], 0)
        self.assertGreater(before["eta_s"], 0)
        self.troupe.kill()
        pack = self.troupe.library / ".troupe" / f"{job}.work" / "pack"
        had = pack.read_bytes()

        self.troupe.start()
        # Nothing that was there is made or written again; what was told before
        # counts what was not yet written, too.
        told = wait_until(
            lambda: (self.troupe.job(job)["progress"] or {}).get("stage")
            == "encode" and self.troupe.job(job), 60, "it goes on")
        self.assertGreater(told["progress"]["fraction"], 0.1)
        now = wait_until(lambda: pack.exists() and pack.read_bytes(), 10,
                         "the pack")
        whole = now[:len(had)]
        self.assertGreater(len(os.path.commonprefix([whole, had])),
                           len(had) * 0.5)
        done = self.troupe.wait_for_state(job, "succeeded", 120)
        self.assertEqual(len(frames(done["result"]["path"])), SECONDS * 25)

    def test_a_cancelled_one_ends_at_once_and_leaves_nothing(self):
        self.assertLess(best_of(3, self.cancel_one, CANCELLED_S), CANCELLED_S)

    def cancel_one(self):
        """The seconds from the request until it is cancelled."""
        job = self.submit(preset="veryslow", profile="ultra_compress")
        wait_until(lambda: children_of(self.troupe.process.pid, "troupe-codec",
                                       nice=10), 30, "children at work")
        began = time.monotonic()
        self.troupe.post(f"/v1/jobs/{job}/cancel")
        self.troupe.wait_for_state(job, "cancelled", 10)
        took = time.monotonic() - began
        wait_until(lambda: not children_of(
            self.troupe.process.pid, "troupe-codec", nice=10), 5,
            "no child is left")
        wait_until(lambda: not list(
            (self.troupe.library / ".troupe").glob(f"{job}*")), 30,
            "its folders are gone")
        return took

    def test_a_child_that_dies_costs_its_segment_alone(self):
        job = self.submit(preset="medium")
        self.wait_for_half(job)
        for pid in children_of(self.troupe.process.pid, "troupe-codec",
                               nice=10)[:1]:
            os.kill(pid, signal.SIGKILL)
        done = self.troupe.wait_for_state(job, "succeeded", 120)
        self.assertEqual(done["attempt"], 1)
        self.assertEqual(len(frames(done["result"]["path"])), SECONDS * 25)


class TranscodeFullDisk(TroupeTest):
    def setUp(self):
        super().setUp()
        small = self.folder / "data"
        small.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", small],
            capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("mounting a tmpfs is not permitted here")
        self.addCleanup(subprocess.run, ["umount", "-l", small], check=False)

    def test_a_film_that_does_not_fit_fails_its_job_alone(self):
        media = self.folder / "media"
        media.mkdir()
        make_film(media / "film.mkv", 20, "1280x720", ["-crf", "18"])
        server = self.server("--media-root", str(media))
        job = server.wait_for_state(server.submit(
            "transcode", {"source": "local:///film.mkv", "crf": 1,
                          "profile": "high_quality", "preset": "ultrafast"},
            max_attempts=1), ("failed", "succeeded"), 120)
        self.assertEqual(job["error"]["code"], "disk_full")
        small = server.submit("noop", {"output_bytes": 1000})
        server.wait_for_state(small, "succeeded")


if __name__ == "__main__":
    unittest.main()
