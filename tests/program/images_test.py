"""Images on demand: made once by a real codec child, then from the cache."""

import base64
import concurrent.futures
import hashlib
import hmac
import os
import shutil
import unittest

from harness import wait_until
from pictures import ImageTest, Picture, kind_of, make_picture

KEY, SALT = "943b421c9eb07c83", "520f986b998545b4"


class Images(ImageTest):
    def test_an_image_is_made_once_and_then_kept(self):
        first = self.image("rs:fit:100:100")
        self.assertEqual(first.status, 200, first.body)
        self.assertEqual(first.headers["X-Cache"], "miss")
        self.assertEqual(first.headers["Content-Type"], "image/jpeg")
        self.assertEqual(kind_of(first.body), "jpg")
        second = self.image("s:100:100")
        self.assertEqual(second.headers["X-Cache"], "hit")
        self.assertEqual(second.body, first.body)
        self.assertEqual(second.headers["ETag"], first.headers["ETag"])
        self.assertEqual(self.stats()["tasks"], 1)

        tag = first.headers["ETag"]
        self.assertRegex(tag, '^"[0-9a-f]{32}"$')
        same = self.image("s:100:100", **{"If-None-Match": f'"x", W/{tag}'})
        self.assertEqual((same.status, same.body), (304, b""))
        self.assertEqual(same.headers["ETag"], tag)

        wait_until(lambda: self.stats()["disk"]["entries"] == 1, 20,
                   "an image on disk")
        self.troupe.kill()
        self.troupe.start()
        again = self.image("s:100:100")
        self.assertEqual(again.headers["X-Cache"], "hit")
        self.assertEqual(again.body, first.body)
        self.assertEqual(self.stats()["disk_hits"], 1)

    def test_many_who_ask_at_once_cost_one_task(self):
        make_picture(self.media / "big.jpg", "4000x3000")
        with concurrent.futures.ThreadPoolExecutor(100) as pool:
            told = list(pool.map(
                lambda _: self.image("rs:fit:300:300", "local:///big.jpg"),
                range(100)))
        self.assertEqual({one.status for one in told}, {200})
        self.assertEqual(len({one.body for one in told}), 1)
        self.assertEqual(self.stats()["tasks"], 1)
        seen = {one.headers["X-Cache"] for one in told}
        self.assertIn("miss", seen)
        self.assertLessEqual(seen, {"miss", "coalesced", "hit"})

    def test_many_sizes_asked_for_at_once_come_of_fewer_decodes(self):
        make_picture(self.media / "big.jpg", "4000x3000")
        with concurrent.futures.ThreadPoolExecutor(40) as pool:
            told = list(pool.map(
                lambda width: self.image(f"w:{width}", "local:///big.jpg"),
                range(100, 500, 10)))
        self.assertEqual({one.status for one in told}, {200})
        self.assertEqual(len({one.body for one in told}), 40)
        self.assertEqual(self.stats()["outputs"], 40)
        self.assertLess(self.stats()["tasks"], 30)

    def test_a_file_changed_behind_its_times_is_seen(self):
        path = self.media / "a.jpg"
        was = path.stat()
        first = self.image("rs:fit:64:64")
        other = make_picture(self.folder / "b.jpg", source="smptebars")
        data = other.read_bytes()[:was.st_size]
        self.assertLessEqual(len(data), was.st_size)
        # Bytes behind the image's end are of no account.
        path.write_bytes(data + b"\0" * (was.st_size - len(data)))
        os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
        self.assertEqual(path.stat().st_size, was.st_size)
        self.assertEqual(path.stat().st_mtime_ns, was.st_mtime_ns)

        second = self.image("rs:fit:64:64")

        self.assertEqual(second.status, 200, second.body)
        self.assertEqual(second.headers["X-Cache"], "miss")
        self.assertNotEqual(second.body, first.body)

    def test_formats_are_negotiated_and_vary_says_so(self):
        for accept, ext, kind, vary in (
                (None, None, "jpg", "Accept"),
                ("*/*", None, "jpg", "Accept"),
                ("image/*", None, "jpg", "Accept"),
                ("image/webp", None, "webp", "Accept"),
                ("image/webp;q=0", None, "jpg", "Accept"),
                ("image/avif,image/webp,*/*", None, "avif", "Accept"),
                ("image/avif;q=0,image/webp", None, "webp", "Accept"),
                ("image/webp", "png", "png", None),
                ("image/avif", "jpg", "jpg", None),
                (None, "avif", "avif", None)):
            headers = {"Accept": accept} if accept else {}
            told = self.image("rs:fit:40:40", ext=ext, **headers)
            self.assertEqual(told.status, 200, (accept, ext, told.body))
            self.assertEqual(kind_of(told.body), kind, (accept, ext))
            self.assertEqual(told.headers["Vary"], vary, (accept, ext))
            same = self.image("rs:fit:40:40", ext=ext, **headers,
                              **{"If-None-Match": told.headers["ETag"]})
            self.assertEqual((same.status, same.headers["Vary"]), (304, vary))

    def test_transparency_never_becomes_jpeg(self):
        make_picture(self.media / "clear.png", source="color=c=red@0.5",
                     extra=("-pix_fmt", "rgba"))
        told = self.image("rs:fit:40:40", "local:///clear.png", None)
        self.assertEqual((told.status, kind_of(told.body)), (200, "png"))

    def test_purges_forget_by_source_tag_and_all(self):
        shutil.copy(self.media / "a.jpg", self.media / "b.jpg")

        def fill():
            self.image("rs:fit:50:50/tag:front")
            self.image("rs:fit:60:60")
            self.image("rs:fit:70:70", "local:///b.jpg")

        def kept():
            return [self.image(options, source).headers["X-Cache"] == "hit"
                    for options, source in
                    (("rs:fit:50:50/tag:front", "local:///a.jpg"),
                     ("rs:fit:60:60", "local:///a.jpg"),
                     ("rs:fit:70:70", "local:///b.jpg"))]

        for what, left in (({"tag": "front"}, [False, True, True]),
                           ({"source": "local:///a.jpg"},
                            [False, False, True]),
                           ({"all": True}, [False, False, False])):
            fill()
            self.assertEqual(kept(), [True] * 3)
            told = self.troupe.post("/v1/images/purge", what)
            self.assertEqual(told.status, 200, told.body)
            self.assertGreaterEqual(told.json["purged"], 1)
            self.assertEqual(kept(), left, what)

    def test_a_purge_meets_a_source_however_it_is_spelled(self):
        served = ("local:///a.jpg", "local:///%61.jpg", "local:///./a.jpg")
        refused = ("local:////a.jpg", "local:///x/../a.jpg")
        for number, named in enumerate(served + refused):
            made = f"w:{40 + number}"
            for asked in served:
                self.assertEqual(self.image(made, asked).status, 200)
            # They share what was made.
            self.assertEqual(self.stats()["tasks"], number + 1)
            told = self.troupe.post("/v1/images/purge", {"source": named})
            self.assertEqual(told.json["purged"], 1, named)
        other = self.troupe.post("/v1/images/purge",
                                 {"source": "local:///A.jpg"})
        self.assertEqual(other.json["purged"], 0)

    def test_a_download_is_named_after_what_is_sent(self):
        webp = {"Accept": "image/webp"}
        for options, ext, headers, told in (
                ("fn:day", None, {}, 'inline; filename="day.jpg"'),
                ("fn:day", None, webp, 'inline; filename="day.webp"'),
                ("fn:day.jpg", None, webp, 'inline; filename="day.webp"'),
                ("fn:day.JPEG", None, {}, 'inline; filename="day.JPEG"'),
                ("fn:v1.2", "png", {}, 'inline; filename="v1.2.png"'),
                ("att:1", None, webp, 'attachment; filename="a.webp"'),
                ("att:1", "png", webp, 'attachment; filename="a.png"'),
                ("att:1/fn:b", None, webp, 'attachment; filename="b.webp"'),
                ("raw:1/att:1", None, webp, 'attachment; filename="a.jpg"')):
            answer = self.image(options + "/w:40", ext=ext, **headers)
            self.assertEqual(answer.status, 200, answer.body)
            self.assertTrue(
                answer.headers["Content-Disposition"].startswith(told + ";"),
                (options, ext, answer.headers["Content-Disposition"]))
        self.assertIsNone(self.image("w:40").headers["Content-Disposition"])

    def test_a_purge_by_tag_meets_what_was_there_before_the_tag(self):
        self.image("w:50")
        first = self.image("w:50/tag:front")
        self.assertEqual(first.headers["X-Cache"], "hit")
        # More than a record on disk holds.
        for number in range(6):
            self.image(f"w:60/tag:t{number}")

        def purged(tag):
            told = self.troupe.post("/v1/images/purge", {"tag": tag})
            return told.json["purged"]

        self.assertEqual(purged("front"), 2)
        self.assertEqual(self.image("w:50").headers["X-Cache"], "miss")
        self.assertEqual(self.image("w:60").headers["X-Cache"], "miss")

    def test_tags_that_came_later_are_known_after_a_restart(self):
        self.image("w:50")
        self.image("w:60")
        wait_until(lambda: self.stats()["disk"]["entries"] == 2, 20,
                   "images on disk")
        self.image("w:50/tag:front")
        # Written in order: once this one is there, the tag is.
        self.image("w:70")
        wait_until(lambda: self.stats()["disk"]["entries"] == 3, 20,
                   "another image on disk")
        self.troupe.kill()
        self.troupe.start()
        told = self.troupe.post("/v1/images/purge", {"tag": "front"})
        self.assertEqual(told.json["purged"], 1)
        self.assertEqual(self.image("w:60").headers["X-Cache"], "hit")

    def test_purges_are_of_one_thing(self):
        for wrong in ({}, {"all": False}, {"tag": "a", "source": "b"},
                      {"all": True, "more": 1}, []):
            told = self.troupe.post("/v1/images/purge", wrong)
            self.assertEqual(told.status, 422, (wrong, told.body))

    def test_what_cannot_be_is_told_at_once(self):
        (self.media / "words.jpg").write_text("no image")
        (self.media / "empty.jpg").write_bytes(b"")
        whole = (self.media / "a.jpg").read_bytes()
        (self.media / "half.jpg").write_bytes(whole[:len(whole) // 2])
        (self.media / "folder").mkdir()
        os.mkfifo(self.media / "fifo")
        secret = make_picture(self.folder / "secret.jpg")
        (self.media / "out.jpg").symlink_to(secret)
        for options, source, status in (
                ("rs:fit:50:50", "local:///none.jpg", 404),
                ("rs:fit:50:50", "local:///words.jpg", 422),
                ("rs:fit:50:50", "local:///empty.jpg", 422),
                ("rs:fit:50:50", "local:///half.jpg", 422),
                ("rs:fit:50:50", "local:///folder", 422),
                ("rs:fit:50:50", "local:///fifo", 422),
                ("rs:fit:50:50", "local:///out.jpg", 403),
                ("rs:fit:50:50", "local:///../secret.jpg", 422),
                ("rs:fit:50:50", "http://127.0.0.1:1/a.jpg", 403),
                ("rs:fit:50:50", "http://localhost/a.jpg", 403),
                ("rs:fit:50:50", "ftp://example.org/a.jpg", 422),
                ("rs:fit:50:50", "job:none", 404),
                ("rs:fit:50:50", "", 422),
                ("rs:fit:-1:50", "local:///a.jpg", 422),
                ("nonsense:1", "local:///a.jpg", 422),
                ("exp:1", "local:///a.jpg", 404)):
            told = self.image(options, source)
            self.assertEqual(told.status, status, (options, source, told.body))
            self.assertEqual(told.headers["Content-Type"],
                             "application/problem+json")
            self.assertEqual(told.headers["Cache-Control"], "no-store",
                             (options, source))
        self.assertEqual(self.image("rs:fit:50:50").status, 200)

    def test_a_body_is_an_image_too(self):
        whole = (self.media / "a.jpg").read_bytes()
        for how in ("miss", "hit"):
            told = self.troupe.post(
                "/v1/images?options=rs:fit:50:50/f:webp", whole,
                headers={"Content-Type": "image/jpeg"})
            self.assertEqual(told.status, 200, told.body)
            self.assertEqual(kind_of(told.body), "webp")
            self.assertEqual(told.headers["X-Cache"], how)
        self.assertEqual(self.troupe.post("/v1/images", b"words").status, 422)
        self.assertEqual(self.troupe.post("/v1/images", b"").status, 400)
        self.assertEqual(
            self.troupe.post("/v1/images?options=no:1", whole).status, 422)

    def test_a_finished_jobs_file_is_a_source(self):
        job = self.troupe.submit("noop", {})
        self.troupe.wait_for_state(job, "succeeded")
        self.assertEqual(self.image("rs:fit:50:50", "job:" + job).status, 404)
        job = self.troupe.submit("noop", {"output_bytes": 1000})
        done = self.troupe.wait_for_state(job, "succeeded")
        shutil.copy(self.media / "a.jpg", done["result"]["path"])

        told = self.image("rs:fit:50:50", "job:" + job)

        self.assertEqual((told.status, kind_of(told.body)), (200, "jpg"),
                         told.body)
        self.assertEqual(Picture(told.body).size, (50, 38))

    def test_metrics_tell_of_images(self):
        self.image("rs:fit:50:50")
        self.image("rs:fit:50:50")

        def told():
            text = self.troupe.get("/metrics").body.decode()
            return all(f'_longest_lag_seconds{{loop="{loop}"}}' in text
                       for loop in ("edge", "media")) and text

        page = wait_until(told, 30, "how long loops were held")
        for line in ('troupe_image_request_seconds_count{how="hit"} 1',
                     'troupe_image_request_seconds_count{how="miss"} 1',
                     'troupe_image_cache_entries{tier="memory"} 1',
                     'troupe_image_cache_dropped{tier="disk"} 0',
                     'troupe_event_loop_lag_seconds_bucket{loop="edge",',
                     'troupe_image_bytes_total{format="jpg"}'):
            self.assertIn(line, page)


class SignedImages(ImageTest):
    environment = {"TROUPE_IMAGES_KEYS": KEY, "TROUPE_IMAGES_SALTS": SALT,
                   "TROUPE_IMAGES_PATH_PREFIX": "/pictures/of"}

    def test_only_what_is_signed_is_served(self):
        path = "/rs:fit:50:50/plain/local:///a.jpg@png"
        digest = hmac.new(bytes.fromhex(KEY), bytes.fromhex(SALT)
                          + path.encode(), hashlib.sha256).digest()
        good = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

        def ask(signature, rest=path):
            return self.troupe.get(f"/pictures/of/{signature}{rest}")

        self.assertEqual(ask(good).status, 200)
        for signature in ("_", good[:-1], good + "A", good.swapcase()):
            told = ask(signature)
            self.assertEqual((told.status, told.json["code"]),
                             (403, "forbidden"))
        self.assertEqual(ask(good, path.replace("50", "51")).status, 403)
        self.assertEqual(self.troupe.get(f"/img/{good}{path}").status, 404)

    def test_a_path_may_be_signed_as_it_was_before_a_proxy(self):
        def signed(path):
            digest = hmac.new(bytes.fromhex(KEY), bytes.fromhex(SALT)
                              + path.encode(), hashlib.sha256).digest()
            return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

        whole = "/rs:fit:50:50/plain/local:///a.jpg@png"
        spoilt = "/rs%3Afit%3A50%3A50/plain/local:/a.jpg@png"
        for said, asked, status in ((whole, spoilt, 200),
                                    (spoilt, spoilt, 200),
                                    (spoilt, whole, 403)):
            told = self.troupe.get(f"/pictures/of/{signed(said)}{asked}")
            self.assertEqual(told.status, status, (said, asked, told.body))


class Watermarks(ImageTest):
    def settings(self):
        self.mark = make_picture(self.folder / "mark.png", "64x64",
                                 "color=c=red")
        return {"TROUPE_IMAGES_WATERMARK": str(self.mark)}

    def test_a_mark_that_is_replaced_marks_anew(self):
        first = self.image("w:200/wm:1")
        self.assertEqual(first.status, 200, first.body)
        self.assertEqual(self.image("w:200/wm:1").headers["X-Cache"], "hit")

        other = make_picture(self.folder / "other.png", "64x64",
                             "color=c=blue")
        other.rename(self.mark)

        second = self.image("w:200/wm:1")
        self.assertEqual(second.headers["X-Cache"], "miss")
        self.assertNotEqual(second.body, first.body)


if __name__ == "__main__":
    unittest.main()
