"""What the headers of a request for an image come to, in a table."""

import unittest

from harness import wait_until
from pictures import ImageTest, Picture, kind_of

HINTS = "Sec-CH-DPR, DPR, Sec-CH-Width, Width"
BOTH = "Accept, " + HINTS
CHROME = ("image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8")
WHOLE = 640

#: Options, ending, headers of the request → format, width, `Vary`.
PLAIN = (
    ("", None, {}, "jpg", WHOLE, "Accept"),
    ("", None, {"Accept": ""}, "jpg", WHOLE, "Accept"),
    ("", None, {"Accept": "*/*"}, "jpg", WHOLE, "Accept"),
    ("", None, {"Accept": "image/*"}, "jpg", WHOLE, "Accept"),
    ("", None, {"Accept": "text/html,*/*;q=0.1"}, "jpg", WHOLE, "Accept"),
    ("", None, {"Accept": "image/webp"}, "webp", WHOLE, "Accept"),
    ("", None, {"Accept": "IMAGE/WebP; Q=0.5"}, "webp", WHOLE, "Accept"),
    ("", None, {"Accept": "image/webp;q=0"}, "jpg", WHOLE, "Accept"),
    ("", None, {"Accept": "image/webp;q=0.000, */*"}, "jpg", WHOLE, "Accept"),
    ("w:64", None, {"Accept": "image/avif"}, "avif", 64, "Accept"),
    ("w:64", None, {"Accept": CHROME}, "avif", 64, "Accept"),
    ("", None, {"Accept": "image/avif;q=0,image/webp"}, "webp", WHOLE,
     "Accept"),
    ("w:64", "png", {"Accept": "image/webp"}, "png", 64, None),
    ("w:64", "avif", {"Accept": "image/webp"}, "avif", 64, None),
    ("w:64/f:webp", None, {"Accept": "image/avif"}, "webp", 64, None),
    ("w:64", "jpg", {"Save-Data": "on"}, "jpg", 64, None),
    ("", None, {"Save-Data": "on", "Accept": "image/webp"}, "webp", WHOLE,
     "Accept"),
    ("w:64", "jpg", {"Cache-Control": "no-cache"}, "jpg", 64, None),
    ("w:64", "jpg", {"Cache-Control": "no-store, max-age=0",
                     "Pragma": "no-cache"}, "jpg", 64, None),
    ("w:64", "jpg", {"Accept-Encoding": "gzip, br"}, "jpg", 64, None),
    # Hints, where they are not asked for.
    ("", None, {"DPR": "2", "Width": "200"}, "jpg", WHOLE, "Accept"),
    ("", "png", {"Sec-CH-DPR": "2", "Sec-CH-Width": "200"}, "png", WHOLE,
     None),
)

HINTED = (
    ("", None, {}, "jpg", WHOLE, BOTH),
    ("", None, {"Width": "200"}, "jpg", 240, BOTH),
    ("", None, {"Width": "240"}, "jpg", 240, BOTH),
    ("", None, {"Sec-CH-Width": "300"}, "jpg", 320, BOTH),
    ("", None, {"Sec-CH-Width": "100", "Width": "600"}, "jpg", 160, BOTH),
    ("", None, {"Width": "300", "DPR": "2"}, "jpg", 320, BOTH),
    ("", None, {"Width": "200", "Accept": "image/webp"}, "webp", 240, BOTH),
    ("", None, {"Width": "200", "Save-Data": "on"}, "jpg", 240, BOTH),
    ("", "png", {"Width": "200"}, "png", 240, HINTS),
    ("h:60", "jpg", {"Sec-CH-DPR": "2"}, "jpg", 160, HINTS),
    ("h:60", "jpg", {"DPR": "2"}, "jpg", 160, HINTS),
    ("h:60", "jpg", {"DPR": "9"}, "jpg", 240, HINTS),
    ("", "jpg", {"Width": "wide", "DPR": "two"}, "jpg", WHOLE, HINTS),
    ("", "jpg", {"Width": "-200", "DPR": "-1"}, "jpg", WHOLE, HINTS),
    ("", "jpg", {"Width": "0"}, "jpg", WHOLE, HINTS),
    ("", "jpg", {"Width": "9999999999"}, "jpg", WHOLE, HINTS),
    # A URL that names a width reads none.
    ("w:100", "jpg", {"Width": "200", "DPR": "2"}, "jpg", 100, None),
    ("w:100", None, {"Width": "200", "DPR": "2"}, "jpg", 100, "Accept"),
)


