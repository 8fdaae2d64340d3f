"""Batches of images as jobs: folders of results, an index, retries."""

import pathlib
import shutil
import unittest

from harness import wait_until
from pictures import ImageTest, kind_of, make_picture


class ImageBatches(ImageTest):
    def batch(self, **params):
        return self.troupe.submit("image_batch", params)

    def test_a_folder_becomes_images_and_an_index(self):
        for i in range(5):
            make_picture(self.media / f"Pic {i}.jpg", f"{300 + i}x200")
        (self.media / "pic 0.png").write_text("no image")
        job = self.batch(
            source_dir="local:///",
            operations=[{"name": "small", "options": "pr:small",
                         "format": "webp"},
                        {"name": "thumb", "options": "rs:fit:40:40"}])
        done = self.troupe.wait_for_state(job, ["succeeded", "failed"])
        self.assertEqual(done["state"], "succeeded", done)
        told = done["result"]
        self.assertEqual((told["sources"], told["images"], told["failed"]),
                         (7, 12, 1))
        folder = self.troupe.library / "images" / job
        self.assertEqual(told["folder"], str(folder))
        names = sorted(path.name for path in folder.iterdir())
        self.assertEqual(len(names), 13, names)
        self.assertEqual(kind_of((folder / "Pic 1-small.webp").read_bytes()),
                         "webp")
        self.assertEqual(kind_of((folder / "Pic 1-thumb.jpg").read_bytes()),
                         "jpg")
        lines = pathlib.Path(told["path"]).read_text().splitlines()
        self.assertEqual(len(lines), 7)

    def test_a_killed_server_goes_on_and_makes_every_image_once(self):
        for i in range(150):
            shutil.copy(self.media / "a.jpg", self.media / f"{i:03}.jpg")
        job = self.batch(
            glob="local:///[0-9]*.jpg",
            operations=[{"name": "a", "options": "rs:fit:600:600/bl:2",
                         "format": "png"},
                        {"name": "b", "options": "rs:fit:40:40"}])
        folder = self.troupe.library / "images" / job
        for enough in (20, 120):
            wait_until(lambda: folder.exists()
                       and len(list(folder.iterdir())) > enough, 60, "images")
            self.troupe.kill()
            for path in folder.iterdir():
                if not path.name.startswith("."):
                    self.assertIsNotNone(kind_of(path.read_bytes()), path)
            self.troupe.start()
        done = self.troupe.wait_for_state(job, ["succeeded", "failed"], 120)
        self.assertEqual(done["state"], "succeeded", done)
        self.assertEqual(done["result"]["images"], 300)
        names = {path.name for path in folder.iterdir()}
        self.assertEqual(names, {"images.jsonl"} | {
            f"{i:03}-{kind}" for i in range(150)
            for kind in ("a.png", "b.jpg")})

    def copies(self, count):
        for i in range(count):
            shutil.copy(self.media / "a.jpg", self.media / f"{i:03}.jpg")

    def private_of(self, job):
        return list(self.troupe.library.glob(f".*/{job}.*"))

    def test_what_was_cancelled_leaves_nothing_and_may_begin_anew(self):
        self.copies(150)
        job = self.batch(glob="local:///[0-9]*.jpg", operations=[
            {"name": "a", "options": "rs:fit:600:600/bl:4", "format": "png"}])
        folder = self.troupe.library / "images" / job

        def is_remembered():
            return any(path.name.endswith(".work")
                       and (path / "lines").exists()
                       and (path / "lines").stat().st_size > 0
                       for path in self.private_of(job))
        wait_until(is_remembered, 60, "a checkpoint")

        self.troupe.post(f"/v1/jobs/{job}/cancel")
        self.troupe.wait_for_state(job, "cancelled")

        wait_until(lambda: not folder.exists() and not self.private_of(job),
                   20, "its files to go")
        told = self.troupe.post(f"/v1/jobs/{job}/retry")
        self.assertEqual(told.status, 200, told.body)
        done = self.troupe.wait_for_state(job, ["succeeded", "failed"], 300)
        self.assertEqual(done["state"], "succeeded", done)
        self.assertEqual(done["result"]["images"], 150)
        self.assertEqual({path.name for path in folder.iterdir()},
                         {"images.jsonl"} | {f"{i:03}-a.png"
                                             for i in range(150)})

    def test_what_makes_no_sense_is_refused_when_it_is_asked_for(self):
        source = {"sources": ["local:///a.jpg"]}
        small = {"name": "small", "options": "w:40"}
        for params, pointer in (
                (source | {"operations": [small, {"name": "b",
                                                  "options": "no_such:1"}]},
                 "/params/operations/1/options"),
                (source | {"operations": [small, small | {"name": "Small"}]},
                 "/params/operations/1/name"),
                (source | {"glob": "local:///*.jpg", "operations": [small]},
                 "/params"),
                ({"operations": [small]}, "/params"),
                (source | {"operations": [{"name": "a", "options": "wm:1"}]},
                 "/params/operations/0/options")):
            told = self.troupe.post("/v1/jobs", {"type": "image_batch",
                                                 "params": params})
            self.assertEqual((told.status, told.json["code"]),
                             (422, "invalid_params"), (params, told.body))
            self.assertEqual([one["pointer"] for one in told.json["errors"]],
                             [pointer])

    def test_a_jobs_file_is_a_source(self):
        made = self.troupe.submit("noop", {"output_bytes": 1000})
        done = self.troupe.wait_for_state(made, "succeeded")
        shutil.copy(self.media / "a.jpg", done["result"]["path"])
        nothing = self.troupe.submit("noop", {})
        self.troupe.wait_for_state(nothing, "succeeded")

        job = self.batch(sources=[f"job:{made}", f"job:{nothing}"],
                         operations=[{"name": "x", "options": "w:40"}])

        done = self.troupe.wait_for_state(job, ["succeeded", "failed"])
        self.assertEqual(done["state"], "succeeded", done)
        self.assertEqual((done["result"]["images"], done["result"]["failed"]),
                         (1, 1), done)

    def test_names_never_collide_and_fail_fast_fails(self):
        (self.media / "b").mkdir()
        for name in ("b/a.jpg", "A.jpg"):
            shutil.copy(self.media / "a.jpg", self.media / name)
        job = self.batch(sources=["local:///a.jpg", "local:///b/a.jpg",
                                  "local:///A.jpg"],
                         operations=[{"name": "x"}], output="{stem}.{ext}")
        done = self.troupe.wait_for_state(job, ["succeeded", "failed"])
        self.assertEqual(done["result"]["images"], 3, done)
        folder = self.troupe.library / "images" / job
        self.assertEqual(len({path.name.lower()
                              for path in folder.iterdir()}), 4)

        job = self.batch(sources=["local:///none.jpg"], fail_fast=True,
                         operations=[{"name": "x"}])
        done = self.troupe.wait_for_state(job, ["succeeded", "failed"])
        self.assertEqual(done["state"], "failed")


if __name__ == "__main__":
    unittest.main()
