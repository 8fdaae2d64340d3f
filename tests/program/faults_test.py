"""What a user meets on a bad day: hostile input, a store that goes away, a full
disk, two servers on one folder. A clear error, nothing lost, no crash."""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import unittest

from harness import (BIN, TroupeTest, WebSocket, free_port, make_clip,
                     wait_until)


def start_that_fails(folder, *arguments):
    """A `troupe serve` that is expected to end by itself."""
    return subprocess.run(
        [BIN / "troupe", "serve", "--data", folder / "data", "--listen",
         "127.0.0.1:0", *arguments],
        capture_output=True, text=True, timeout=60, check=False)


class HostileInput(TroupeTest):
    def setUp(self):
        super().setUp()
        self.server_ = self.server()

    def open_descriptors(self):
        return len(os.listdir(f"/proc/{self.server_.process.pid}/fd"))

    def raw(self, data, timeout=30):
        """What the server says to these bytes, until it closes or is silent."""
        with socket.create_connection(("127.0.0.1", self.server_.port),
                                      timeout) as peer:
            peer.sendall(data)
            peer.shutdown(socket.SHUT_WR)
            said = b""
            try:
                while block := peer.recv(65536):
                    said += block
            except (TimeoutError, ConnectionError):
                pass
            return said

    def refused(self, status, code, method, path, body=None, **headers):
        answer = self.server_.request(method, path, body, headers={
            name.replace("_", "-"): value for name, value in headers.items()})
        self.assertEqual((answer.status, (answer.json or {}).get("code")),
                         (status, code), answer.body[:300])
        self.assertEqual(answer.headers["Content-Type"],
                         "application/problem+json")
        return answer

    def test_requests_that_make_no_sense_are_told_why(self):
        job = {"type": "noop", "params": {}}
        jobs = "/v1/jobs"
        self.refused(400, "invalid_json", "POST", jobs, '{"type":')
        self.refused(400, "invalid_json", "POST", jobs, b'{"type":"\xff"}')
        self.refused(422, "unknown_job_type", "POST", jobs, {"type": "none",
                                                             "params": {}})
        self.refused(422, "invalid_params", "POST", jobs, {**job, "colour": 1})
        self.refused(422, "invalid_params", "POST", jobs, {**job, "priority": 10})
        self.refused(422, "invalid_params", "POST", jobs, {**job, "tags": "x"})
        self.refused(422, "invalid_params", "POST", jobs, {
            "type": "noop", "params": {"sleep_ms": "1", "steps": 0, "x": 1}})
        self.refused(400, "invalid_page_token", "GET", jobs + "?page_token=%00x")
        self.refused(404, "not_found", "GET", jobs + "/nothing")
        self.refused(404, "not_found", "GET", "/v1/nothing")
        self.refused(405, "method_not_allowed", "PATCH", jobs)
        self.refused(413, "body_too_large", "POST", jobs,
                     json.dumps({**job, "params": {"payload": "x" * 2**20}}))
        self.refused(415, "unsupported_media_type", "POST", jobs,
                     json.dumps(job), Content_Type="text/plain")

    def test_all_invalid_fields_are_named_at_once(self):
        answer = self.server_.post("/v1/jobs", {
            "type": "noop", "params": {"sleep_ms": -1, "other": 1},
            "priority": "high", "max_attempts": 0})

        named = {error["pointer"] for error in answer.json["errors"]}
        self.assertLessEqual({"/params/sleep_ms", "/params/other", "/priority",
                              "/max_attempts"}, named)

    def test_foreign_pages_are_kept_out(self):
        self.refused(403, "forbidden", "POST", "/v1/jobs",
                     {"type": "noop", "params": {}},
                     Origin="https://evil.example")
        self.refused(403, "forbidden", "GET", "/v1/jobs", Host="evil.example")
        foreign = WebSocket(self.server_.port,
                            headers={"Origin": "https://evil.example"})
        self.addCleanup(foreign.close)
        self.assertEqual(foreign.status, 403)

    def test_garbage_never_ends_the_server(self):
        self.send_garbage()
        before = self.open_descriptors()
        for _ in range(5):
            self.send_garbage()

        self.assertEqual(self.server_.get("/healthz").status, 200)
        wait_until(lambda: self.open_descriptors() <= before + 4, 20,
                   "none of 50 connections' descriptors is left")

    def send_garbage(self):
        host = f"Host: 127.0.0.1:{self.server_.port}\r\n".encode()
        for garbage in (
                b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b"\r\n" * 1000,
                b"GET / HTTP/9.9\r\n\r\n", b"GET  HTTP/1.1\r\n\r\n",
                b"GET / HTTP/1.1\r\n" + host + b"X: " + b"a" * 20000,
                b"POST /v1/jobs HTTP/1.1\r\n" + host
                + b"Transfer-Encoding: chunked\r\n\r\nZZZ\r\n",
                b"POST /v1/jobs HTTP/1.1\r\n" + host
                + b"Content-Length: -5\r\n\r\n",
                b"POST /v1/jobs HTTP/1.1\r\n" + host
                + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
                b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n" + host + b"\r\n",
                b"GET /v1/jobs/x/files/..%2f..%2fetc HTTP/1.1\r\n" + host
                + b"\r\n"):
            said = self.raw(garbage)
            self.assertNotIn(b" 200 ", said.split(b"\r\n")[0], garbage[:60])
            self.assertNotIn(b"root:", said)

    def test_a_slow_request_is_cut_off(self):
        server = self.server_
        server.stop()
        server.environment["TROUPE_HTTP_HEADER_TIMEOUT_S"] = "1"
        server.start()
        with socket.create_connection(("127.0.0.1", server.port), 60) as peer:
            peer.sendall(b"GET / HTTP/1.1\r\nHost: ")
            said = peer.recv(4096)
        self.assertTrue(said == b"" or b" 408 " in said, said)

    def test_websocket_garbage_is_answered(self):
        socket_ = self.websocket(self.server_)
        for text in ('{"op":', '[]', '{"op":"fly"}', '{"op":"subscribe"}',
                     '{"op":"subscribe","id":1,"topics":[{"topic":"zebra"}]}',
                     '{"op":"request","id":2,"method":"rm","params":{}}'):
            socket_.send_frame(1, text.encode())
            self.assertEqual(socket_.receive()["op"], "error", text)
        socket_.send({"op": "ping", "id": 3})
        self.assertEqual(socket_.receive()["op"], "pong")
        socket_.send_frame(1, b"\xff\xfe")
        self.assertIsNone(socket_.receive())
        self.assertEqual(self.server_.get("/healthz").status, 200)


