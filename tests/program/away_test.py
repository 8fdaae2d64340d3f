"""A Redis that stands still or is cut off: what is acknowledged meanwhile, what
goes on, and that each job ends once."""

import concurrent.futures
import datetime
import subprocess
import time
import unittest

from harness import BIN, Server, TroupeTest, best_of, wait_until

LEASE_S = 2
#: What is promised of a store that is away.
NOTICED_S = 1.0
CANCELLED_S = 1.5


class AwayTest(TroupeTest):
    def setUp(self):
        super().setUp()
        self.redis_ = self.redis()

    def join(self, name, path="/readyz", **environment):
        """A server of that name on the Redis."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        made = Server(folder, "--store", self.redis_.url,
                      environment={"TROUPE_STORE_LEASE_S": str(LEASE_S),
                                   **environment})
        self.addCleanup(made.close)
        return made.start(path=path)

    def timed_submit(self, server, **more):
        start = time.monotonic()
        answer = server.post("/v1/jobs", {"type": "noop", "params": {}, **more})
        return answer, time.monotonic() - start

    def published(self, server):
        return sorted(p.name for p in (server.library / "noop").glob("*.bin"))

    def assert_done_at_once(self, server, job_id):
        job = server.wait_for_state(job_id, ("succeeded", "failed"))
        self.assertEqual((job["state"], job["attempt"], job["errors"]),
                         ("succeeded", 1, []), job)


class Frozen(AwayTest):
    def test_submits_wait_and_running_jobs_do_not_publish(self):
        server = self.join("a")
        running = server.submit("noop", {"sleep_ms": 8000, "steps": 8,
                                         "output_bytes": 1000})
        server.wait_for_state(running, "running")
        self.redis_.freeze()
        answers = [self.timed_submit(server, unique_key=f"k{i}")[0]
                   for i in range(5)]
        self.assertEqual({(a.status, a.json["durability"]) for a in answers},
                         {(202, "local")})
        ids = [answer.json["id"] for answer in answers]
        shown = server.job(ids[0])
        self.assertEqual((shown["state"], shown["durability"]),
                         ("queued", "local"))
        again, _ = self.timed_submit(server, unique_key="k0")
        self.assertEqual((again.status, again.json["id"]), (200, ids[0]))
        wait_until(lambda: server.metric("troupe_spool_operations") == 6, 60,
                   "the work is over, its outcome waits")
        self.assertEqual(self.published(server), [])

        self.redis_.thaw()

        self.assert_done_at_once(server, running)
        self.assertEqual(self.published(server), [f"{running}.bin"])
        for job_id in ids:
            self.assert_done_at_once(server, job_id)
        wait_until(lambda: server.metric("troupe_spool_operations") == 0, 20,
                   "nothing is left in the spool")

    def test_it_is_noticed_within_a_second_and_told(self):
        server = self.join("a")

        def frozen_submit():
            self.redis_.thaw()
            wait_until(server.ready, 30, "the store is back")
            self.redis_.freeze()
            answer, took = self.timed_submit(server)
            self.assertEqual((answer.status, answer.json["durability"]),
                             (202, "local"))
            return took
        self.assertLess(best_of(3, frozen_submit, NOTICED_S), NOTICED_S)

        def strict_submit():
            answer, took = self.timed_submit(server, durability="disk",
                                             durability_strict=True)
            self.assertEqual((answer.status, answer.json["code"]),
                             (503, "durability_unavailable"))
            return took
        self.assertLess(best_of(3, strict_submit, NOTICED_S), NOTICED_S)

        def told():
            answer = server.get("/readyz")
            return answer.status == 503 \
                and answer.json["parts"]["store"]["state"] == "failed" \
                and answer.json["parts"]["spool"]["state"] == "ready"
        wait_until(told, 10, "the store is told as away")

    def test_no_more_wait_for_it_than_may(self):
        server = self.join("a", TROUPE_EDGE_MAX_IN_FLIGHT="4")
        self.redis_.freeze()
        with concurrent.futures.ThreadPoolExecutor(16) as clients:
            told = list(clients.map(lambda _: self.timed_submit(server),
                                    range(16)))
        refused = [(answer, took) for answer, took in told
                   if answer.status != 202]
        kept = [answer.json["id"] for answer, _ in told
                if answer.status == 202]
        self.assertGreaterEqual(len(kept), 4)
        self.assertTrue(refused)
        for answer, _ in refused:
            self.assertEqual((answer.status, answer.json["code"]),
                             (503, "queue_full"))
            self.assertIn("Retry-After", answer.headers)
        # At once, while others wait until it is noticed.
        self.assertLess(min(took for _, took in refused), NOTICED_S / 4)

        self.redis_.thaw()
        for job_id in kept:
            self.assert_done_at_once(server, job_id)

    def test_a_server_that_is_killed_meanwhile_goes_on_with_its_spool(self):
        server = self.join("a")
        before = server.submit("noop", {})
        server.wait_for_state(before, "succeeded")
        self.redis_.freeze()
        waits = [self.timed_submit(server)[0].json["id"] for _ in range(20)]

        server.kill()
        server.start(path="/healthz")
        self.assertEqual(server.job(waits[0])["durability"], "local")
        more = self.timed_submit(server)[0].json["id"]
        self.redis_.thaw()

        for job_id in [*waits, more]:
            self.assert_done_at_once(server, job_id)

    def test_a_watch_asks_again_for_what_the_store_cannot_show_yet(self):
        server = self.join("a")
        job_id = server.submit("noop", {}, delay_s=5)
        watch = subprocess.Popen(
            [BIN / "troupe", "watch", job_id, "--server", server.url],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(watch.kill)
        self.assertIn(job_id, watch.stdout.readline())
        self.redis_.freeze()

        server.kill()
        server.start(path="/healthz")
        for line in watch.stderr:
            if "no store at present" in line:
                break
        self.assertIsNone(watch.poll())
        self.redis_.thaw()

        out, err = watch.communicate(timeout=120)
        self.assertEqual(watch.returncode, 0, err)
        self.assertIn("succeeded", out)

    def test_a_key_that_was_taken_meanwhile_ends_the_later_job(self):
        first, second = self.join("a"), self.join("b")
        other = first.submit("noop", {"sleep_ms": 600000}, unique_key="k")
        first.wait_for_state(other, "running")
        self.redis_.freeze()
        late = self.timed_submit(second, unique_key="k")[0].json["id"]
        self.assertNotEqual(late, other)

        self.redis_.thaw()

        job = second.wait_for_state(late, ("cancelled", "succeeded"))
        self.assertEqual((job["state"], job["error"]["code"]),
                         ("cancelled", "duplicate"), job)
        self.assertEqual(first.job(other)["state"], "running")


class Outage(AwayTest):
    def running(self, server, ids):
        return all(server.job(i)["state"] == "running" for i in ids)

    def test_two_servers_and_their_jobs_live_through_three_leases(self):
        servers = [self.join("a"), self.join("b")]
        ids = [servers[i % 2].submit(
            "noop", {"sleep_ms": 10000 + 300 * i, "steps": 10,
                     "output_bytes": 100}) for i in range(20)]
        wait_until(lambda: self.running(servers[0], ids), 30, "all run")

        self.redis_.freeze()
        time.sleep(3 * LEASE_S)  # the fault itself
        self.redis_.thaw()

        for job_id in ids:
            self.assert_done_at_once(servers[0], job_id)
        files = self.published(servers[0]) + self.published(servers[1])
        self.assertEqual(sorted(files), sorted(f"{i}.bin" for i in ids))

    def test_a_job_is_cancelled_from_another_server(self):
        one, other = self.join("a"), self.join("b")

        def slowest_of_eight():
            ids = [one.submit("noop", {"sleep_ms": 600000}) for _ in range(8)]
            wait_until(lambda: self.running(one, ids), 30, "all run")
            asked = {}
            for job_id in ids:
                asked[job_id] = time.time()
                answer = other.post(f"/v1/jobs/{job_id}/cancel")
                self.assertEqual(answer.status, 200)
            return max(ended_at(one.wait_for_state(job_id, "cancelled"))
                       - asked[job_id] for job_id in ids)
        self.assertLess(best_of(3, slowest_of_eight, CANCELLED_S), CANCELLED_S)


def ended_at(job):
    """When the server says that it ended, as time.time() tells it."""
    return datetime.datetime.fromisoformat(
        job["finished_at"].replace("Z", "+00:00")).timestamp()


if __name__ == "__main__":
    unittest.main()
