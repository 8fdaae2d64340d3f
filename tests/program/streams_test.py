"""Streams: playlists and segments through ffmpeg's HLS demuxer, made once
whoever asks, by children that are killed and a server that comes back."""

import concurrent.futures
import contextlib
import os
import pathlib
import re
import signal
import subprocess
import time
import unittest

from harness import TroupeTest, children_of, wait_until

SECONDS = 24


def make_film(path, seconds=SECONDS, size="640x360", extra=()):
    """H.264 with B-frames and keys at irregular places, AAC."""
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i",
         f"testsrc2=duration={seconds}:size={size}:rate=25", "-f", "lavfi",
         "-i", f"sine=frequency=440:sample_rate=48000:duration={seconds}",
         "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p",
         "-x264-params", "keyint=250:min-keyint=1:scenecut=0:open-gop=0",
         "-force_key_frames", "0.72,4.6,5.32,9.8,15.28,20.4",
         "-c:a", "aac", "-b:a", "96k", *extra, str(path)],
        check=True, stdin=subprocess.DEVNULL)
    return path


def frames(url, kind="v"):
    """What ffmpeg decodes: time and sum of each frame."""
    done = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(url), "-map", f"0:{kind}:0",
         "-fps_mode" if kind == "v" else "-vsync", "passthrough",
         "-f", "framemd5", "-"],
        capture_output=True, stdin=subprocess.DEVNULL, timeout=300)
    if done.returncode != 0 or done.stderr:
        raise AssertionError(done.stderr.decode(errors="replace"))
    lines = [line.split(",") for line in done.stdout.decode().splitlines()
             if line and not line.startswith("#")]
    base = re.search(r"#tb 0: (\d+)/(\d+)", done.stdout.decode())
    unit = int(base.group(1)) / int(base.group(2))
    return [(round(int(parts[2]) * unit, 3), parts[5].strip())
            for parts in lines]


def times(url, kind="v"):
    """When each packet is shown, in order, after the first."""
    done = subprocess.run(
        ["ffprobe", "-v", "error", "-select_streams", f"{kind}:0",
         "-show_entries", "packet=pts_time", "-of", "csv=p=0", str(url)],
        capture_output=True, stdin=subprocess.DEVNULL, timeout=300, text=True)
    if done.returncode != 0 or done.stderr:
        raise AssertionError(done.stderr)
    shown = sorted(float(line.split(",")[0])
                   for line in done.stdout.splitlines() if line)
    return [round(time_ - shown[0], 2) for time_ in shown]


class StreamTest(TroupeTest):
    environment = {}
    flags = ()

    def setUp(self):
        super().setUp()
        self.media = self.folder / "media"
        self.media.mkdir()
        self.film = make_film(self.media / "film.mkv")
        self.troupe = self.server("--media-root", str(self.media), *self.flags,
                                  environment=self.environment)

    def open(self, source="local:///film.mkv", **wish):
        answer = self.troupe.post("/v1/streams", {"source": source, **wish})
        self.assertEqual(answer.status, 201, answer.body)
        return answer.json

    def base(self, stream):
        return stream["hls_url"].removesuffix("/master.m3u8")

    def segment(self, stream, rendition, number, name=None):
        name = name or f"{number}.m4s"
        deadline = time.monotonic() + 60
        while True:
            answer = self.troupe.get(
                f"{self.base(stream)}/{rendition}/{name}")
            if answer.status != 503 or time.monotonic() > deadline:
                return answer
            time.sleep(0.1)

    def children(self):
        return children_of(self.troupe.process.pid, "troupe-codec")

    def made(self, kind):
        """Segments that children have made so far."""
        text = self.troupe.get("/metrics").body.decode()
        found = re.search(
            rf'troupe_stream_make_seconds_count\{{kind="{kind}"\}} (\d+)',
            text)
        return int(found.group(1)) if found else 0

    def names(self, stream, kind):
        return [it["name"] for it in stream["renditions"]
                if it["kind"] == kind]


