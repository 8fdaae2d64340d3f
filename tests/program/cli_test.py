"""The command line: what it says, how it ends, what it leaves."""

import itertools
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
import unittest

from harness import BIN, TroupeTest, best_of, free_port, wait_until

TROUPE = str(BIN / "troupe")


def run(*arguments, environment=None, timeout=120):
    """The ended command; its exit code, stdout and stderr."""
    return subprocess.run([TROUPE, *arguments], capture_output=True, text=True,
                          timeout=timeout, check=False,
                          stdin=subprocess.DEVNULL,
                          env={**os.environ, **(environment or {})})


class Usage(TroupeTest):
    def test_version_is_told_at_once(self):
        def timed():
            start = time.perf_counter()
            done = run("version")
            took = time.perf_counter() - start
            self.assertRegex(done.stdout, r"^troupe \d+\.\d+\.\d+\n$")
            self.assertEqual(done.returncode, 0)
            return took
        self.assertLess(best_of(50, timed, 0.05), 0.05)
        flag = run("--version")
        self.assertEqual((flag.returncode, flag.stdout),
                         (0, run("version").stdout))

    def test_wrong_use_is_told_and_ends_with_2(self):
        for wrong in ([], ["nothing"], ["serve", "--port", "80"], ["submit"],
                      ["watch"], ["job"], ["config"], ["jobs", "--limit", "0"],
                      ["submit", "noop", "--priority", "high"],
                      ["jobs", "--server", "ftp://x"]):
            done = run(*wrong)
            self.assertEqual(done.returncode, 2, wrong)
            self.assertTrue(done.stderr, wrong)

    def test_help_ends_with_0(self):
        done = run("--help")
        self.assertEqual(done.returncode, 0)
        for command in ("serve", "submit", "watch", "jobs", "job", "cancel",
                        "retry", "queues", "doctor", "config", "version"):
            self.assertRegex(done.stdout, rf"(?m)^  {command}\b")

    def test_no_server_ends_with_3(self):
        url = f"http://127.0.0.1:{free_port()}"
        for command in (["jobs"], ["job", "x"], ["queues"], ["watch", "x"],
                        ["cancel", "x"], ["submit", "noop"]):
            done = run(*command, "--server", url)
            self.assertEqual(done.returncode, 3, command)
            self.assertIn("no server at", done.stderr)
        self.assertEqual(run("jobs", environment={"TROUPE_SERVER": url})
                         .returncode, 3)


