"""The machine as the server sees it, pools that grow and shrink, and queues
that refuse what they cannot do in time."""

import re
import subprocess
import threading
import time
import unittest

from harness import BIN, TroupeTest, make_clip, wait_until
from mixed_load import SHARES, MixedLoad, quantile


def figure(server, name):
    """A metric with its labels; 0 while there is none."""
    lines = server.get("/metrics").body.decode().splitlines()
    return next((float(line.split()[1]) for line in lines
                 if line.split()[0] == name), 0)


class Nodes(TroupeTest):
    def test_the_machine_is_shown_by_every_way(self):
        server = self.server(environment={"TROUPE_NODE_SAMPLE_S": "0.2"})
        socket = self.websocket(server)
        joined = socket.subscribe("nodes")[0]

        node = server.get("/v1/nodes").json["nodes"][0]
        self.assertEqual(joined["snapshot"]["nodes"][0]["id"], node["id"])
        self.assertEqual({disk["name"] for disk in node["disk"]},
                         {"data", "library"})
        self.assertGreater(node["memory"]["total"],
                           node["memory"]["available"])
        self.assertEqual([pool["name"] for pool in node["pools"]],
                         ["bulk", "download", "image", "video"])
        load = socket.events_until(lambda m: m["type"] == "node.load")[-1]
        self.assertEqual(load["data"]["id"], node["id"])

        system = server.get("/v1/system").json
        self.assertEqual(system["node"], node["id"])
        self.assertGreater(system["descriptors"]["used"], 3)
        self.assertGreater(
            figure(server, 'troupe_node_total{resource="cpu"}'), 0)
        said = subprocess.run(
            [str(BIN / "troupe"), "nodes", "--server", server.url],
            capture_output=True, text=True, timeout=60, check=True)
        self.assertRegex(said.stdout, r"head +ready +\d+ %.*bulk 0/64")

    def test_an_alert_is_raised_and_shown(self):
        # More than all of the disk has to be free.
        server = self.server(environment={
            "TROUPE_NODE_SAMPLE_S": "0.2",
            "TROUPE_ALERTS_DISK_LOW": "1.5 2 0.3"})
        wait_until(lambda: len(server.get("/v1/alerts").json["alerts"]) == 2,
                   30, "both disks are low")

        snapshot = self.websocket(server).subscribe("alerts")[0]["snapshot"]
        self.assertEqual([it["id"] for it in snapshot["alerts"]],
                         ["disk_low:data", "disk_low:library"])

    def test_nothing_is_claimed_while_the_disk_is_low(self):
        # All of it has to be free.
        server = self.server(environment={
            "TROUPE_NODE_SAMPLE_S": "0.2", "TROUPE_POOLS_MIN_DISK": "1"})
        wait_until(lambda: figure(server, 'troupe_pool_held{pool="bulk"}'), 30,
                   "the pool claims nothing")
        job = server.submit("noop", {})

        pools = server.get("/v1/nodes").json["nodes"][0]["pools"]
        self.assertEqual({(pool["held"], pool["reason"]) for pool in pools},
                         {(True, "low_disk")})
        looks = len(re.findall("claims nothing", server.log()))
        self.assertEqual(looks, 4, "once a pool")
        self.assertEqual(server.job(job)["state"], "queued")


class Scaling(TroupeTest):
    def test_slots_follow_a_step_of_load(self):
        server = self.server(environment={
            "TROUPE_NODE_SAMPLE_S": "0.2", "TROUPE_POOLS_BULK": "16",
            "TROUPE_POOLS_BULK_MIN": "2", "TROUPE_POOLS_GROW_AFTER_S": "0.2",
            "TROUPE_POOLS_SHRINK_AFTER_S": "1", "TROUPE_POOLS_MAX_CPU": "1"})
        slots = lambda: figure(server, 'troupe_pool_slots{pool="bulk"}')
        wait_until(lambda: slots() == 2, 30, "the floor")

        for _ in range(5):
            answer = server.post("/v1/jobs/batch", {"jobs": [
                {"type": "noop", "params": {"sleep_ms": 200}}] * 40})
            self.assertEqual(answer.status, 202)
        wait_until(lambda: slots() == 16, 60, "the ceiling")
        wait_until(lambda: slots() == 2, 120, "the floor again")

        self.assertIn("reason=queue_age", server.log())
        done = server.get("/v1/queues").json["queues"]
        self.assertEqual(next(q for q in done if q["name"] == "bulk")
                         ["depth"]["succeeded"], 200)