class HeaderTest(ImageTest):
    def ask(self, row, **more):
        options, ext, headers = row[:3]
        return self.image(options or "q:80", ext=ext, **headers, **more)

    def settled(self, row):
        """The answer; where that is a stand-in, which only a negotiated image
        may have, the one that stays."""
        answer = self.ask(row)
        if row[1] or row[3] != "avif" or kind_of(answer.body) == "avif":
            return answer
        self.assertEqual(kind_of(answer.body), "webp")
        self.assertIn("max-age=30", answer.headers["Cache-Control"])
        return wait_until(
            lambda: (told := self.ask(row)) and kind_of(told.body) == "avif"
            and told, 30, "the AVIF itself")

    def check_row(self, row):
        kind, width, vary = row[3:]
        self.troupe.post("/v1/images/purge", {"all": True})

        first = self.settled(row)
        self.assertEqual(first.status, 200, first.body)
        self.assertEqual((kind_of(first.body), Picture(first.body).width),
                         (kind, width))
        self.assertIsNone(first.headers["Content-Encoding"])

        again = self.ask(row)
        self.assertEqual(again.headers["X-Cache"], "hit")
        self.assertEqual(again.body, first.body)

        same = self.ask(row, **{"If-None-Match": first.headers["ETag"]})
        self.assertEqual((same.status, same.body), (304, b""))

        for answer, how in ((first, ("miss", "hit")), (again, ("hit",)),
                            (same, ("hit",))):
            self.assertIn(answer.headers["X-Cache"], how)
            self.assertEqual(answer.headers["Vary"], vary)
            self.assertEqual(answer.headers["Cache-Control"],
                             "public, max-age=86400")
            self.assertRegex(answer.headers["ETag"], '^"[0-9a-f]{32}"$')
            self.assertEqual(answer.headers["ETag"], first.headers["ETag"])
            self.assertIn("dur=", answer.headers["Server-Timing"])

    def check(self, rows):
        for row in rows:
            with self.subTest(row=row):
                self.check_row(row)


class Headers(HeaderTest):
    def test_without_hints_only_accept_counts(self):
        self.check(PLAIN)

    def test_what_is_kept_by_a_client_is_not_sent_again(self):
        def tag_of(**headers):
            return self.ask(("w:64", None, headers)).headers["ETag"]

        jpg, webp = tag_of(), tag_of(Accept="image/webp")
        self.assertNotEqual(jpg, webp)
        for accept, match, status, tag in (
                ("*/*", jpg, 304, jpg),
                ("*/*", f"W/{jpg}", 304, jpg),
                ("*/*", f'"x", {jpg}', 304, jpg),
                ("*/*", f'W/"y",W/{jpg} , "z"', 304, jpg),
                ("*/*", "*", 304, jpg),
                ("*/*", '"x"', 200, jpg),
                ("*/*", jpg.strip('"'), 200, jpg),
                ("*/*", webp, 200, jpg),
                ("image/webp", webp, 304, webp),
                ("image/webp", jpg, 200, webp),
                ("image/webp", f"{jpg}, {webp}", 304, webp)):
            for other in ({}, {"Cache-Control": "no-cache"},
                          {"If-Modified-Since":
                           "Wed, 21 Oct 2015 07:28:00 GMT"}):
                told = self.ask(("w:64", None, {"Accept": accept, **other}),
                                **{"If-None-Match": match})
                self.assertEqual(
                    (told.status, told.headers["ETag"], told.headers["Vary"]),
                    (status, tag, "Accept"), (accept, match, other))
                self.assertEqual(bool(told.body), status == 200)

    def test_an_image_that_had_to_be_made_is_not_sent_again_either(self):
        tag = self.ask(("w:64", "jpg", {})).headers["ETag"]
        self.troupe.post("/v1/images/purge", {"all": True})
        told = self.ask(("w:64", "jpg", {}), **{"If-None-Match": tag})
        self.assertEqual((told.status, told.body, told.headers["X-Cache"]),
                         (304, b"", "miss"))

    def test_what_is_refused_has_no_tag_and_is_not_kept(self):
        (self.media / "words.jpg").write_text("no image")
        for source, status in (("none.jpg", 404), ("words.jpg", 422)):
            for headers in ({}, {"If-None-Match": "*"},
                            {"Accept": "image/webp"}):
                told = self.image("w:64", "local:///" + source, **headers)
                self.assertEqual(told.status, status)
                self.assertIsNone(told.headers["ETag"])
                self.assertEqual(told.headers["Cache-Control"], "no-store")


class HintHeaders(HeaderTest):
    environment = {"TROUPE_IMAGES_CLIENT_HINTS": "true"}

    def test_hints_count_where_the_url_has_no_width(self):
        self.check(HINTED)


class ConfiguredHints(HeaderTest):
    environment = {"TROUPE_IMAGES_CLIENT_HINTS": "true",
                   "TROUPE_IMAGES_HINT_WIDTHS": "500,90"}

    def test_hints_are_rounded_up_to_configured_steps(self):
        self.check((
            ("", "jpg", {"Width": "80"}, "jpg", 90, HINTS),
            ("", "jpg", {"Width": "91"}, "jpg", 500, HINTS),
            ("", "jpg", {"Width": "501"}, "jpg", 500, HINTS),
            ("h:60", "jpg", {"DPR": "1.3"}, "jpg", 120, HINTS)))


class OriginHeaders(ImageTest):
    environment = {"TROUPE_HTTP_ORIGINS": "https://shop.example"}

    def test_all_that_an_image_varies_by_stands_in_one_field(self):
        page = {"Origin": "https://shop.example"}
        for ext, headers, vary in ((None, page, ["Accept, Origin"]),
                                   (None, {}, ["Accept, Origin"]),
                                   ("png", page, ["Origin"])):
            told = self.image("w:40", ext=ext, **headers)
            self.assertEqual(told.status, 200, told.body)
            self.assertEqual(told.headers.get_all("Vary"), vary)


if __name__ == "__main__":
    unittest.main()