class Configuration(TroupeTest):
    def setUp(self):
        super().setUp()
        self.file = self.folder / "troupe.toml"

    def check(self, text, **environment):
        self.file.write_text(text)
        return run("config", "check", "--config", str(self.file),
                   environment={"HOME": str(self.folder), **environment})

    def test_a_good_one_passes_and_can_be_shown(self):
        self.assertEqual(self.check('[log]\nformat = "json"\n').returncode, 0)
        done = run("config", "check", "--print", "--config", str(self.file),
                   environment={"HOME": str(self.folder)})
        self.assertIn('format = "json"', done.stdout)
        self.assertIn(f'dir = "{self.folder}/.local/share/troupe"', done.stdout)

    def test_all_that_is_wrong_is_told_at_once(self):
        done = self.check('[http]\nlisten = 1\nport = 2\n[nothing]\n',
                          TROUPE_STORE_LEASE_S="no")
        self.assertEqual(done.returncode, 2)
        for part in (f"{self.file}:2: http.listen: ", f"{self.file}:3: http.port",
                     f"{self.file}:4: nothing", "TROUPE_STORE_LEASE_S: "):
            self.assertIn(part, done.stderr)

    def test_a_missing_file_is_told(self):
        done = run("config", "check", "--config", str(self.folder / "none"))
        self.assertEqual(done.returncode, 2)
        self.assertIn("none", done.stderr)

    def test_serve_refuses_what_check_refuses(self):
        for flags in (["--listen", "0.0.0.0:0"], ["--store", "mysql://x"],
                      ["--media-root", str(self.folder)]):
            done = run("serve", "--data", str(self.folder / "data"), *flags)
            self.assertEqual(done.returncode, 2, flags)
            self.assertIn(flags[0].lstrip("-")[:5], done.stderr)
        self.assertFalse((self.folder / "data").exists())

    def test_a_media_root_that_is_not_there_is_warned_of(self):
        root = self.folder / "disk"
        flags = ["--data", str(self.folder / "data"),
                 "--media-root", str(root)]
        checked = run("config", "check", *flags)
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.assertIn(f"{root} is no folder at present", checked.stderr)
        self.assertRegex(run("doctor", *flags).stdout,
                         rf"(?m)^WARN +media roots .*{root} is no folder")

        server = self.server("--media-root", str(root))
        wait_until(lambda: f"{root} is no folder" in server.log(), 20,
                   "a warning")
        self.assertEqual(
            server.get("/v1/probe?source=local:///a.mp4").status, 404)
        root.mkdir()
        (root / "a.mp4").write_text("no film")
        self.assertEqual(
            server.get("/v1/probe?source=local:///a.mp4").status, 422)
        self.assertEqual(run("config", "check", *flags).stderr, "")

    def test_doctor_finds_a_good_machine_good(self):
        done = run("doctor", "--data", str(self.folder / "data"))
        self.assertEqual(done.returncode, 0, done.stdout)
        for part in ("config", "data", "library", "store", "yt-dlp", "ffmpeg",
                     "python", "troupe-codec", "landlock", "sandbox", "fonts",
                     "cgroup", "limits"):
            self.assertRegex(done.stdout, rf"(?m)^(OK|WARN) +{part} ")

    def test_doctor_lists_the_encoders_that_there_are(self):
        done = run("doctor", "--data", str(self.folder / "data"))
        known = subprocess.run(["ffmpeg", "-v", "error", "-encoders"],
                               capture_output=True, text=True,
                               check=True).stdout.split()
        for what, name in (("x264", "libx264"), ("x265", "libx265"),
                           ("SVT-AV1", "libsvtav1"), ("VP9", "libvpx-vp9")):
            mark = "OK" if name in known else "WARN"
            self.assertRegex(done.stdout, rf"(?m)^{mark} +{what} +{name}\b")
        told = re.search(r"(?m)^OK +hardware +(.*)", done.stdout)[1]
        for name in ("h264_vaapi", "hevc_v4l2m2m"):
            self.assertEqual(name in told, name in known, told)

    def test_doctor_fails_with_what_to_do(self):
        done = run("doctor", "--data", str(self.folder / "data"),
                   environment={"TROUPE_TOOLS_YT_DLP": "no-such-tool"})
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"(?m)^FAIL +yt-dlp +not found")
        self.assertRegex(
            done.stdout, r'→ downloads need "no-such-tool" \(tools\.yt_dlp\)'
                         r".* Install it: run pipx install yt-dlp")

    def test_doctor_tells_a_damaged_file_from_a_server_that_is_not_there(self):
        data = self.folder / "data"
        data.mkdir(mode=0o700)
        (data / "queue.db").write_bytes(b"no database" * 1000)
        damaged = run("doctor", "--data", str(data)).stdout
        self.assertRegex(damaged, r"(?m)^FAIL +store ")
        self.assertIn("put back a backup", damaged)
        self.assertNotIn("is the server there", damaged)

        gone = run("doctor", "--data", str(self.folder / "other"),
                   "--store", "redis://127.0.0.1:1/0").stdout
        self.assertIn("redis at 127.0.0.1:1: ", gone)
        self.assertIn("is the server there", gone)


