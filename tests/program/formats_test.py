"""Downloads that take more than one stream, or more than a stream: what is
merged, converted and embedded, with the real yt-dlp and ffmpeg."""

import json
import subprocess
import time
import unittest

from harness import (TroupeTest, best_of, command_of, make_clip, sha256,
                     wait_until)

SOUND = ["-f", "lavfi", "-i", "sine=frequency=440:duration=4"]
PICTURE = ["-f", "lavfi", "-i", "testsrc=duration=4:size=320x180:rate=25"]
CODECS = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p",
          "-g", "25", "-c:a", "aac"]
SUBTITLES = """WEBVTT

00:00:00.500 --> 00:00:02.000
A line that is said.
"""


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, arguments)],
                   check=True, stdin=subprocess.DEVNULL)


def streams_of(path):
    """The kinds of a file's streams, and its tags, by ffprobe."""
    told = json.loads(subprocess.run(
        ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of",
         "json", str(path)], check=True, capture_output=True).stdout)
    return ([stream["codec_type"] for stream in told["streams"]],
            told["format"].get("tags", {}))


def make_dash(folder):
    folder.mkdir(parents=True)
    ffmpeg(*PICTURE, *SOUND, *CODECS, "-f", "dash", "-seg_duration", "2",
           "-adaptation_sets", "id=0,streams=v id=1,streams=a",
           folder / "show.mpd")


def make_hls(folder):
    """Sound, picture and subtitles in playlists of their own."""
    folder.mkdir(parents=True)
    for name, inputs in (("picture", PICTURE), ("sound", SOUND)):
        ffmpeg(*inputs, *CODECS, "-f", "hls", "-hls_time", "2",
               "-hls_playlist_type", "vod", "-hls_segment_filename",
               folder / f"{name}%d.ts", folder / f"{name}.m3u8")
    (folder / "words.vtt").write_text(SUBTITLES)
    (folder / "words.m3u8").write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4.0,\nwords.vtt\n"
        "#EXT-X-ENDLIST\n")
    (folder / "show.m3u8").write_text(
        '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",'
        'LANGUAGE="en",DEFAULT=YES,URI="sound.m3u8"\n'
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="English",'
        'LANGUAGE="en",URI="words.m3u8"\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=500000,RESOLUTION=320x180,'
        'CODECS="avc1.42c00d,mp4a.40.2",AUDIO="a",SUBTITLES="s"\n'
        "picture.m3u8\n")


class FormatsTest(TroupeTest):
    def setUp(self):
        super().setUp()
        self.media = self.folder / "media"
        self.media.mkdir()
        self.origin_ = self.origin(self.media)
        self.server_ = self.server("--allow-private-sources")

    def job(self, path, seconds=120, **params):
        job_id = self.server_.submit(
            "download", {"url": self.origin_.url(path), **params},
            max_attempts=1)
        return self.server_.wait_for_state(job_id, ("succeeded", "failed"),
                                           seconds)

    def done(self, path, **params):
        job = self.job(path, **params)
        self.assertEqual(job["state"], "succeeded", job["error"])
        self.assertEqual(sha256(job["result"]["path"]),
                         job["result"]["sha256"])
        return job["result"]


class Merging(FormatsTest):
    def test_two_streams_of_dash_become_one_file(self):
        make_dash(self.media / "dash")

        result = self.done("/tree/dash/show.mpd")

        kinds, _ = streams_of(result["path"])
        self.assertEqual(sorted(kinds), ["audio", "video"])
        self.assertAlmostEqual(result["duration_s"], 4, delta=0.5)
        self.assertEqual(result["video"]["codec"], "h264")
        self.assertEqual(result["audio"]["codec"], "aac")

    def test_hls_with_sound_and_subtitles_apart(self):
        make_hls(self.media / "hls")

        result = self.done("/tree/hls/show.m3u8", format="mkv",
                           subtitles=["en"], embed=["subtitles"])

        kinds, _ = streams_of(result["path"])
        self.assertEqual(sorted(kinds), ["audio", "subtitle", "video"])
        self.assertEqual(result["container"], "mkv")

    def test_subtitles_are_published_beside_the_file(self):
        make_hls(self.media / "hls")

        result = self.done("/tree/hls/show.m3u8", subtitles=["en"])

        stem = result["path"].rsplit(".", 1)[0]
        with open(stem + ".en.vtt", encoding="utf-8") as words:
            self.assertIn("A line that is said.", words.read())

    def test_the_side_file_tells_of_the_source_and_of_no_secret(self):
        make_clip(self.media / "a.mp4")

        result = self.done("/files/a.mp4")

        with open(result["info_json"], encoding="utf-8") as side:
            told = json.load(side)
        self.assertEqual(told["title"], "a")
        self.assertEqual(told["webpage_url"], self.origin_.url("/files/a.mp4"))
        for secret in ("http_headers", "cookies", "_troupe"):
            self.assertNotIn(secret, json.dumps(told))