class StoreTrouble(TroupeTest):
    def test_a_redis_that_dies_and_returns_loses_nothing(self):
        redis = self.redis()
        server = self.server("--store", redis.url)
        before = server.submit("noop", {"sleep_ms": 10000, "steps": 10})
        server.wait_for_state(before, "running")

        redis.kill()
        waits = server.post("/v1/jobs", {"type": "noop", "params": {}})
        self.assertEqual((waits.status, waits.json["durability"]),
                         (202, "local"))
        refused = server.get("/v1/jobs")
        self.assertEqual((refused.status, refused.json["code"]),
                         (503, "store_unavailable"))
        self.assertIn("Retry-After", refused.headers)
        self.assertEqual(server.get("/healthz").status, 200)
        redis.start()

        job = server.wait_for_state(before, ("succeeded", "failed"), 60)
        self.assertEqual((job["state"], job["attempt"]), ("succeeded", 1), job)
        server.wait_for_state(waits.json["id"], "succeeded")
        after = server.submit("noop", {})
        server.wait_for_state(after, "succeeded")

    def test_a_watcher_waits_for_the_store(self):
        redis = self.redis()
        server = self.server("--store", redis.url)
        job_id = server.submit("noop", {})
        server.wait_for_state(job_id, "succeeded")
        redis.freeze()
        wait_until(lambda: server.get(f"/v1/jobs/{job_id}").status == 503, 30,
                   "the store is away")

        watcher = subprocess.Popen(
            [BIN / "troupe", "watch", job_id, "--server", server.url],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(end, watcher)
        said = watcher.stderr.readline()
        self.assertIsNone(watcher.poll(), said)
        redis.thaw()

        self.assertEqual(watcher.wait(60), 0)

    def test_an_unreachable_store_is_told_at_the_start(self):
        done = start_that_fails(self.folder, "--store",
                                f"redis://127.0.0.1:{free_port()}/0")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("redis", done.stderr)

    def test_an_evicting_redis_is_refused(self):
        redis = self.redis()
        subprocess.run(["redis-cli", "-p", str(redis.port), "config", "set",
                        "maxmemory-policy", "allkeys-lru"], check=True,
                       stdout=subprocess.DEVNULL)
        done = start_that_fails(self.folder, "--store", redis.url)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("noeviction", done.stderr)

    def test_a_second_server_on_a_folder_is_refused(self):
        self.server()
        done = start_that_fails(self.folder)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(str(self.folder / "data"), done.stderr)


class FullDisk(TroupeTest):
    def setUp(self):
        super().setUp()
        self.small = self.folder / "data"
        self.small.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", self.small],
            capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("mounting a tmpfs is not permitted here")
        self.addCleanup(subprocess.run, ["umount", "-l", self.small],
                        check=False)

    def test_a_result_that_does_not_fit_fails_its_job_alone(self):
        server = self.server()
        big = server.submit("noop", {"output_bytes": 64 * 2**20},
                            max_attempts=1)
        job = server.wait_for_state(big, ("failed", "succeeded"))
        self.assertEqual(job["error"]["code"], "disk_full")
        wait_until(lambda: not [p for p in (server.library / ".troupe").glob(
            f"{big}*")], 30, "what was staged is gone")

        small = server.submit("noop", {"output_bytes": 1000})
        done = server.wait_for_state(small, "succeeded")
        self.assertTrue(pathlib.Path(done["result"]["path"]).is_file())

    def test_a_download_that_fills_the_disk_leaves_room(self):
        media = self.folder / "media"
        media.mkdir()
        with open(make_clip(media / "large.mp4", seconds=1), "ab") as out:
            out.truncate(64 * 2**20)
        origin = self.origin(media)
        server = self.server("--allow-private-sources")
        job = server.wait_for_state(server.submit(
            "download", {"url": origin.url("/files/large.mp4")},
            max_attempts=1), ("failed", "succeeded"), 60)
        self.assertEqual(job["error"]["code"], "disk_full")

        small = server.submit("noop", {"output_bytes": 1000})
        server.wait_for_state(small, "succeeded", 60)

    def test_a_store_without_room_refuses_and_recovers(self):
        server = self.server()
        filler = self.small / "filler"
        with open(filler, "wb", buffering=0) as out:
            with contextlib.suppress(OSError):
                while out.write(b"x" * 4096) > 0:
                    pass
        statuses = {server.post("/v1/jobs", {
            "type": "noop", "params": {"payload": "x" * 100_000}}).status
            for _ in range(20)}
        self.assertIn(503, statuses)
        self.assertLessEqual(statuses, {202, 503})
        self.assertEqual(server.get("/healthz").status, 200)
        filler.unlink()

        def works():
            answer = server.post("/v1/jobs", {"type": "noop", "params": {}})
            return answer.status == 202 and answer.json["id"]
        job_id = wait_until(works, 60, "submits are taken again")
        server.wait_for_state(job_id, "succeeded")


class Drain(TroupeTest):
    def test_sigterm_gives_running_jobs_back_and_exits_clean(self):
        server = self.server(environment={"TROUPE_POOLS_DRAIN_S": "12"})
        long = server.submit("noop", {"sleep_ms": 600000, "steps": 600})
        short = server.submit("noop", {"sleep_ms": 8000})
        wait_until(lambda: {server.job(i)["state"] for i in (long, short)}
                   == {"running"}, 8, "both run")

        self.assertEqual(server.stop(), 0)
        server.start()

        self.assertEqual(server.job(short)["state"], "succeeded")
        job = server.wait_for_state(long, "running")
        self.assertEqual(job["attempt"], 1, "a drain costs nothing")
        self.assertEqual(server.post(f"/v1/jobs/{long}/cancel").status, 200)
        server.wait_for_state(long, "cancelled")


    def test_a_drained_node_claims_nothing_and_answers_until_it_ends(self):
        server = self.server(environment={"TROUPE_POOLS_DRAIN_S": "5"})
        long = server.submit("noop", {"sleep_ms": 600000, "steps": 600})
        short = server.submit("noop", {"sleep_ms": 2000})
        wait_until(lambda: {server.job(i)["state"] for i in (long, short)}
                   == {"running"}, 8, "both run")
        node = server.get("/v1/nodes").json["nodes"][0]
        self.assertEqual(server.post("/v1/nodes/other/drain").status, 404)
        self.assertEqual(node["state"], "ready")

        for _ in range(2):
            answer = server.post(f"/v1/nodes/{node['id']}/drain")
            self.assertEqual(answer.status, 200, answer.body)
            self.assertEqual(answer.json["state"], "draining")

        self.assertEqual(server.get("/readyz").status, 503)
        refused = server.post("/v1/jobs", {"type": "noop", "params": {}})
        self.assertEqual(refused.json["code"], "draining")
        server.wait_for_state(short, "succeeded")
        job = server.wait_for_state(long, "queued")
        self.assertEqual(job["errors"], [], "a drain costs nothing")
        self.assertEqual(server.stop(), 0)
        server.start()
        self.assertEqual(server.get("/readyz").status, 200)
        server.wait_for_state(long, "running")
        server.post(f"/v1/jobs/{long}/cancel")


def end(process):
    process.kill()
    process.communicate()


if __name__ == "__main__":
    unittest.main(verbosity=2)
