"""Images of bodies, drawings, videos and remote sources, and stand-ins."""

import contextlib
import pathlib
import socket
import subprocess
import time
import unittest

from harness import wait_until
from pictures import ImageTest, kind_of, make_picture

DRAWING = ("<svg xmlns='http://www.w3.org/2000/svg' width='40' height='20'>"
           "<text y='15'>写真</text></svg>")


def send_slowly(port, path, length, part=b"x", client="127.0.0.1"):
    """A request whose body does not come to its end."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=30,
                                          source_address=(client, 0))
    connection.sendall((f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
                        f"Content-Length: {length}\r\n\r\n").encode() + part)
    return connection


def send_chunks(port, path, count):
    """What is answered to so many chunks of 100,000 bytes without an end."""
    chunk = b"186a0\r\n" + b"x" * 100000 + b"\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=30) as to:
        to.sendall(f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
                   "Transfer-Encoding: chunked\r\n\r\n".encode())
        for _ in range(count):
            to.sendall(chunk)
        return to.recv(4096)


class Bodies(ImageTest):
    environment = {"TROUPE_IMAGES_MAX_BYTES": "1000000",
                   "TROUPE_IMAGES_UPLOAD_BYTES": "1500000",
                   "TROUPE_IMAGES_CLIENT_UPLOAD_BYTES": "1200000"}

    def send(self, body, **options):
        return self.troupe.post("/v1/images?options=w:20", body,
                                headers={"Content-Type": "image/png"},
                                **options)

    def test_a_body_beyond_a_budget_is_refused_by_its_name(self):
        image = make_picture(self.folder / "a.png", "400x300").read_bytes()
        self.assertEqual(self.send(image).status, 200)

        told = self.send(b"x" * 1000001)
        self.assertEqual((told.status, told.json["code"]),
                         (413, "body_too_large"))
        self.assertIn(b"413 Content Too Large",
                      send_chunks(self.troupe.port, "/v1/images", 16))

        with send_slowly(self.troupe.port, "/v1/images", 900000):
            def refused():
                told = self.send(b"x" * 400000)
                return told if told.status == 429 else None

            told = wait_until(refused, 20, "the client's budget")
            self.assertEqual(told.json["code"], "rate_limited")
            self.assertIn("Retry-After", told.headers)
            self.assertEqual(self.send(image).status, 200)
        wait_until(lambda: self.send(b"x" * 900000).status == 422, 20,
                   "the budget is given back")
        uploads = self.folder / "data" / "uploads"
        self.assertEqual(list(uploads.iterdir()), [])

    def test_clients_share_the_budget_of_all(self):
        def answer_to_another():
            other = send_slowly(self.troupe.port, "/v1/images", 700000,
                                client="127.0.0.2")
            with other:
                other.settimeout(0.5)
                with contextlib.suppress(TimeoutError):
                    return other.recv(4096)
            return b""

        with send_slowly(self.troupe.port, "/v1/images", 900000):
            told = wait_until(answer_to_another, 20, "the budget of all")
            self.assertTrue(told.startswith(b"HTTP/1.1 503 "), told)
            self.assertIn(b"queue_full", told)
            self.assertIn(b"Retry-After", told)
            # Each has its own, where there is room for both.
            small = send_slowly(self.troupe.port, "/v1/images", 500000,
                                client="127.0.0.2")
            with small:
                self.assertEqual(self.send(b"x" * 90000).status, 422)
        wait_until(lambda: not answer_to_another(), 20,
                   "the budget is given back")


class FullDisk(ImageTest):
    environment = {"TROUPE_IMAGES_UPLOAD_FREE_BYTES": str(10**15)}

    def test_a_body_that_no_disk_can_take_is_refused(self):
        whole = (self.media / "a.jpg").read_bytes()
        told = self.troupe.post("/v1/images?options=w:20", whole)
        self.assertEqual((told.status, told.json["code"]), (507, "disk_full"))


class Drawings(ImageTest):
    environment = {"TROUPE_IMAGES_READABLE": "svg",
                   "TROUPE_IMAGES_WATERMARK_TEXT":
                   "© 写真家 <span size='large'>Café</span>"}

    def test_text_is_set_by_children_that_see_fonts(self):
        plain = self.image("w:200", ext="png")
        marked = self.image("w:200/wm:1:nowe", ext="png")
        self.assertEqual((plain.status, marked.status), (200, 200),
                         marked.body)
        self.assertNotEqual(plain.body, marked.body)
        (self.media / "d.svg").write_text(DRAWING)
        told = self.image("w:400", "local:///d.svg", None)
        self.assertEqual((told.status, kind_of(told.body)), (200, "png"),
                         told.body)
        (self.media / "bomb.svg").write_text(
            "<!DOCTYPE svg [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]>"
            "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'>"
            "<text>&b;</text></svg>")
        told = self.image("w:400", "local:///bomb.svg", None)
        self.assertEqual(told.status, 422, told.body)


class EndlessDrawings(ImageTest):
    environment = {"TROUPE_IMAGES_READABLE": "svg",
                   "TROUPE_IMAGES_TIMEOUT_S": "3"}

    def test_one_that_takes_too_long_is_not_begun_at_once_again(self):
        # Each layer is a picture of its own.
        uses = "".join(
            f"<g id='g{i}' opacity='.9'>" + f"<use href='#g{i - 1}'/>" * 10
            + "</g>" for i in range(1, 6))
        (self.media / "d.svg").write_text(
            "<svg xmlns='http://www.w3.org/2000/svg' width='2000' "
            "height='2000'><defs><g id='g0' opacity='.9'>"
            "<rect width='2000' height='2000'/></g>" + uses
            + "</defs><use href='#g5'/></svg>")
        for longest, tasks in ((10, 1), (0.5, 1)):
            began = time.monotonic()
            told = self.image("w:2000", "local:///d.svg", "png")
            self.assertEqual((told.status, told.json["code"]),
                             (504, "deadline"), told.body)
            self.assertIn("Retry-After", told.headers)
            self.assertLess(time.monotonic() - began, longest)
            self.assertEqual(self.stats()["tasks"], tasks)


class NoDrawings(ImageTest):
    def test_drawings_are_not_read_unless_that_is_said(self):
        (self.media / "d.svg").write_text(DRAWING)
        self.assertEqual(self.image("w:40", "local:///d.svg", None).status, 422)
        self.assertEqual(self.image("wm:1").status, 422)


class StandIns(ImageTest):
    environment = {"TROUPE_IMAGES_STAND_IN_PIXELS": "10000"}
    accept = {"Accept": "image/avif,image/webp"}

    def test_webp_stands_in_while_a_large_avif_is_made(self):
        first = self.image("w:200", ext=None, **self.accept)
        self.assertEqual((first.status, kind_of(first.body)), (200, "webp"))
        self.assertEqual(first.headers["Cache-Control"], "public, max-age=30")
        self.assertEqual(first.headers["Vary"], "Accept")

        def better():
            told = self.image("w:200", ext=None, **self.accept)
            return told if kind_of(told.body) == "avif" else None

        then = wait_until(better, 60, "the AVIF")
        self.assertEqual(then.headers["X-Cache"], "hit")
        self.assertNotIn("max-age=30", then.headers["Cache-Control"])

    def test_nothing_stands_in_for_what_is_small_or_named(self):
        for options, ext, accept in (
                ("w:90", None, "image/avif,image/webp"),
                ("w:200", "avif", "image/avif,image/webp"),
                ("w:200", None, "image/avif")):
            told = self.image(options, ext=ext, Accept=accept)
            self.assertEqual((told.status, kind_of(told.body)),
                             (200, "avif"), (options, ext, accept))


class KeptSources(ImageTest):
    flags = ("--allow-private-sources",)

    def test_a_restart_forgets_no_remote_source(self):
        origin = self.origin(self.media)
        url = origin.url("/changing/a.jpg")
        first = self.image("rs:fit:50:50", url)
        self.assertEqual(first.status, 200, first.body)
        before = len(origin.requests())
        # What was made, its source, and what is known of that.
        wait_until(lambda: self.stats()["disk"]["entries"] == 3, 20,
                   "all of it on disk")
        self.troupe.kill()
        self.troupe.start()

        same = self.image("rs:fit:50:50", url)
        other = self.image("rs:fit:60:60", url)

        self.assertEqual((same.headers["X-Cache"], same.body),
                         ("hit", first.body))
        self.assertEqual((other.status, other.headers["X-Cache"]),
                         (200, "miss"))
        self.assertEqual(len(origin.requests()), before)

    def test_images_are_made_of_kept_ones(self):
        large = self.image("w:600", ext="png")
        small = self.image("w:100", ext="png")
        self.assertEqual((large.status, small.status), (200, 200))
        self.assertEqual(self.stats()["derived"], 1)
        told = self.troupe.post("/v1/images/purge",
                                {"source": "local:///a.jpg"})
        self.assertEqual(told.json["purged"], 2)


class MemoryAlone(ImageTest):
    environment = {"TROUPE_IMAGES_DISK_BYTES": "0"}

    def test_a_purge_tells_how_many_went(self):
        for width in (50, 60, 70):
            self.image(f"w:{width}")
        told = self.troupe.post("/v1/images/purge", {"all": True})
        self.assertEqual(told.json["purged"], 3)


class VideoBatches(ImageTest):
    def test_videos_come_to_stills_sheets_and_previews(self):
        subprocess.run(
            ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i",
             "testsrc2=size=160x90:rate=10:duration=6", "-pix_fmt", "yuv420p",
             "-c:v", "libx264", "-preset", "ultrafast",
             str(self.media / "film.mp4")],
            check=True, stdin=subprocess.DEVNULL)
        job = self.troupe.submit("image_batch", {
            "sources": ["local:///film.mp4", "local:///a.jpg"],
            "operations": [
                {"name": "poster", "options": "w:80"},
                {"name": "still", "video": {"at_s": [1, 2.5]},
                 "format": "png"},
                {"name": "scene", "video": {"scenes": 3}},
                {"name": "sheet", "options": "w:40",
                 "video": {"sprite": {"every_s": 1, "columns": 3}}},
                {"name": "move", "options": "w:40",
                 "video": {"preview": {"length_s": 2, "fps": 5}}}]})
        done = self.troupe.wait_for_state(job, ["succeeded", "failed"])
        self.assertEqual(done["state"], "succeeded", done)
        folder = pathlib.Path(done["result"]["folder"])
        names = {path.name for path in folder.iterdir()}
        self.assertLessEqual(
            {"film-poster.jpg", "film-still-1.png", "film-still-2.png",
             "film-scene-1.jpg", "film-sheet.jpg", "film-sheet.vtt",
             "film-move.webp", "a-poster.jpg", "images.jsonl"}, names)
        self.assertEqual(
            (folder / "film-sheet.vtt").read_text().count("#xywh="), 6)
        self.assertEqual(done["result"]["images"], len(names) - 2)
        # What is no video has no stills.
        self.assertEqual(done["result"]["failed"], 1)

    def test_wishes_that_make_no_sense_are_refused(self):
        for video in ({}, {"at_s": [-1]}, {"scenes": 0}, {"sprite": {"x": 1}},
                      {"scenes": 1, "at_s": [1]}, {"preview": {"fps": 1000}}):
            told = self.troupe.post("/v1/jobs", {
                "type": "image_batch",
                "params": {"sources": ["local:///a.jpg"],
                           "operations": [{"name": "x", "video": video}]}})
            expected = 202 if video == {} else 422
            self.assertEqual(told.status, expected, (video, told.body))


if __name__ == "__main__":
    unittest.main()
