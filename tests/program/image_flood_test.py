"""A batch of thousands of images whose server is killed twice.

The long form is `IMAGES=10000`, as `./dev chaos` runs it.
"""

import json
import os
import pathlib
import unittest

from harness import TroupeTest, sha256, wait_until
from pictures import first_pixel, plain_png

COUNT = int(os.environ.get("IMAGES", 1000))
SIDE = 24
OPERATION = {"name": "small", "options": "rs:force:12:12", "format": "png"}


def color_of(number):
    """None but its own."""
    return number & 255, number >> 8 & 255, 77


def name_of(number):
    return f"{number:05}-small.png"


class Flood(TroupeTest):
    def setUp(self):
        super().setUp()
        media = self.folder / "media"
        media.mkdir()
        for number in range(COUNT):
            (media / f"{number:05}.png").write_bytes(
                plain_png(SIDE, SIDE, color_of(number)))
        self.troupe = self.server("--media-root", str(media))

    def made(self):
        """Names of the images that are there, hidden files left out."""
        if not self.images.exists():
            return []
        return [name for name in os.listdir(self.images)
                if not name.startswith(".") and name.endswith(".png")]

    def assert_whole(self, names):
        """Each is the image of its own source, to the last byte."""
        torn = [name for name in names if first_pixel(
            (self.images / name).read_bytes())
            != bytes(color_of(int(name[:5])))]
        self.assertEqual(torn, [])

    def test_every_image_is_there_once_and_none_is_torn(self):
        job = self.troupe.submit("image_batch", {
            "glob": "local:///*.png", "operations": [OPERATION]})
        self.images = self.troupe.library / "images" / job
        for share in (0.2, 0.6):
            wait_until(lambda: len(self.made()) >= share * COUNT, 300,
                       lambda: f"images: {len(self.made())} of {COUNT}")
            self.troupe.kill()
            seen = self.made()
            self.assertLess(len(seen), COUNT, "killed too late")
            self.assert_whole(seen)
            self.troupe.start()

        done = self.troupe.wait_for_state(job, ["succeeded", "failed"], 500)

        self.assertEqual(done["state"], "succeeded", done)
        self.check(done["result"])
        self.assertEqual(len(done["errors"]), 2, done["errors"])

    def check(self, told):
        self.assertEqual(
            (told["sources"], told["images"], told["failed"]),
            (COUNT, COUNT, 0))
        self.assertEqual(sha256(told["path"]), told["sha256"])
        names = [name_of(number) for number in range(COUNT)]
        left = {entry.name for entry in self.images.iterdir()}
        self.assertEqual(left, {*names, "images.jsonl"})
        self.assert_whole(names)
        index = [json.loads(line) for line in
                 pathlib.Path(told["path"]).read_text().splitlines()]
        self.assertEqual(
            [(line["source"], line["files"]) for line in index],
            [(f"local:///{number:05}.png", [name_of(number)])
             for number in range(COUNT)])


if __name__ == "__main__":
    unittest.main()
