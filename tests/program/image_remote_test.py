"""Images of other servers: kept, stale, refused, forgotten."""

import time
import unittest

from harness import wait_until
from pictures import ImageTest, make_picture


class RemoteImages(ImageTest):
    flags = ("--allow-private-sources",)
    environment = {"TROUPE_IMAGES_REVALIDATE_S": "0"}

    def test_a_remote_image_is_served_stale_while_it_is_looked_at(self):
        origin = self.origin(self.media)
        url = origin.url("/changing/a.jpg")
        first = self.image("rs:fit:50:50", url)
        self.assertEqual(first.status, 200, first.body)
        self.assertEqual(first.headers["X-Cache"], "miss")
        second = self.image("rs:fit:50:50", url)
        self.assertEqual(second.headers["X-Cache"], "stale")
        self.assertEqual(second.body, first.body)

        make_picture(self.media / "a.jpg.2", source="smptebars",
                     extra=("-f", "mjpeg"))
        origin.call("POST", "/version?is=2")
        wait_until(lambda: self.image("rs:fit:50:50", url).body != first.body,
                   20, "the new version")
        self.assertEqual(
            self.image("rs:fit:50:50", origin.url("/status/404")).status, 404)
        self.assertEqual(
            self.image("rs:fit:50:50", origin.url("/status/500")).status, 504)

    def test_servers_that_lead_nowhere_are_told_of_at_once(self):
        origin = self.origin(self.media)
        for path, status, code in (
                ("/loop", 422, "invalid_media"),
                ("/redirect%3Fto=file:///etc/passwd", 403, "source_forbidden"),
                ("/status/304", 422, "invalid_media")):
            began = time.monotonic()
            told = self.image("w:50", origin.url(path))
            self.assertEqual(told.status, status, (path, told.body))
            self.assertEqual(told.json["errors"][0]["code"], code)
            self.assertLess(time.monotonic() - began, 5, path)

    def test_how_long_a_server_wants_peace_is_passed_on(self):
        origin = self.origin(self.media)
        told = self.image("w:50", origin.url("/status/429%3Fretry_after=7"))
        self.assertEqual((told.status, told.json["code"]),
                         (429, "rate_limited"))
        self.assertEqual(told.headers["Retry-After"], "7")


class PurgedRemoteImages(ImageTest):
    flags = ("--allow-private-sources",)

    def test_a_purge_forgets_what_is_known_of_a_remote_source(self):
        origin = self.origin(self.media)
        url = origin.url("/changing/a.jpg")
        other = url.replace("http://", "HTTP://").replace(
            "/changing/", "/x/../%63hanging/") + "#top"
        for restart in (False, True):
            first = self.image("rs:fit:50:50", url)
            self.assertEqual(first.status, 200, first.body)
            asked = len(origin.requests())
            self.assertEqual(self.image("rs:fit:60:60", url).status, 200)
            self.assertEqual(len(origin.requests()), asked)
            if restart:
                wait_until(lambda: self.stats()["disk"]["entries"] == 4, 20,
                           "all of it on disk")
                self.troupe.kill()
                self.troupe.start()

            told = self.troupe.post("/v1/images/purge", {"source": other})

            # Both images, the source, and what is known of it.
            self.assertEqual(told.json["purged"], 4, told.body)
            again = self.image("rs:fit:50:50", url)
            self.assertEqual(again.headers["X-Cache"], "miss")
            self.assertGreater(len(origin.requests()), asked)
            self.troupe.post("/v1/images/purge", {"all": True})


if __name__ == "__main__":
    unittest.main()
