"""Images while a disk stands still or is full, while children die, and beside
a batch that would take minutes."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time
import unittest

from harness import best_of, children_of, wait_until
from pictures import ImageTest, kind_of, make_picture


class SlowDisk(ImageTest):
    """Its cache lies on a file system that can be made to stand still."""

    def add_sources(self):
        make_picture(self.media / "rough.png", "1600x1200",
                     extra=("-vf", "noise=alls=90"))
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        image = self.folder / "disk.img"
        with open(image, "wb") as out:
            out.truncate(512 * 2**20)
        for command in (["mkfs.ext4", "-q", image],
                        ["mount", "-o", "loop", image, self.disk]):
            with contextlib.suppress(OSError):
                if subprocess.run(command, capture_output=True,
                                  check=False).returncode == 0:
                    continue
            self.skipTest("no file system of our own can be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", self.disk],
                        check=False)

    def settings(self):
        return {"TROUPE_IMAGES_CACHE_DIR": str(self.disk / "cache")}

    @contextlib.contextmanager
    def standing_still(self):
        subprocess.run(["fsfreeze", "-f", self.disk], check=True)
        try:
            yield
        finally:
            subprocess.run(["fsfreeze", "-u", self.disk], check=True)

    def dropped(self):
        return self.stats()["disk"]["dropped"]

    def test_answers_do_not_wait_for_a_disk_that_stands_still(self):
        kept = self.image("w:300", ext="png")
        wait_until(lambda: self.stats()["disk"]["entries"] == 1, 20,
                   "an image on disk")
        with self.standing_still():
            for number in range(40):
                # Five megabytes or more: some do not fit into the queue.
                told = self.image(f"rs:force:1600:{1200 - number}",
                                  "local:///rough.png", "png")
                self.assertEqual(told.status, 200, told.body[:500])
                if self.dropped() > 0:
                    break
            self.assertGreater(self.dropped(), 0)
            self.assertEqual(self.image("w:300", ext="png").body, kept.body)
            self.assertEqual(self.image("w:299", ext="png").status, 200)
            self.assertEqual(self.troupe.get("/healthz").status, 200)
        before = self.dropped()
        wait_until(lambda: self.stats()["disk"]["entries"] > 5, 60,
                   "what fitted into the queue is on disk")
        self.assertEqual(self.image("w:298", ext="png").status, 200)
        self.assertEqual(self.dropped(), before)
        self.assertIn(f'troupe_image_cache_dropped{{tier="disk"}} {before}',
                      self.troupe.get("/metrics").body.decode())


class FullDisk(ImageTest):
    def add_sources(self):
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", self.disk],
            capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("mounting a tmpfs is not permitted here")
        self.addCleanup(subprocess.run, ["umount", "-l", self.disk],
                        check=False)

    def settings(self):
        return {"TROUPE_IMAGES_CACHE_DIR": str(self.disk / "cache"),
                "TROUPE_IMAGES_MEMORY_BYTES": "0"}

    def test_answers_do_without_a_disk_that_is_full(self):
        first = self.image("w:40")
        wait_until(lambda: self.stats()["disk"]["entries"] == 1, 20,
                   "an image on disk")
        filler = self.disk / "filler"
        with open(filler, "wb", buffering=0) as out:
            with contextlib.suppress(OSError):
                while out.write(b"x" * 4096) > 0:
                    pass
        for width in range(50, 60):
            self.assertEqual(self.image(f"w:{width}").status, 200)
        # What is there is whole, and of use.
        told = self.image("w:40")
        self.assertEqual((told.headers["X-Cache"], told.body),
                         ("hit", first.body))
        filler.unlink()

        def is_kept():
            return self.image("w:60").headers["X-Cache"] == "hit"
        wait_until(is_kept, 20, "images are kept again")


class DyingChildren(ImageTest):
    SOURCES = 80

    def add_sources(self):
        for number in range(self.SOURCES):
            shutil.copy(self.media / "a.jpg", self.media / f"{number:03}.jpg")

    def kill_some(self, job, most):
        """Kills children, one after the other, while they make images."""
        killed = set()
        folder = self.troupe.library / "images" / job

        def more():
            if self.troupe.job(job)["state"] != "running":
                return True
            fresh = set(children_of(self.troupe.process.pid, "troupe-codec",
                                    nice=10)) - killed
            if fresh and folder.exists():
                victim = fresh.pop()
                with contextlib.suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)
                    killed.add(victim)
            return len(killed) >= most
        wait_until(more, 120, "children to kill")
        return len(killed)

    def test_every_item_ends_once_though_children_are_killed(self):
        job = self.troupe.submit("image_batch", {
            "glob": "local:///[0-9]*.jpg",
            "operations": [{"name": "x", "options": "w:600/bl:4",
                            "format": "png"}]})

        killed = self.kill_some(job, 12)

        self.assertGreaterEqual(killed, 5)
        done = self.troupe.wait_for_state(job, ["succeeded", "failed"], 120)
        self.assertEqual(done["state"], "succeeded", done)
        self.assertEqual(done["attempt"], 1, done)
        told = done["result"]
        self.assertEqual(told["sources"], self.SOURCES)
        self.assertEqual(told["images"] + told["failed"], self.SOURCES)
        # Only who lost two children fails.
        self.assertLessEqual(told["failed"], killed // 2)
        index = [json.loads(line) for line in
                 pathlib.Path(told["path"]).read_text().splitlines()]
        self.assertEqual([line["source"] for line in index],
                         [f"local:///{number:03}.jpg"
                          for number in range(self.SOURCES)])
        folder = pathlib.Path(told["folder"])
        named = [name for line in index for name in line.get("files", [])]
        self.assertEqual(len(named), told["images"])
        self.assertEqual({path.name for path in folder.iterdir()},
                         {*named, "images.jsonl"})
        for name in named:
            body = (folder / name).read_bytes()
            self.assertEqual((kind_of(body), body[-8:-4]), ("png", b"IEND"))


class BesideABatch(ImageTest):
    SOURCES, PAGES = 400, 40

    def add_sources(self):
        big = make_picture(self.media / "big.jpg", "4000x3000",
                           extra=("-vf", "noise=alls=20"))
        many = self.media / "many"
        many.mkdir()
        for number in range(self.SOURCES):
            os.link(big, many / f"{number:03}.jpg")

    def done(self, job):
        told = self.troupe.job(job)
        self.assertEqual(told["state"], "running", told)
        return (told["progress"] or {}).get("done", 0)

    def slowest(self, first):
        """Of pages that come at a pace, the longest wait in seconds."""
        longest = 0
        for number in range(self.PAGES):
            began = time.monotonic()
            told = self.image(f"w:{first + number}", "local:///big.jpg")
            longest = max(longest, time.monotonic() - began)
            self.assertEqual(told.status, 200, told.body)
            self.assertEqual(told.headers["X-Cache"], "miss")
        return longest

    def test_pages_do_not_wait_for_a_batch(self):
        job = self.troupe.submit("image_batch", {
            "source_dir": "local:///many",
            "operations": [{"name": "x", "options": "w:1200",
                            "format": "avif"}]})
        wait_until(lambda: self.done(job) > 0, 60, "the batch's first image")
        sides = self.stats()
        self.assertGreater(sides["page"]["children"], 0)

        rounds = iter(range(100, 1000, self.PAGES))
        longest = best_of(3, lambda: self.slowest(next(rounds)), 0.5)

        # In the batch's line they would wait for minutes.
        self.assertLess(longest, 1)
        self.assertLess(self.done(job), self.SOURCES / 2)
        self.assertEqual(self.stats()["refused"], 0)
        self.troupe.post(f"/v1/jobs/{job}/cancel")
        self.troupe.wait_for_state(job, ["cancelled"])


if __name__ == "__main__":
    unittest.main()