class Serving(TroupeTest):
    def test_a_free_port_is_picked_and_told(self):
        data = self.folder / "data"
        process = subprocess.Popen(
            [TROUPE, "serve", "--listen", "127.0.0.1:0", "--data", str(data)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(process.kill)
        line = process.stdout.readline()
        url = (data / "address").read_text().strip()
        self.assertIn(url, line)
        self.assertEqual(data.stat().st_mode & 0o777, 0o700)
        for name in ("lock", "node-id", "queue.db", "queue.db-wal"):
            self.assertEqual((data / name).stat().st_mode & 0o777, 0o600, name)
        self.assertNotIn(":0", url)
        done = run("jobs", environment={"TROUPE_DATA_DIR": str(data)})
        self.assertEqual(done.returncode, 0, done.stderr)

        process.send_signal(signal.SIGTERM)

        self.assertEqual(process.wait(60), 0)
        process.stdout.close()
        self.assertFalse((data / "address").exists())

    def test_doctor_audits_the_store_of_a_server_and_mends_it_afterwards(self):
        data = self.folder / "data"
        process = subprocess.Popen(
            [TROUPE, "serve", "--listen", "127.0.0.1:0", "--data", str(data)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, "TROUPE_POOLS_DRAIN_S": "1"})
        self.addCleanup(process.kill)
        process.stdout.readline()
        there = {"TROUPE_DATA_DIR": str(data)}
        run("submit", "noop", "sleep_ms:=600000", environment=there)
        self.assertRegex(run("doctor", "--data", str(data)).stdout,
                         r"(?m)^OK +audit .*all invariants hold")
        done = run("doctor", "--json", "--data", str(data))
        told = json.loads(done.stdout)
        self.assertEqual((done.returncode, told["ok"]), (0, True), told)
        levels = {it["what"]: it["level"] for it in told["findings"]}
        self.assertEqual(levels["audit"], "ok")
        self.assertEqual(levels["repair"], "ok")

        with sqlite3.connect(data / "queue.db", timeout=60) as store:
            store.execute("UPDATE depth SET jobs = jobs + 1")
        store.close()
        done = run("doctor", "--repair", "--data", str(data))
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"(?m)^FAIL +audit +counter of bulk")
        self.assertRegex(done.stdout, r"(?m)^WARN +repair +nothing is mended: "
                                      r".*\n.*stop the server, then run")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(60), 0)
        process.stdout.close()

        done = run("doctor", "--repair", "--data", str(data))
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout, r"(?m)^WARN +audit .*mended")
        self.assertRegex(run("doctor", "--data", str(data)).stdout,
                         r"(?m)^OK +audit .*all invariants hold")
        self.assert_nothing_left()

        with sqlite3.connect(data / "queue.db", timeout=60) as store:
            store.execute("UPDATE depth SET jobs = jobs + 1")
            store.execute("INSERT INTO record VALUES(33, 'junk', 0, 0, x'00')")
        store.close()
        done = run("doctor", "--repair", "--data", str(data))
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertEqual(done.stdout.count("record of junk"), 1, done.stdout)
        counted = re.search(r"(\d+) findings, (\d+) mended", done.stdout)
        self.assertEqual(int(counted[1]), int(counted[2]) + 1, done.stdout)

    def test_it_starts_with_a_whole_sandbox_only_if_that_is_required(self):
        needed = {"TROUPE_SANDBOX_REQUIRED": "true"}
        server = self.server(environment=needed)
        self.assertEqual(server.get("/readyz").status, 200)
        parts = server.get("/readyz").json["parts"]
        self.assertIn("zygote", parts)
        self.assertIn("children", parts["crew"]["detail"])

        alone = self.folder / "alone"
        alone.mkdir()
        program = shutil.copy(TROUPE, alone / "troupe")
        done = subprocess.run(
            [program, "serve", "--listen", "127.0.0.1:0", "--data",
             str(alone / "data")], capture_output=True, text=True,
            timeout=60, check=False, env={**os.environ, **needed})

        self.assertEqual(done.returncode, 1)
        self.assertIn("sandbox", done.stderr)

    def test_it_is_ready_soon(self):
        numbers = itertools.count()

        def timed():
            address = self.folder / f"data{next(numbers)}" / "address"
            start = time.perf_counter()
            process = subprocess.Popen(
                [TROUPE, "serve", "--listen", "127.0.0.1:0", "--data",
                 str(address.parent)],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.addCleanup(process.kill)
            wait_until(address.exists, 60, "ready")
            took = time.perf_counter() - start
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(60), 0)
            return took
        self.assertLess(best_of(20, timed, 0.3), 0.3)

    def test_one_whose_port_is_taken_claims_no_job(self):
        first = self.server()
        job_id = first.submit("noop", {"sleep_ms": 3000, "steps": 3})
        first.wait_for_state(job_id, "running")
        first.kill()
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            taken = f"127.0.0.1:{other.getsockname()[1]}"
            for _ in range(12):
                done = run("serve", "--data", str(first.folder / "data"),
                           "--listen", taken)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn(taken, done.stderr)

        first.start()
        first.wait_for_state(job_id, "succeeded")
        self.assertLess(len(first.job(job_id)["errors"]), 2,
                        "only the kill may have cost a loss")

    def test_a_second_signal_ends_it_at_once(self):
        server = self.server(environment={"TROUPE_POOLS_DRAIN_S": "300"})
        job_id = server.submit("noop", {"sleep_ms": 600000})
        server.wait_for_state(job_id, "running")

        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: server.get("/readyz").status == 503, 60, "draining")
        server.process.send_signal(signal.SIGTERM)

        self.assertEqual(server.process.wait(60), 1)
        server.start()
        self.assertIn(server.job(job_id)["state"], ("queued", "running"))


