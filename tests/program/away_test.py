"""A Redis that stands still or is cut off: what is acknowledged meanwhile, what
goes on, and that each job ends once."""

import time
import unittest

from harness import Redis, Server, TroupeTest, free_port, wait_until

LEASE_S = 2


class AwayTest(TroupeTest):
    def setUp(self):
        super().setUp()
        self.redis = Redis(self.folder, free_port())
        self.addCleanup(self.redis.kill)
        self.redis.start()

    def join(self, name, path="/readyz"):
        """A server of that name on the Redis."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        made = Server(folder, "--store",
                      f"redis://127.0.0.1:{self.redis.port}/0",
                      environment={"TROUPE_STORE_LEASE_S": str(LEASE_S)})
        self.addCleanup(made.close)
        return made.start(path=path)

    def timed_submit(self, server, **more):
        start = time.monotonic()
        answer = server.post("/v1/jobs", {"type": "noop", "params": {}, **more})
        return answer, time.monotonic() - start

    def published(self, server):
        return sorted(p.name for p in (server.library / "noop").glob("*.bin"))


class Frozen(AwayTest):
    def test_submits_wait_and_running_jobs_do_not_publish(self):
        server = self.join("a")
        running = server.submit("noop", {"sleep_ms": 1500, "steps": 3,
                                         "output_bytes": 1000})
        server.wait_for_state(running, "running")
        self.redis.freeze()
        answers = [self.timed_submit(server, unique_key=f"k{i}")
                   for i in range(5)]
        for answer, took in answers:
            self.assertEqual((answer.status, answer.json["durability"]),
                             (202, "local"))
            self.assertLess(took, 1.0)
        ids = [answer.json["id"] for answer, _ in answers]
        shown = server.job(ids[0])
        self.assertEqual((shown["state"], shown["durability"]),
                         ("queued", "local"))
        again, _ = self.timed_submit(server, unique_key="k0")
        self.assertEqual((again.status, again.json["id"]), (200, ids[0]))
        strict, took = self.timed_submit(server, durability="disk",
                                         durability_strict=True)
        self.assertEqual((strict.status, strict.json["code"]),
                         (503, "durability_unavailable"))
        self.assertLess(took, 1.0)
        parts = server.get("/readyz")
        self.assertEqual(parts.status, 503)
        self.assertEqual(parts.json["parts"]["store"]["state"], "failed")
        self.assertEqual(parts.json["parts"]["spool"]["state"], "ready")
        time.sleep(2)  # the work is over meanwhile
        self.assertEqual(self.published(server), [])

        self.redis.thaw()

        job = server.wait_for_state(running, ("succeeded", "failed"), 20)
        self.assertEqual((job["state"], job["attempt"]), ("succeeded", 1), job)
        self.assertEqual(self.published(server), [f"{running}.bin"])
        for job_id in ids:
            job = server.wait_for_state(job_id, ("succeeded", "failed"), 20)
            self.assertEqual((job["state"], job["attempt"]), ("succeeded", 1))
        metrics = server.get("/metrics").body.decode()
        self.assertIn("troupe_spool_operations 0", metrics)

    def test_a_server_that_is_killed_meanwhile_goes_on_with_its_spool(self):
        server = self.join("a")
        before = server.submit("noop", {})
        server.wait_for_state(before, "succeeded")
        self.redis.freeze()
        waits = [self.timed_submit(server)[0].json["id"] for _ in range(20)]

        server.kill()
        server.start(path="/healthz")
        self.assertEqual(server.job(waits[0])["durability"], "local")
        more = self.timed_submit(server)[0].json["id"]
        self.redis.thaw()

        for job_id in [*waits, more]:
            job = server.wait_for_state(job_id, ("succeeded", "failed"), 20)
            self.assertEqual((job["state"], job["attempt"]), ("succeeded", 1))

    def test_a_key_that_was_taken_meanwhile_ends_the_later_job(self):
        first, second = self.join("a"), self.join("b")
        other = first.submit("noop", {"sleep_ms": 20000}, unique_key="k")
        first.wait_for_state(other, "running")
        self.redis.freeze()
        late = self.timed_submit(second, unique_key="k")[0].json["id"]
        self.assertNotEqual(late, other)

        self.redis.thaw()

        job = second.wait_for_state(late, ("cancelled", "succeeded"), 20)
        self.assertEqual((job["state"], job["error"]["code"]),
                         ("cancelled", "duplicate"), job)
        self.assertEqual(first.job(other)["state"], "running")


class Outage(AwayTest):
    def test_two_servers_and_their_jobs_live_through_three_leases(self):
        servers = [self.join("a"), self.join("b")]
        ids = [servers[i % 2].submit(
            "noop", {"sleep_ms": 1000 + 300 * i, "steps": 4,
                     "output_bytes": 100}) for i in range(20)]
        wait_until(lambda: all(servers[0].job(i)["state"] == "running"
                               for i in ids[10:]), 10, "all run")

        self.redis.freeze()
        time.sleep(3 * LEASE_S)
        self.redis.thaw()

        for job_id in ids:
            job = servers[0].wait_for_state(job_id, ("succeeded", "failed"), 30)
            self.assertEqual((job["state"], job["attempt"], job["errors"]),
                             ("succeeded", 1, []), job)
        files = self.published(servers[0]) + self.published(servers[1])
        self.assertEqual(sorted(files), sorted(f"{i}.bin" for i in ids))

    def test_a_job_is_cancelled_from_another_server(self):
        one, other = self.join("a"), self.join("b")
        ids = [one.submit("noop", {"sleep_ms": 60000}) for _ in range(8)]
        for job_id in ids:
            one.wait_for_state(job_id, "running")
        start = time.monotonic()

        for job_id in ids:
            answer = other.post(f"/v1/jobs/{job_id}/cancel")
            self.assertEqual(answer.status, 200)

        for job_id in ids:
            one.wait_for_state(job_id, "cancelled", 5)
        self.assertLess(time.monotonic() - start, 1.5)

if __name__ == "__main__":
    unittest.main()
