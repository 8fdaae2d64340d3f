"""Downloads through the built binary with the real yt-dlp: what a user of the
HTTP interface sees, and what is left after kills."""

import subprocess
import sys
import time
import unittest

from harness import (TroupeTest, best_of, command_of, make_clip, sha256,
                     wait_until)

#: Within so many seconds the tools of a cancelled or killed job are gone.
TOOLS_GONE_S = 2


def library_files(server):
    """Published files, without what is staged."""
    return sorted(path for path in server.library.rglob("*")
                  if path.is_file() and ".troupe" not in path.parts)


class Downloads(TroupeTest):
    def setUp(self):
        super().setUp()
        self.media = self.folder / "media"
        self.media.mkdir()

    def clip(self, name, **options):
        return make_clip(self.media / name, **options)

    def test_twenty_at_once_equal_their_sources(self):
        clips = [self.clip(f"clip{i}.mp4", seconds=1) for i in range(20)]
        origin = self.origin(self.media)
        server = self.server("--allow-private-sources",
                             environment={"TROUPE_POOLS_DOWNLOAD": "20"})

        ids = [server.submit("download",
                             {"url": origin.url(f"/files/{clip.name}"),
                              "format": "original"}) for clip in clips]
        jobs = [server.wait_for_state(i, ("succeeded", "failed"), 240)
                for i in ids]

        for clip, job in zip(clips, jobs):
            self.assertEqual(job["state"], "succeeded", job)
            self.assertEqual(job["result"]["sha256"], sha256(clip))
            self.assertEqual(sha256(job["result"]["path"]), sha256(clip))
        self.assertEqual(server.stop(), 0)
        self.assert_nothing_left()

    def test_progress_is_monotonic_and_counts_bytes(self):
        clip = self.clip("slow.mp4", seconds=20)
        size = clip.stat().st_size
        origin = self.origin(self.media, rate=size // 6)
        server = self.server("--allow-private-sources")
        socket = self.websocket(server)
        job_id = server.submit("download", {
            "url": origin.url("/files/slow.mp4"), "format": "original"})
        socket.subscribe(f"job:{job_id}")

        seen = socket.events_until(
            lambda m: m["type"] in ("job.succeeded", "job.failed"))

        self.assertEqual(seen[-1]["type"], "job.succeeded", seen[-1])
        loads = [m["data"]["progress"] for m in seen
                 if m["type"] == "job.progress"
                 and m["data"]["progress"]["stage"] == "download"]
        self.assertGreater(len(loads), 5)
        done = [p["done"] for p in loads]
        self.assertEqual(done, sorted(done))
        self.assertEqual({p["unit"] for p in loads}, {"bytes"})
        self.assertEqual(loads[-1]["total"], size)
        between = [d for d in done if 0 < d < size]
        self.assertGreater(len(set(between)), 3, "bytes, not jumps")
        offsets = [m["offset"] for m in seen]
        self.assertEqual(offsets, sorted(set(offsets)))
        # A slow watcher may miss some of the progress, nothing else.
        told = {m["type"] for m in seen}
        self.assertLessEqual({"job.progress", "job.succeeded"}, told)

    def start_slow(self, server, origin, name, rate):
        job_id = server.submit("download", {
            "url": origin.url(f"/files/{name}?rate={rate}"),
            "format": "original"})
        wait_until(lambda: server.job(job_id)["progress"]["done"] > 0, 60,
                   "bytes have arrived")
        return job_id

    def test_cancel_leaves_no_process_and_no_file(self):
        clip = self.clip("big.mp4", seconds=20)
        origin = self.origin(self.media)
        server = self.server("--allow-private-sources")

        took = best_of(3, lambda: self.cancel_one(server, origin, clip),
                       TOOLS_GONE_S)

        self.assertLess(took, TOOLS_GONE_S)

    def cancel_one(self, server, origin, clip):
        """The seconds from the request until its tools are gone."""
        job_id = self.start_slow(server, origin, clip.name,
                                 clip.stat().st_size // 60)
        begun = time.monotonic()
        answer = server.post(f"/v1/jobs/{job_id}/cancel")

        self.assertEqual(answer.status, 200)
        server.wait_for_state(job_id, "cancelled")
        wait_until(lambda: not self.tools(), 30, "the tools are gone")
        took = time.monotonic() - begun
        self.assertEqual(library_files(server), [])
        wait_until(lambda: not list(server.library.rglob(f"*{job_id}*")), 30,
                   "private files are gone")
        return took

    def test_killed_in_mid_download_it_goes_on_with_the_part(self):
        clip = self.clip("big.mp4", seconds=20)
        size = clip.stat().st_size
        origin = self.origin(self.media)
        server = self.server("--allow-private-sources")
        job_id = self.start_slow(server, origin, clip.name, size // 20)
        wait_until(lambda: server.job(job_id)["progress"]["done"] > size // 5,
                   60, "a fifth has arrived")
        self.assertTrue(self.tools())

        self.kill(server)
        server.start()

        job = server.wait_for_state(job_id, ("succeeded", "failed"), 120)
        self.assertEqual(job["state"], "succeeded", job)
        self.assertEqual(job["attempt"], 1)
        self.assertEqual([sha256(p) for p in library_files(server)
                          if p.suffix == ".mp4"], [sha256(clip)])
        ranges = [r["range"] for r in origin.requests() if r["range"]]
        self.assertTrue(any(not r.startswith("bytes=0-") for r in ranges),
                        f"continued, not begun anew: {ranges}")

    def kill(self, server):
        """SIGKILL; what it had started must not outlive it."""
        server.kill()
        begun = time.monotonic()
        wait_until(lambda: not self.tools(), 20, "the first life is over")
        took = time.monotonic() - begun
        if took > TOOLS_GONE_S:
            print(f"slow: tools outlived their server by {took:.1f} s",
                  file=sys.stderr)

    def test_killed_while_ffmpeg_writes_it_ends_with_one_file(self):
        # Half an hour of sound takes seconds, so that the kill hits it.
        subprocess.run(
            ["ffmpeg", "-v", "error", "-f", "lavfi", "-i",
             "sine=frequency=300:duration=1800", self.media / "long.flac"],
            check=True, stdin=subprocess.DEVNULL)
        origin = self.origin(self.media)
        server = self.server("--allow-private-sources")
        job_id = server.submit("download", {
            "url": origin.url("/files/long.flac"), "format": "mp3"})

        def writing():
            job = server.job(job_id)
            return job["state"] == "running" \
                and job["progress"]["stage"] in ("merge", "postprocess") \
                and any("ffmpeg" in command_of(p) for p in self.tools())
        wait_until(writing, 60, "ffmpeg is at work")
        self.kill(server)
        self.assertEqual(library_files(server), [], "it was not over")
        server.start()

        job = server.wait_for_state(job_id, ("succeeded", "failed"), 120)
        self.assertEqual(job["state"], "succeeded", job)
        sounds = [p for p in library_files(server) if p.suffix == ".mp3"]
        self.assertEqual([str(p) for p in sounds], [job["result"]["path"]])
        self.assertEqual(sha256(sounds[0]), job["result"]["sha256"])
        self.assertEqual(server.stop(), 0)
        self.assert_nothing_left()


class Guards(TroupeTest):
    """127.0.0.2 is let in, 127.0.0.3 is not."""

    def setUp(self):
        super().setUp()
        self.media = self.folder / "media"
        (self.media / "show").mkdir(parents=True)
        make_clip(self.media / "a.mp4")
        make_clip(self.media / "show" / "%03d.ts", seconds=8, extra=(
            "-f", "segment", "-segment_time", "2", "-g", "50"))
        self.origin_ = self.origin(self.media, "127.0.0.2", "127.0.0.3")
        self.server_ = self.server(
            environment={"TROUPE_SOURCES_ALLOW": "127.0.0.2/32"})

    def outcome(self, url, **params):
        job_id = self.server_.submit("download", {"url": url, **params},
                                     max_attempts=1)
        return self.server_.wait_for_state(job_id, ("succeeded", "failed"), 120)

    def assert_forbidden(self, job):
        self.assertEqual(job["state"], "failed", job)
        self.assertEqual(job["error"]["code"], "source_forbidden", job)
        hosts = {r["host"].split(":")[0] for r in self.origin_.requests()}
        self.assertNotIn("127.0.0.3", hosts)

    def test_the_allowed_address_serves(self):
        job = self.outcome(self.origin_.url("/files/a.mp4"))
        self.assertEqual(job["state"], "succeeded", job)

    def test_a_forbidden_url_is_refused_at_once(self):
        answer = self.server_.post("/v1/jobs", {
            "type": "download",
            "params": {"url": self.origin_.url("/files/a.mp4", "127.0.0.3")}})
        self.assertEqual((answer.status, answer.json["code"]),
                         (422, "source_forbidden"))

    def test_a_redirect_is_refused(self):
        to = self.origin_.url("/files/a.mp4", "127.0.0.3")
        self.assert_forbidden(
            self.outcome(self.origin_.url(f"/redirect?to={to}")))

    def test_an_embed_is_refused(self):
        video = self.origin_.url("/files/a.mp4", "127.0.0.3")
        self.assert_forbidden(
            self.outcome(self.origin_.url(f"/page?video={video}")))

    def test_a_segment_is_refused(self):
        base = self.origin_.url("/hls/show/", "127.0.0.3")
        self.assert_forbidden(self.outcome(
            self.origin_.url(f"/hls/show/index.m3u8?base={base}")))

    def test_hls_is_fetched_whole(self):
        job = self.outcome(self.origin_.url("/hls/show/index.m3u8"))
        self.assertEqual(job["state"], "succeeded", job)
        self.assertAlmostEqual(job["result"]["duration_s"], 8, delta=0.5)

    def test_a_missing_fragment_fails_the_job(self):
        job = self.outcome(self.origin_.url("/hls/show/index.m3u8?missing=2"))
        self.assertEqual(job["state"], "failed", job)
        self.assertEqual(
            [p for p in library_files(self.server_)], [], "nothing half")


class ChangedSource(TroupeTest):
    def test_a_source_changed_between_attempts_comes_whole(self):
        media = self.folder / "media"
        media.mkdir()
        old = make_clip(media / "v.mp4", seconds=20)
        new = make_clip(media / "v.mp4.2", seconds=22, extra=("-f", "mp4"))
        origin = self.origin(media)
        server = self.server("--allow-private-sources")
        half = old.stat().st_size // 2
        job_id = server.submit("download", {
            "url": origin.url(f"/changing/v.mp4?rate={half // 8}"),
            "format": "original"})
        wait_until(lambda: server.job(job_id)["progress"]["done"] > half // 2,
                   60, "a quarter of the file")
        server.kill()
        origin.call("POST", "/version?is=2")
        server.start()

        job = server.wait_for_state(job_id, ("succeeded", "failed"), 120)

        self.assertEqual(job["state"], "succeeded", job)
        self.assertEqual(sha256(job["result"]["path"]), sha256(new))


class Failures(TroupeTest):
    def failed(self, server, url, **more):
        job_id = server.submit("download", {"url": url}, **more)
        return server.wait_for_state(job_id, ("failed", "scheduled"), 120)

    def test_errors_are_sorted(self):
        (self.folder / "media").mkdir()
        origin = self.origin(self.folder / "media")
        server = self.server("--allow-private-sources")

        gone = self.failed(server, origin.url("/files/none.mp4"))
        down = self.failed(server, origin.url("/status/503"))
        # Last: the host is left alone from then on.
        busy = self.failed(server, origin.url("/status/429?retry_after=3600"))

        self.assertEqual((gone["state"], gone["error"]["code"],
                          gone["attempt"]), ("failed", "source_not_found", 1))
        self.assertEqual((busy["state"], busy["error"]["code"]),
                         ("scheduled", "rate_limited"))
        self.assertEqual((down["state"], down["error"]["code"]),
                         ("scheduled", "source_unavailable"))

    def test_a_missing_tool_fails_the_job_not_the_server(self):
        server = self.server(
            "--allow-private-sources",
            environment={"TROUPE_TOOLS_YT_DLP": "/nonexistent/yt-dlp"})

        job = self.failed(server, "http://127.0.0.1:9/a.mp4")

        self.assertEqual(job["error"]["code"], "tool_missing", job)
        self.assertEqual(server.get("/healthz").status, 200)


if __name__ == "__main__":
    unittest.main(verbosity=2)