class Jobs(TroupeTest):
    def setUp(self):
        super().setUp()
        self.server_ = self.server()

    def troupe(self, *arguments, **options):
        return run(*arguments, "--server", self.server_.url, **options)

    def test_submit_watches_to_the_end(self):
        done = self.troupe("submit", "noop", "sleep_ms=50", "steps=2",
                           "payload:={\"a\":[1]}", "--watch", "--tag", "x")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("succeeded", done.stdout.splitlines()[-1])
        job = json.loads(self.troupe("jobs", "--json").stdout)["jobs"][0]
        self.assertEqual(job["params"], {"sleep_ms": 50, "steps": 2,
                                         "payload": {"a": [1]}})
        self.assertEqual(job["tags"], ["x"])

    def test_a_job_that_fails_ends_with_1(self):
        self.server_.post("/v1/jobs", {"type": "noop", "max_attempts": 1,
                                       "params": {"fail_times": 1}})
        job_id = json.loads(self.troupe("jobs", "--json").stdout)[
            "jobs"][0]["id"]
        done = self.troupe("watch", job_id)
        self.assertEqual(done.returncode, 1)
        self.assertIn("failed", done.stdout)

    def test_what_the_server_refuses_ends_with_2(self):
        for command in (["submit", "nothing"], ["submit", "noop", "x=1"],
                        ["submit", "noop", "sleep_ms"], ["job", "none"],
                        ["submit", "noop", "--at", "soon"], ["watch", "none"],
                        ["cancel", "none"]):
            done = self.troupe(*command)
            self.assertEqual(done.returncode, 2, (command, done.stderr))
            self.assertTrue(done.stderr)
        self.assertIn("/params/x", self.troupe("submit", "noop", "x=1").stderr)

    def test_jobs_are_listed_shown_cancelled_and_retried(self):
        submitted = self.troupe("submit", "noop", "sleep_ms=600000")
        job_id = submitted.stdout.split()[0]
        rows = self.troupe("jobs", "--type", "noop").stdout.splitlines()
        self.assertEqual(rows[0].split()[:3], ["ID", "STATE", "TYPE"])
        self.assertEqual(rows[1].split()[0], job_id)
        self.assertRegex(self.troupe("job", job_id).stdout,
                         rf"(?m)^id +{job_id}$")
        self.assertEqual(self.troupe("cancel", job_id).returncode, 0)
        self.server_.wait_for_state(job_id, "cancelled")
        self.assertEqual(self.troupe("watch", job_id).returncode, 1)
        self.assertEqual(self.troupe("retry", job_id).returncode, 0)
        self.assertEqual(self.troupe("retry", job_id).returncode, 2)
        self.assertRegex(self.troupe("queues").stdout, r"(?m)^bulk +[01] ")
        queues = json.loads(self.troupe("queues", "--json").stdout)["queues"]
        depth = next(q["depth"] for q in queues if q["name"] == "bulk")
        self.assertEqual(depth["queued"] + depth["running"], 1)

    def test_more_than_a_page_is_listed(self):
        for _ in range(5):
            self.server_.submit("noop", {})
        listed = json.loads(self.troupe("jobs", "--json", "--limit", "3")
                            .stdout)
        self.assertEqual(len(listed["jobs"]), 3)
        self.assertTrue(listed["next_page_token"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
