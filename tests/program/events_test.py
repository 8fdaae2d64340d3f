"""Reconnecting clients: exactly what they missed, by offset, in order."""

import unittest

from harness import TroupeTest


class Reconnect(TroupeTest):
    def finish_noops(self, server, count):
        for _ in range(count):
            job_id = server.submit("noop", {})
            server.wait_for_state(job_id, "succeeded")

    def test_fifty_missed_events_come_exactly_in_order(self):
        server = self.server()
        first = self.websocket(server)
        start = first.subscribe("jobs")[0]
        witness = self.websocket(server)
        witness.subscribe("jobs")
        first.close()

        self.finish_noops(server, 20)
        seen = witness.events_until(
            lambda m: m["offset"] >= start["offset"] + 50)
        again = self.websocket(server)
        answer = again.subscribe({"topic": "jobs", "epoch": start["epoch"],
                                  "offset": start["offset"]})[0]
        missed = again.events_until(lambda m: m["offset"] == seen[-1]["offset"])

        self.assertTrue(answer["recovered"])
        self.assertEqual(missed, seen)
        self.assertEqual([m["offset"] for m in missed],
                         list(range(start["offset"] + 1,
                                    seen[-1]["offset"] + 1)))

    def test_a_stream_of_a_job_that_is_none_is_not_found(self):
        server = self.server()

        answer = server.get("/v1/events?topics=jobs,job:nope")

        self.assertEqual((answer.status, answer.json["code"]),
                         (404, "not_found"))

    def test_after_a_restart_the_snapshot_is_the_truth(self):
        server = self.server()
        job_id = server.submit("noop", {"sleep_ms": 100, "steps": 4})
        server.wait_for_state(job_id, "succeeded")
        old = self.websocket(server)
        start = old.subscribe(f"job:{job_id}")[0]
        server.kill()
        server.start()

        again = self.websocket(server)
        answer = again.subscribe({"topic": f"job:{job_id}",
                                  "epoch": start["epoch"],
                                  "offset": start["offset"]})[0]

        self.assertFalse(answer["recovered"])
        self.assertNotEqual(answer["epoch"], start["epoch"])
        self.assertEqual(answer["snapshot"]["state"], "succeeded")
        self.assertEqual(answer["snapshot"]["id"], job_id)

    def test_a_stopping_server_says_so(self):
        server = self.server()
        socket = self.websocket(server)
        socket.subscribe("jobs")

        self.assertEqual(server.stop(), 0)

        while socket.receive() is not None:
            pass
        self.assertEqual(socket.close_code, 1001)


if __name__ == "__main__":
    unittest.main(verbosity=2)
