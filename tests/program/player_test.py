"""Streams in a browser: hls.js plays them in Chromium, seeks and switches."""

import http.server
import json
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import threading
import unittest
import urllib.parse

from harness import TroupeTest
from npm import installed

PAGE = pathlib.Path(__file__).resolve().parent / "player"
BROWSER = shutil.which("chromium")


def make_source(path, video, seconds=16, size="1280x720", rate=25, extra=()):
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i",
         f"testsrc2=duration={seconds}:size={size}:rate={rate}", "-f", "lavfi",
         "-i", f"sine=frequency=440:sample_rate=48000:duration={seconds}",
         "-pix_fmt", "yuv420p", *video, "-c:a", "aac", *extra, str(path)],
        check=True, stdin=subprocess.DEVNULL)
    return path


class Origin(http.server.ThreadingHTTPServer):
    """Gives the page and hls.js; hears what the page reports."""

    daemon_threads = True

    def handle_error(self, request, client_address):
        """A browser that is killed cuts its connections."""

    def __init__(self, script):
        self.files = {"/hls.js": (script, "text/javascript"),
                      "/player.html": (PAGE / "player.html", "text/html")}
        self.reports = queue.Queue()
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = urllib.parse.urlsplit(self.path).path
        if path not in self.server.files:
            return self.answer(404, b"", "text/plain")
        file, kind = self.server.files[path]
        return self.answer(200, file.read_bytes(), kind)

    def do_POST(self):
        told = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(204, b"", "text/plain")
        self.server.reports.put(json.loads(told))

    def answer(self, status, body, kind):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Nothing."""


@unittest.skipUnless(BROWSER, "chromium is not installed")
class Player(TroupeTest):
    @classmethod
    def setUpClass(cls):
        cls.script = (installed(PAGE, "player") / "node_modules" / "hls.js"
                      / "dist" / "hls.min.js")

    def setUp(self):
        super().setUp()
        self.media = self.folder / "media"
        self.media.mkdir()
        self.pages = Origin(self.script)
        self.addCleanup(self.pages.server_close)
        self.addCleanup(self.pages.shutdown)
        self.troupe = self.server(
            "--media-root", str(self.media),
            environment={"TROUPE_HTTP_ORIGINS": self.pages.url})

    def browse(self, url):
        """Shows a page until it reports; what it says."""
        profile = self.folder / "profile"
        with open(self.folder / "browser.log", "wb") as log:
            browser = subprocess.Popen(
                [BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu",
                 "--disable-dev-shm-usage", "--no-first-run", "--mute-audio",
                 "--disable-background-networking",
                 "--autoplay-policy=no-user-gesture-required",
                 f"--user-data-dir={profile}", url],
                env={**os.environ, "HOME": str(self.folder)},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        try:
            return self.pages.reports.get(timeout=120)
        except queue.Empty:
            log = (self.folder / "browser.log").read_text(errors="replace")
            raise AssertionError(f"no report\n{log[-3000:]}") from None
        finally:
            os.killpg(browser.pid, signal.SIGKILL)
            browser.wait()
            shutil.rmtree(profile, ignore_errors=True)

    def play(self, name, **wish):
        """What the page tells of a source; the stream."""
        answer = self.troupe.post(
            "/v1/streams", {"source": f"local:///{name}", **wish})
        self.assertEqual(answer.status, 201, answer.body)
        url = self.troupe.url + answer.json["hls_url"]
        told = self.browse(f"{self.pages.url}/player.html?"
                           + urllib.parse.urlencode({"url": url}))
        self.assertEqual(told["errors"], [], told)
        self.assertNotIn("failure", told, told)
        self.assertEqual(len(told["seeks"]), 10, told)
        self.assertGreater(told["frames"], 50, told)
        self.assertTrue(told["ended"], told)
        print(f"{name}: seeks of {sorted(told['seeks'])} ms, "
              f"notes {told['notes']}, {told['frames']} frames, levels "
              f"{told['levels']}, {told['heights']} switched to")
        return told, answer.json

    def names(self, stream):
        return [it["name"] for it in stream["renditions"]
                if it["kind"] == "video"]

    def test_a_plain_film_is_played_as_it_is_and_in_other_sizes(self):
        make_source(self.media / "plain.mp4",
                    ("-c:v", "libx264", "-preset", "veryfast", "-g", "50"),
                    extra=("-movflags", "+faststart"))
        told, stream = self.play("plain.mp4")
        self.assertIn("copy", self.names(stream))
        self.assertAlmostEqual(told["duration"], 16, delta=0.3)
        self.assertEqual((told["width"], told["height"]), (1280, 720))
        self.assertEqual(told["heights"],
                         [told["levels"][0], told["levels"][-1]])
        self.assertEqual(len(set(told["heights"])), 2)

    def test_a_film_that_the_browser_cannot_play_is_encoded(self):
        make_source(self.media / "hevc.mkv",
                    ("-c:v", "libx265", "-preset", "ultrafast",
                     "-x265-params", "log-level=error"), size="854x480")
        told, stream = self.play("hevc.mkv")
        self.assertNotIn("copy", self.names(stream))
        self.assertEqual((told["width"], told["height"]), (854, 480))

    def test_a_turned_clip_is_shown_upright(self):
        flat = make_source(self.folder / "flat.mp4",
                           ("-c:v", "libx264", "-preset", "ultrafast"),
                           size="640x360", rate=30)
        subprocess.run(
            ["ffmpeg", "-v", "error", "-i", str(flat), "-c", "copy",
             "-metadata:s:v", "rotate=90", str(self.media / "turned.mp4")],
            check=True, stdin=subprocess.DEVNULL)
        told, _ = self.play("turned.mp4")
        self.assertEqual((told["width"], told["height"]), (360, 640))

    def test_a_film_of_one_group_in_thirty_seconds_is_played(self):
        make_source(self.media / "long.mp4",
                    ("-c:v", "libx264", "-preset", "ultrafast", "-g", "750",
                     "-sc_threshold", "0"), seconds=40, size="640x360")
        told, stream = self.play("long.mp4")
        self.assertNotIn("copy", self.names(stream))
        self.assertAlmostEqual(told["duration"], 40, delta=0.3)


if __name__ == "__main__":
    unittest.main()