class Streams(StreamTest):
    def test_a_copy_has_every_frame_of_its_source_once(self):
        for name in ("film.mkv", "film.mp4"):
            if name != "film.mkv":
                make_film(self.media / name)
            stream = self.open(f"local:///{name}", mode="remux")
            self.assertEqual(self.names(stream, "video"), ["copy"])
            self.assertAlmostEqual(stream["duration_s"], SECONDS, delta=0.2)
            source = frames(self.media / name)
            self.assertEqual(len(source), SECONDS * 25)
            url = self.troupe.url + stream["hls_url"]
            self.assertEqual(frames(url), source)
            sound = times(url, "a")
            self.assertAlmostEqual(sound[-1], SECONDS, delta=0.1)
            self.assertAlmostEqual(
                len(sound), len(times(self.media / name, "a")), delta=2)

    def test_an_encoding_has_every_frame_at_its_time(self):
        stream = self.open(mode="transcode", max_height=360)
        name = self.names(stream, "video")[0]
        url = f"{self.troupe.url}{self.base(stream)}/{name}/index.m3u8"
        self.assertEqual(times(url), times(self.film))
        sound = self.names(stream, "audio")[0]
        played = times(
            f"{self.troupe.url}{self.base(stream)}/{sound}/index.m3u8", "a")
        self.assertAlmostEqual(played[-1], SECONDS, delta=0.1)

    def test_two_who_watch_cost_no_segment_twice(self):
        one = self.open(mode="transcode", max_height=360)
        two = self.open(mode="transcode", max_height=360)
        name = self.names(one, "video")[0]
        count = next(it["segments"] for it in one["renditions"]
                     if it["name"] == name)

        def play(stream, numbers):
            return [self.segment(stream, name, n).body for n in numbers]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            first = pool.submit(play, one, range(count))
            half = count // 2
            second = pool.submit(
                play, two, [*range(half, count), *range(half)])
            whole, turned = first.result(), second.result()
        self.assertEqual(whole, turned[count - half:] + turned[:count - half])
        self.assertEqual(self.made("video"), count)

    def test_a_killed_child_costs_no_segment(self):
        stream = self.open(mode="transcode", max_height=360)
        name = self.names(stream, "video")[0]
        self.assertEqual(self.segment(stream, name, 0).status, 200)
        for number in (1, 4, 7):
            for pid in self.children():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.assertEqual(self.segment(stream, name, number).status, 200)

    def test_a_stopped_child_is_replaced(self):
        stream = self.open(mode="transcode", max_height=360)
        name = self.names(stream, "video")[0]
        self.segment(stream, name, 0)
        stopped = self.children()
        for pid in stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        self.addCleanup(self.end, stopped)
        self.assertEqual(self.segment(stream, name, 9).status, 200)

    def end(self, pids):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def test_a_restarted_server_takes_its_streams_up_again(self):
        stream = self.open(mode="remux")
        before = self.segment(stream, "copy", 2)
        self.troupe.kill()
        self.troupe.start()
        after = self.segment(stream, "copy", 2)
        self.assertEqual(after.status, 200)
        self.assertEqual(after.body, before.body)
        shown = self.troupe.get(f"/v1/streams/{stream['id']}").json
        self.assertEqual(shown["state"], "active")
        closed = self.troupe.request("DELETE", f"/v1/streams/{stream['id']}")
        self.assertEqual(closed.json["state"], "closed")
        self.assertEqual(self.segment(stream, "copy", 2).status, 404)

    def test_the_file_itself_has_ranges(self):
        stream = self.open(mode="direct")
        whole = self.film.read_bytes()
        got = self.troupe.get(stream["direct_url"])
        self.assertEqual(got.body, whole)
        self.assertEqual(got.headers["Content-Type"], "video/x-matroska")
        self.assertEqual(got.headers["X-Content-Type-Options"], "nosniff")
        part = self.troupe.get(stream["direct_url"],
                               headers={"Range": "bytes=1000-1999"})
        self.assertEqual((part.status, part.body), (206, whole[1000:2000]))
        parts = self.troupe.get(stream["direct_url"],
                                headers={"Range": "bytes=0-9,-5"})
        self.assertEqual(parts.status, 206)
        boundary = parts.headers["Content-Type"].split("boundary=")[1]
        self.assertEqual(
            [part.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n")
             for part in parts.body.split(f"--{boundary}".encode())[1:-1]],
            [whole[:10], whole[-5:]])
        tail = self.troupe.get(stream["direct_url"],
                               headers={"Range": "bytes=-10"})
        self.assertEqual(tail.body, whole[-10:])
        past = self.troupe.get(
            stream["direct_url"],
            headers={"Range": f"bytes={len(whole)}-"})
        self.assertEqual(past.status, 416)
        stale = self.troupe.get(
            stream["direct_url"],
            headers={"Range": "bytes=0-9", "If-Range": '"other"'})
        self.assertEqual((stale.status, stale.body), (200, whole))

    def test_one_file_holds_the_whole_stream(self):
        stream = self.open()
        url = self.troupe.url + stream["progressive_url"]
        self.assertEqual(frames(url), frames(self.film))
        late = frames(url + "?start_s=10")
        self.assertLess(len(late), SECONDS * 25)
        self.assertEqual([sum_ for _, sum_ in late],
                         [sum_ for _, sum_ in frames(self.film)][-len(late):])

    def test_nobody_gets_in_without_a_signature(self):
        stream = self.open()
        base = self.base(stream)
        forged = base[:-2] + ("AA" if not base.endswith("AA") else "BB")
        for path in (f"{forged}/master.m3u8", f"{forged}/copy/0.m4s",
                     f"/s/{stream['id']}/master.m3u8",
                     f"{forged}/direct", f"{forged}/progressive.mp4"):
            self.assertEqual(self.troupe.get(path).status, 403, path)
        for path in ("copy/99.m4s", "copy/01.m4s", "none/0.m4s", "copy/x",
                     "other.m3u8"):
            self.assertEqual(self.troupe.get(f"{base}/{path}").status, 404,
                             path)

    def test_the_one_file_takes_a_start_and_nothing_that_it_does_not_know(self):
        url = self.open()["progressive_url"]
        for query, pointer in (("start=3", "/start"), ("start_s=-5", "/start_s"),
                               ("start_s=nan", "/start_s"),
                               ("start_s=1&start_s=2", "/start_s")):
            told = self.troupe.get(f"{url}?{query}")
            self.assertEqual(told.status, 422, query)
            self.assertEqual(told.json["errors"][0]["pointer"], pointer)
        told = self.troupe.request("HEAD", f"{url}?start_s=1&CMCD=bl%3D1")
        self.assertEqual(told.status, 200)

    def test_wishes_that_make_no_sense_are_refused(self):
        for body, pointer in (
                ({}, "/source"), ({"source": "x"}, "/source"),
                ({"source": "local:///a", "mode": "x"}, "/mode"),
                ({"source": "local:///a", "priority": 10}, "/priority"),
                ({"source": "local:///a", "more": 1}, "/more"),
                ({"source": "local:///a", "client": {"x": 1}}, "/client/x")):
            answer = self.troupe.post("/v1/streams", body)
            self.assertEqual(answer.status, 422, answer.body)
            self.assertEqual(answer.json["errors"][0]["pointer"], pointer)
        for member in ("audio", "subtitle"):
            answer = self.troupe.post(
                "/v1/streams", {"source": "local:///film.mkv", member: 99})
            self.assertEqual(answer.status, 422, answer.body)
            self.assertEqual(answer.json["errors"][0]["pointer"], f"/{member}")
        missing = self.troupe.post("/v1/streams",
                                   {"source": "local:///none.mkv"})
        self.assertEqual(missing.status, 404, missing.body)
        (self.media / "text.mkv").write_text("no film")
        broken = self.troupe.post("/v1/streams",
                                  {"source": "local:///text.mkv"})
        self.assertEqual(broken.status, 422, broken.body)
        self.assertEqual(self.troupe.get("/v1/streams").json["streams"], [])

    def test_a_stream_can_be_watched_changed_and_listed(self):
        stream = self.open()
        socket = self.websocket(self.troupe)
        socket.send({"op": "subscribe", "id": 1,
                     "topics": [{"topic": f"stream:{stream['id']}"}]})
        self.assertEqual(socket.receive()["op"], "subscribed")
        changed = self.troupe.request(
            "PATCH", f"/v1/streams/{stream['id']}",
            {"priority": 9, "max_height": 240})
        self.assertEqual(changed.json["priority"], 9)
        self.assertNotIn("copy", self.names(changed.json, "video"))
        other = self.open()
        pages = [self.troupe.get("/v1/streams?page_size=1").json]
        pages.append(self.troupe.get(
            "/v1/streams?page_size=1&page_token="
            + pages[0]["next_page_token"]).json)
        self.assertEqual([[it["id"] for it in page["streams"]]
                          for page in pages], [[other["id"]], [stream["id"]]])
        self.assertEqual(pages[1]["next_page_token"], "")
        wrong = self.troupe.get("/v1/streams?page_token=1")
        self.assertEqual((wrong.status, wrong.json["code"]),
                         (400, "invalid_page_token"))
        self.troupe.request("DELETE", f"/v1/streams/{other['id']}")
        sound = self.names(stream, "audio")[0]
        self.segment(stream, sound, 0)
        health = self.troupe.get(f"/v1/streams/{stream['id']}/health").json
        self.assertEqual(health["state"], "good")
        self.troupe.request("DELETE", f"/v1/streams/{stream['id']}")
        self.assertEqual(socket.receive()["type"], "stream.closed")
        told = subprocess.run(
            [str(self.troupe.programs / "troupe"), "streams", "--server",
             self.troupe.url], capture_output=True, text=True, check=True)
        self.assertIn("STREAM", told.stdout)