class Overload(TroupeTest):
    def test_age_is_bounded_by_refusal(self):
        """Three times of what two slots do: 2 jobs of 100 ms at once."""
        bound = 2
        server = self.server(environment={
            "TROUPE_POOLS_BULK": "2", "TROUPE_NODE_SAMPLE_S": "0.5",
            "TROUPE_POOLS_MAX_AGE_S": str(bound)})
        statuses, waits, ages = [], [], []
        end = time.monotonic() + 15

        def send():
            while time.monotonic() < end:
                answer = server.post("/v1/jobs", {
                    "type": "noop", "params": {"sleep_ms": 100}})
                statuses.append(answer.status)
                if answer.status == 429:
                    waits.append(int(answer.headers["Retry-After"]))
                    self.assertEqual(answer.json["code"], "rate_limited")
                time.sleep(1 / 15)

        threads = [threading.Thread(target=send) for _ in range(4)]
        for thread in threads:
            thread.start()
        while time.monotonic() < end:
            queue = next(q for q in server.get("/v1/queues").json["queues"]
                         if q["name"] == "bulk")
            ages.append(queue["oldest_age_s"])
            time.sleep(0.2)
        for thread in threads:
            thread.join()

        self.assertEqual(set(statuses), {202, 429})
        self.assertGreater(min(waits), 0)
        self.assertLess(max(ages), 3 * bound, ages)
        self.assertGreater(statuses.count(202), 100)
        refused = figure(server, 'troupe_submits_refused_total{queue="bulk"}')
        self.assertEqual(refused, statuses.count(429))

    def test_a_mixed_load_of_three_times_what_can_be_done(self):
        """Downloads, probes and noops at once, and somebody who waits for
        probes: they are told at once, the others are refused in time."""
        bound = 2
        media = self.folder / "media"
        media.mkdir()
        make_clip(media / "clip.mp4")
        origin = self.origin(media)
        server = self.server(
            "--media-root", str(media), "--allow-private-sources",
            environment={"TROUPE_POOLS_BULK": "4", "TROUPE_POOLS_BULK_MIN": "4",
                         "TROUPE_POOLS_VIDEO": "1",
                         "TROUPE_POOLS_DOWNLOAD": "1",
                         "TROUPE_NODE_SAMPLE_S": "0.5",
                         "TROUPE_POOLS_MAX_AGE_S": str(bound)})
        # Each has the one slot of batch work for a while.
        slow = origin.url("/files/clip.mp4?rate=400000&n={n}")
        load = MixedLoad(server, probe={"source": slow},
                         download={"url": origin.url("/files/clip.mp4?n={n}")},
                         source="local:///clip.mp4", offer=120).run(20)

        told = load.report()
        self.assertEqual(load.odd, [], told)
        for kind in SHARES:
            self.assertGreater(load.taken(kind), 0, told)
            self.assertGreater(load.refused(kind), 0, told)
        # A job that has begun is not refused: the long ones overshoot.
        self.assertLess(load.oldest("noop"), 6 * bound, told)
        self.assertGreater(min(load.waits), 0)
        self.assertEqual(set(load.interactive), {200}, told)
        # A promise of 200 ms on a machine of its own: see the benchmarks.
        self.assertLess(quantile(load.latencies, 0.9), 1, told)
        self.assertLess(load.growth(), 30, told)


if __name__ == "__main__":
    unittest.main(verbosity=2)
