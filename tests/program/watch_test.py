"""`troupe watch`: bars on a terminal, lines elsewhere."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
import unittest

from harness import BIN, TroupeTest

TROUPE = str(BIN / "troupe")


class Watching(TroupeTest):
    def watch(self, server, *ids, rows=24, columns=100):
        """`troupe watch` on a terminal; its process and the other end."""
        own, its = pty.openpty()
        fcntl.ioctl(its, termios.TIOCSWINSZ,
                    struct.pack("HHHH", rows, columns, 0, 0))
        process = subprocess.Popen(
            [TROUPE, "watch", *ids, "--server", server.url], stdin=its,
            stdout=its, stderr=subprocess.PIPE)
        os.close(its)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)
        self.addCleanup(os.close, own)
        return process, own

    def read_until(self, terminal, words, seconds=60):
        """What is said up to `words`, and what came with them."""
        seen, limit = "", time.monotonic() + seconds
        while words not in seen:
            ready, _, _ = select.select([terminal], [], [], 1)
            seen += os.read(terminal, 65536).decode() if ready else ""
            self.assertLess(time.monotonic(), limit, f"{words!r}: {seen!r}")
        return seen

    def read_to_end(self, terminal):
        seen = b""
        try:
            while block := os.read(terminal, 65536):
                seen += block
        except OSError:
            pass  # Linux says EIO once the other end is closed
        return seen.decode()

    def test_bars_of_several_jobs_move_on_a_terminal(self):
        server = self.server()
        server.post("/v1/queues/bulk/pause")
        ids = [server.submit("noop", {"sleep_ms": 2000, "steps": 40})
               for _ in range(2)]

        process, terminal = self.watch(server, *ids)
        seen = self.read_until(terminal, "\x1b[1A")
        server.post("/v1/queues/bulk/resume")
        seen += self.read_to_end(terminal)

        self.assertEqual(process.wait(60), 0)
        self.assertIn("\x1b[1A", seen, "two lines are redrawn")
        shown = [float(p) for p in re.findall(r"(\d+\.\d)%", seen)]
        self.assertGreater(len(set(shown)), 4, "they move")
        for job_id in ids:
            self.assertRegex(seen, rf"{job_id}  noop  succeeded")

    def test_a_terminal_that_does_not_know_its_size_shows_all_bars(self):
        server = self.server()
        server.post("/v1/queues/bulk/pause")
        ids = [server.submit("noop", {"steps": 2}) for _ in range(4)]

        process, terminal = self.watch(server, *ids, rows=0, columns=0)
        seen = self.read_until(terminal, "\x1b[3A")
        server.post("/v1/queues/bulk/resume")
        seen += self.read_to_end(terminal)

        self.assertEqual(process.wait(60), 0)
        self.assertNotIn(" more", seen)

    def test_ctrl_c_leaves_the_job_running(self):
        server = self.server()
        job_id = server.submit("noop", {"sleep_ms": 600000, "steps": 6000})
        process, terminal = self.watch(server, job_id)
        self.read_until(terminal, "%")

        process.send_signal(signal.SIGINT)

        self.assertEqual(process.wait(60), 130)
        self.assertIn(f"troupe watch {job_id}", process.stderr.read().decode())
        self.assertEqual(server.job(job_id)["state"], "running")

    def test_it_survives_a_restart_of_the_server(self):
        server = self.server()
        server.post("/v1/queues/bulk/pause")
        job_id = server.submit("noop", {"sleep_ms": 2000, "steps": 40})
        process = subprocess.Popen(
            [TROUPE, "watch", job_id, "--server", server.url],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        self.assertIn(job_id, process.stdout.readline())

        server.kill()
        server.start()
        server.post("/v1/queues/bulk/resume")

        out, err = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0, err)
        self.assertIn("succeeded", out)
        self.assertIn("trying again", err)


if __name__ == "__main__":
    unittest.main(verbosity=2)
