"""What stands around single jobs: batches, schedules, callbacks, pauses and
logs, through the built binary on SQLite and on a real Redis."""

import hashlib
import hmac
import http.server
import json
import threading
import time
import unittest

from harness import TroupeTest, make_clip, sha256, wait_until

SECRET = "a secret"


class Receiver:
    """Takes callbacks; answers what `plan` says, 204 when it is over."""

    def __init__(self, *plan):
        self.plan = list(plan)
        self.seen = []
        self.lock = threading.Lock()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver.lock:
                    receiver.seen.append((dict(self.headers), body))
                    status = receiver.plan.pop(0) if receiver.plan else 204
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/hook"

    def about(self, subject):
        with self.lock:
            return [(headers, body) for headers, body in self.seen
                    if json.loads(body)["data"]["id"] == subject]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class Flow:
    """All of it on the store that `store()` gives."""

    def store(self):
        return []

    def start(self, **environment):
        return self.server("--allow-private-sources", *self.store(),
                           environment={"TROUPE_CALLBACKS_SECRET": SECRET,
                                        **environment})

    def receiver(self, *plan):
        made = Receiver(*plan)
        self.addCleanup(made.close)
        return made

    def batch(self, server, jobs, **more):
        answer = server.post("/v1/jobs/batch", {"jobs": jobs, **more},
                             timeout=120)
        self.assertEqual(answer.status, 202, answer.body)
        return answer.json["batch"]["id"], answer.json["ids"]

    def test_a_batch_runs_in_order_and_tells_of_its_end(self):
        server = self.start()
        hook = self.receiver()
        socket = self.websocket(server)

        batch, ids = self.batch(server, [
            {"type": "noop", "params": {"output_bytes": 100}},
            {"type": "noop", "depends_on": ["#0"], "params": {
                "payload": ["{{job:#0.source}}", "{{job:#0.result.size}}"]}},
            {"type": "noop", "depends_on": ["#1"], "params": {}},
        ], callback_url=hook.url, tags=["trio"])
        answer = socket.subscribe(f"batch:{batch}")[0]
        jobs = [server.wait_for_state(i, "succeeded") for i in ids]

        self.assertEqual(answer["snapshot"]["id"], batch)
        self.assertEqual(jobs[1]["params"]["payload"],
                         [f"job:{ids[0]}", jobs[0]["result"]["size"]])
        self.assertLessEqual(jobs[0]["finished_at"], jobs[1]["started_at"])
        self.assertLessEqual(jobs[1]["finished_at"], jobs[2]["started_at"])
        shown = wait_until(
            lambda: (b := server.get(f"/v1/batches/{batch}").json)["finished_at"]
            and b, 60, "the batch's end")
        self.assertEqual(shown["counts"]["succeeded"], 3)
        self.assertEqual(shown["fraction"], 1)
        (headers, body), = wait_until(lambda: hook.about(batch), 60, "its hook")
        self.assertEqual(json.loads(body)["type"], "batch.finished")
        self.check_signature(headers, body)
        if not answer["snapshot"]["finished_at"]:
            socket.events_until(lambda m: m.get("type") == "batch.finished")

    def test_ten_thousand_jobs_come_all_or_none(self):
        server = self.start()
        many = [{"type": "noop", "params": {}} for _ in range(10000)]

        bad = server.post("/v1/jobs/batch",
                          {"jobs": many[:-1] + [{"type": "noop", "params": 1}]},
                          timeout=120)
        batch, ids = self.batch(server, many)

        self.assertEqual(bad.status, 422)
        self.assertEqual(len(set(ids)), 10000)
        shown = wait_until(
            lambda: (b := server.get(f"/v1/batches/{batch}").json)["finished_at"]
            and b, 180, "the batch's end")
        self.assertEqual(shown["counts"]["succeeded"], 10000)
        self.assertEqual(shown["total"], 10000)

    def test_a_failed_parent_fails_cancels_or_frees_its_children(self):
        server = self.start()

        _, ids = self.batch(server, [
            {"type": "noop", "params": {"fail_times": 9}, "max_attempts": 1},
            *({"type": "noop", "params": {}, "depends_on": ["#0"],
               "on_parent_failure": policy}
              for policy in ("fail", "cancel", "run"))])

        self.assertEqual(server.wait_for_state(ids[1], "failed")["error"]["code"],
                         "parent_failed")
        server.wait_for_state(ids[2], "cancelled")
        server.wait_for_state(ids[3], "succeeded")
        self.assertEqual(server.post("/v1/jobs", {
            "type": "noop", "params": {}, "depends_on": ["none"]}).status, 422)

    def test_a_batch_is_cancelled_as_one(self):
        server = self.start()
        batch, ids = self.batch(server, [
            {"type": "noop", "params": {"sleep_ms": 600000}}
            for _ in range(100)])

        self.assertEqual(server.post(f"/v1/batches/{batch}/cancel").status, 200)

        for job in ids:
            server.wait_for_state(job, "cancelled")

    def check_signature(self, headers, body):
        stamp = headers["Troupe-Timestamp"]
        self.assertLess(abs(time.time() - int(stamp)), 60)
        mac = hmac.new(SECRET.encode(), stamp.encode() + b"." + body,
                       hashlib.sha256).hexdigest()
        self.assertEqual(headers["Troupe-Signature"], "sha256=" + mac)

    def test_callbacks_are_signed_repeated_and_given_up(self):
        server = self.start(TROUPE_CALLBACKS_MAX_ATTEMPTS="2")
        patient = self.receiver(500)
        gone = self.receiver(410)

        first = server.submit("noop", {}, callback_url=patient.url)
        second = server.submit("noop", {"fail_times": 1}, max_attempts=1,
                               callback_url=gone.url)

        seen = wait_until(lambda: len(s := patient.about(first)) == 2 and s, 60,
                          "a second try")
        for headers, body in seen:
            self.check_signature(headers, body)
            self.assertEqual(json.loads(body)["type"], "job.succeeded")
        self.assertEqual(seen[0][0]["Troupe-Event-Id"],
                         seen[1][0]["Troupe-Event-Id"])
        dead = wait_until(
            lambda: server.get("/v1/callbacks").json["callbacks"], 60,
            "a dead one")
        self.assertEqual([d["subject"] for d in dead], [second])
        self.assertEqual(server.post(
            f"/v1/callbacks/{dead[0]['id']}/retry").status, 204)
        wait_until(lambda: len(gone.about(second)) == 2, 60, "it tried again")
        wait_until(lambda: not server.get("/v1/callbacks").json["callbacks"],
                   60, "it delivered")

    def test_a_schedule_fires_and_can_be_removed(self):
        server = self.start()
        body = {"cron": "* * * * *", "timezone": "Europe/Berlin",
                "job": {"type": "noop", "params": {}, "tags": ["tick"]}}

        made = server.request("PUT", "/v1/schedules/often", body)
        self.assertEqual(made.status, 200, made.body)
        self.assertTrue(made.json["next_at"])
        jobs = wait_until(
            lambda: server.get("/v1/jobs?tag=tick").json["jobs"], 120, "a job")

        server.wait_for_state(jobs[0]["id"], "succeeded")
        last = server.get("/v1/schedules/often").json["last_job"]
        self.assertEqual(server.job(last)["tags"], ["tick"])
        self.assertEqual(
            server.request("DELETE", "/v1/schedules/often").status, 204)
        self.assertEqual(server.get("/v1/schedules").json["schedules"], [])

    def test_a_running_download_is_paused_and_goes_on(self):
        media = self.folder / "media"
        media.mkdir()
        clip = make_clip(media / "slow.mp4", seconds=20)
        origin = self.origin(media, rate=clip.stat().st_size // 15)
        server = self.start()
        job = server.submit("download", {
            "url": origin.url("/files/slow.mp4"), "format": "original"})
        wait_until(lambda: server.job(job)["progress"]["done"] > 10000, 60,
                   "some bytes")

        self.assertEqual(server.post(f"/v1/jobs/{job}/pause").status, 200)
        paused = server.wait_for_state(job, "paused")
        self.assertEqual(server.post(f"/v1/jobs/{job}/pause").json["state"],
                         "paused")
        resumed = server.post(f"/v1/jobs/{job}/resume")
        ended = server.wait_for_state(job, ("succeeded", "failed"), 60)

        self.assertIsNone(paused["finished_at"])
        self.assertEqual(resumed.json["state"], "queued")
        self.assertEqual(ended["state"], "succeeded", ended)
        self.assertEqual(ended["attempt"], 1)
        self.assertEqual(ended["result"]["sha256"], sha256(clip))
        again = [r for r in origin.requests() if "slow.mp4" in r["path"]
                 and r["range"] not in ("", "bytes=0-", "bytes=0-0")]
        self.assertTrue(again, "it began anew")
        log = server.get(f"/v1/jobs/{job}/log").body.decode()
        at = 0
        for words in ("created", "attempt 1 started", "it is to pause",
                      "given back", "paused", "resumed", "attempt 1 started",
                      "succeeded"):
            at = log.find(words, at)
            self.assertGreaterEqual(at, 0, f"{words} in {log}")

    def test_a_paused_noop_goes_on_and_its_attempt_stays(self):
        server = self.start()
        job = server.submit("noop", {"sleep_ms": 8000, "steps": 80})

        def steps():
            return server.job(job)["progress"]["done"]

        wait_until(lambda: steps() >= 20, 60, "some steps")
        server.post(f"/v1/jobs/{job}/pause")
        paused = server.wait_for_state(job, "paused")
        server.post(f"/v1/jobs/{job}/resume")
        server.wait_for_state(job, "running")
        wait_until(lambda: steps() > 0, 60, "a step")
        again = steps()
        server.post(f"/v1/jobs/{job}/cancel")
        ended = server.wait_for_state(job, "cancelled")

        self.assertEqual((paused["attempt"], ended["attempt"]), (1, 1))
        self.assertGreaterEqual(again, 20, "it began anew")
        log = server.get(f"/v1/jobs/{job}/log").body.decode()
        self.assertEqual([line.split(" ", 2)[2].split(" on ")[0]
                          for line in log.splitlines()][1:],
                         ["attempt 1 started", "it is to pause",
                          "attempt 1 was stopped and given back", "paused",
                          "resumed", "attempt 1 started",
                          "it is to be cancelled", "cancelled"])

    def test_a_retried_job_that_succeeds_has_no_error(self):
        server = self.start()
        job = server.submit("noop", {"fail_times": 1}, backoff={
            "initial_s": 0.1})
        ended = server.wait_for_state(job, "succeeded")

        self.assertEqual((ended["attempt"], ended["error"]), (2, None))
        self.assertEqual([it["attempt"] for it in ended["errors"]], [1])

    def test_a_followed_log_ends_with_the_job(self):
        media = self.folder / "media"
        media.mkdir()
        make_clip(media / "clip.mp4", seconds=5)
        origin = self.origin(media)
        server = self.start()
        job = server.submit("download", {
            "url": origin.url("/files/clip.mp4"), "format": "original"})

        text = server.get(f"/v1/jobs/{job}/log?follow=true",
                          timeout=120).body.decode()

        self.assertEqual(server.job(job)["state"], "succeeded")
        self.assertIn("[download]", text)
        lines = text.splitlines()
        self.assertTrue(all(line[10] == "T" for line in lines), lines)
        self.assertTrue(lines[-1].endswith("info succeeded"), lines[-1])

    def test_a_queue_is_paused_and_limited(self):
        server = self.start()
        self.assertTrue(server.post("/v1/queues/bulk/pause").json["paused"])
        ids = [server.submit("noop", {"sleep_ms": 1000}) for _ in range(6)]
        # Another queue's job is claimed and ends meanwhile.
        other = server.submit("download", {"url": "http://127.0.0.1:9/a.mp4"},
                              max_attempts=1)
        server.wait_for_state(other, "failed")
        self.assertEqual({server.job(i)["state"] for i in ids}, {"queued"})

        limited = server.request("PATCH", "/v1/queues/bulk", {"concurrency": 2})
        self.assertEqual(limited.json["concurrency"], 2)
        server.post("/v1/queues/bulk/resume")
        seen = set()

        def all_ended():
            # One answer, since jobs go on between two.
            jobs = server.get("/v1/jobs?page_size=20").json["jobs"]
            states = [job["state"] for job in jobs if job["id"] in ids]
            seen.add(states.count("running"))
            return states == ["succeeded"] * len(ids)
        wait_until(all_ended, 60, "all six have ended")

        self.assertIn(max(seen), (1, 2))
        limit = server.request("PUT", "/v1/limits/k", {"concurrency": 1})
        self.assertEqual(limit.json["concurrency"], 1)
        self.assertEqual(server.get("/v1/limits/k").json["concurrency"], 1)

    def test_actions_change_many_jobs(self):
        server = self.start()
        server.post("/v1/queues/bulk/pause")
        for _ in range(30):
            server.submit("noop", {}, tags=["many"])
        ask = {"action": "cancel", "filter": {"tag": "many"}}

        counted = server.post("/v1/jobs/actions", {**ask, "dry_run": True}).json
        done = server.post("/v1/jobs/actions", ask).json

        self.assertEqual((counted["matched"], counted["changed"]), (30, 0))
        self.assertEqual(done["changed"], 30)
        listed = server.get("/v1/jobs?tag=many&state=cancelled").json["jobs"]
        self.assertEqual(len(listed), 30)


class FlowOnSqlite(Flow, TroupeTest):
    pass


class FlowOnRedis(Flow, TroupeTest):
    def setUp(self):
        super().setUp()
        self.redis_ = self.redis()

    def store(self):
        return ["--store", self.redis_.url]


if __name__ == "__main__":
    unittest.main()