class SmallCache(StreamTest):
    environment = {"TROUPE_STREAMS_DISK_BYTES": "3000000",
                   "TROUPE_STREAMS_MEMORY_BYTES": "3000000"}

    def test_what_is_kept_stays_within_its_budget(self):
        stream = self.open(mode="transcode", max_height=360)
        folder = self.folder / "data" / "streams"
        for name in self.names(stream, "video"):
            count = next(it["segments"] for it in stream["renditions"]
                         if it["name"] == name)
            for number in range(count):
                self.assertEqual(
                    self.segment(stream, name, number).status, 200)
                kept = sum(it.stat().st_size for it in folder.rglob("*")
                           if it.is_file())
                self.assertLessEqual(kept, 3_300_000)

    def test_a_client_that_does_not_read_holds_up_nobody(self):
        stream = self.open(mode="remux")
        import socket as sockets
        stalled = []
        for _ in range(20):
            link = sockets.create_connection(("127.0.0.1", self.troupe.port))
            self.addCleanup(link.close)
            link.sendall(f"GET {stream['progressive_url']} HTTP/1.1\r\n"
                         "Host: localhost\r\n\r\n".encode())
            stalled.append(link)
        self.assertEqual(self.segment(stream, "copy", 0).status, 200)


if __name__ == "__main__":
    unittest.main()
