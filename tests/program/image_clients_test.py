"""Images by the URLs that npm's clients of imgproxy build: each option of the
open version once, what comes of it decoded."""

import json
import pathlib
import shutil
import subprocess
import unittest
import urllib.parse

from image_options import WHITE, Row, all_rows
from npm import installed
from pictures import ImageTest, Picture, make_picture, plain_png, with_exif

CLIENTS = pathlib.Path(__file__).resolve().parent / "clients"
KEY, SALT = "943b421c9eb07c83", "520f986b998545b4"


class ClientTest(ImageTest):
    key = KEY

    @classmethod
    def setUpClass(cls):
        cls.clients = installed(CLIENTS, "image_clients")

    def add_sources(self):
        whole = (self.media / "a.jpg").read_bytes()
        (self.media / "turned.jpg").write_bytes(with_exif(whole, 6))
        (self.media / "clear.png").write_bytes(
            plain_png(64, 48, (255, 255, 255, 0)))
        (self.folder / "mark.png").write_bytes(plain_png(30, 20, WHITE))
        make_picture(self.media / "framed.png", "100x80",
                     extra=("-vf", "pad=140:110:10:20:0x00ff00",
                            "-pix_fmt", "rgb24"))
        make_picture(self.media / "p3.png", "64x48")
        subprocess.run(["vips", "icc_transform", self.media / "p3.png",
                        self.media / "p3.jpg", "p3"], check=True)
        subprocess.run(
            ["ffmpeg", "-v", "error", "-f", "lavfi", "-i",
             "testsrc2=size=64x48:rate=10", "-frames:v", "5",
             self.media / "moving.gif"], check=True, stdin=subprocess.DEVNULL)

    def settings(self):
        secrets = {"TROUPE_IMAGES_KEYS": KEY, "TROUPE_IMAGES_SALTS": SALT}
        return {**(secrets if self.key else {}), **self.environment,
                "TROUPE_IMAGES_WATERMARK": str(self.folder / "mark.png")}

    def urls(self, rows):
        """Paths on the server."""
        order = {"base": self.troupe.url + "/img/", "rows": rows}
        if self.key:
            order.update(key=KEY, salt=SALT)
        told = subprocess.run(
            ["node", str(CLIENTS / "urls.js")], cwd=self.clients,
            input=json.dumps(order), capture_output=True, text=True)
        self.assertEqual(told.returncode, 0, told.stderr)
        return [url.removeprefix(self.troupe.url)
                for url in json.loads(told.stdout)]

    def check(self, row, path):
        answer = self.troupe.get(path)
        self.assertEqual(answer.status, row.status, (path, answer.body[:500]))
        if answer.status != 200:
            self.assertEqual(answer.headers["Content-Type"],
                             "application/problem+json")
            return
        made = Picture(answer.body)
        self.assertEqual(made.kind, row.kind, path)
        if row.size:
            self.assertEqual(made.size, row.size, path)
        if row.look:
            self.assertTrue(row.look(made, answer), path)


class Clients(ClientTest):
    def rows(self):
        return all_rows(Picture((self.media / "a.jpg").read_bytes()))

    def test_each_option_that_js_core_writes_is_understood(self):
        rows = [row for row in self.rows() if row.core is not None]
        asked = [{"options": row.core, "source": row.source} for row in rows]
        for row, path in zip(rows, self.urls(asked)):
            with self.subTest(row.name, path=path):
                self.check(row, path)

    def test_each_option_that_imgproxy_writes_is_understood(self):
        rows = [row for row in self.rows() if row.calls is not None]
        asked = [{"calls": row.calls, "source": row.source,
                  "encode": bool(number % 2)}
                 for number, row in enumerate(rows)]
        for row, path in zip(rows, self.urls(asked)):
            with self.subTest(row.name, path=path):
                self.check(row, path)

    def test_both_find_sources_of_any_name(self):
        name = "b c@2x ü+%.jpg"
        shutil.copy(self.media / "a.jpg", self.media / name)
        url = "local:///" + urllib.parse.quote(name)
        quoted = urllib.parse.quote(url, safe="")
        paths = self.urls([
            {"options": {"width": 100, "format": "png"}, "source": quoted},
            {"calls": [["width", 100]], "source": quoted, "ext": "png",
             "encode": False},
            {"calls": [["width", 100]], "source": url, "ext": "png",
             "encode": True}])
        for path in paths:
            with self.subTest(path=path):
                self.check(Row("", None, None, (100, 75), "png"), path)

    def test_what_was_signed_is_not_changed_unseen(self):
        for asked in ({"options": {"width": 100}, "source": "local:///a.jpg"},
                      {"calls": [["width", 100]], "source": "local:///a.jpg",
                       "encode": False}):
            path, = self.urls([asked])
            self.assertEqual(self.troupe.get(path).status, 200, path)
            other = path.replace("w:100", "w:101")
            self.assertNotEqual(other, path)
            self.assertEqual(self.troupe.get(other).status, 403, other)


class PresetClients(ClientTest):
    key = None
    environment = {"TROUPE_IMAGES_PRESETS_ONLY": "true"}

    def test_names_of_presets_alone_are_understood(self):
        paths = self.urls([
            {"options": {"preset": ["square", "preview"]},
             "settings": {"onlyPresets": True}, "source": "local:///a.jpg"},
            {"calls": [["preset", "square", "preview"]], "only": True,
             "source": "local:///a.jpg", "encode": False},
            {"calls": [["width", 100]], "source": "local:///a.jpg",
             "encode": False}])
        for path in paths[:2]:
            # The later preset's size and kind of resizing.
            self.check(Row("", None, None, (320, 240)), path)
        self.assertEqual(self.troupe.get(paths[2]).status, 422)


if __name__ == "__main__":
    unittest.main()