class Embedding(FormatsTest):
    def test_thumbnail_and_metadata_are_put_into_the_file(self):
        make_clip(self.media / "a.mp4")
        ffmpeg(*PICTURE, "-frames:v", "1", self.media / "cover.jpg")
        url = self.origin_.url
        page = (f"/page?video={url('/files/a.mp4')}"
                f"&poster={url('/files/cover.jpg')}")

        result = self.done(page, format="mp4",
                           embed=["thumbnail", "metadata"])

        kinds, tags = streams_of(result["path"])
        self.assertEqual(sorted(kinds), ["audio", "video", "video"])
        self.assertIn("A page", tags.get("title", ""))
        self.assertEqual((result["video"]["width"], result["video"]["height"]),
                         (320, 180))


class Ends(FormatsTest):
    def test_a_live_playlist_is_refused_as_live(self):
        (self.media / "show").mkdir()
        make_clip(self.media / "show" / "%03d.ts", seconds=4, extra=(
            "-f", "segment", "-segment_time", "2", "-g", "50"))

        job = self.job("/hls/show/index.m3u8?live=1")

        self.assertEqual((job["state"], (job["error"] or {}).get("code")),
                         ("failed", "is_live"), job)

    def test_a_container_that_cannot_hold_it_is_no_passing_error(self):
        make_clip(self.media / "a.mp4")

        job = self.job("/files/a.mp4", format="webm")

        self.assertEqual(job["error"]["code"], "bad_container", job)
        self.assertFalse(job["error"]["retryable"])

    def test_cancel_while_sound_is_converted_leaves_nothing(self):
        ffmpeg("-f", "lavfi", "-i", "sine=frequency=300:duration=7200",
               "-c:a", "flac", self.media / "long.flac")

        self.assertLess(best_of(3, self.cancel_converting, 2), 2)

    def converts(self):
        return any("ffmpeg" in command_of(pid) for pid in self.tools())

    def cancel_converting(self):
        """The seconds from the request until ffmpeg is gone."""
        job_id = self.server_.submit("download", {
            "url": self.origin_.url("/files/long.flac"), "format": "mp3"})
        wait_until(lambda: self.server_.job(job_id)["progress"]["stage"]
                   == "postprocess" and self.converts(), 60, "ffmpeg at work")
        begun = time.monotonic()
        self.server_.post(f"/v1/jobs/{job_id}/cancel")
        wait_until(lambda: not self.converts(), 30, "no ffmpeg left")
        took = time.monotonic() - begun
        self.server_.wait_for_state(job_id, "cancelled")
        wait_until(lambda: not [
            path for path in self.server_.library.rglob("*")
            if path.is_file()], 30, "nothing left in the library")
        return took


class Pauses(FormatsTest):
    def test_a_429_holds_back_the_other_jobs_of_its_host(self):
        make_clip(self.media / "a.mp4")
        first = self.server_.submit("download", {
            "url": self.origin_.url("/status/429?retry_after=3600")})
        self.server_.wait_for_state(first, "scheduled", 60)
        asked = len(self.origin_.requests())

        second = self.server_.submit("download", {
            "url": self.origin_.url("/files/a.mp4")})
        job = self.server_.wait_for_state(second, "scheduled")

        self.assertEqual((job["attempt"], job["errors"]), (1, []))
        self.assertEqual(len(self.origin_.requests()), asked)


if __name__ == "__main__":
    unittest.main(verbosity=2)
