"""The README's examples, as they are written there; only the port differs."""

import os
import re
import subprocess
import unittest

from harness import TESTS, TroupeTest

README = (TESTS.parent / "README.md").read_text()
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUNNER = {"sh": ["bash", "-euo", "pipefail", "-c"],
          "python": ["/usr/bin/python3", "-c"]}


class Readme(TroupeTest):
    def test_its_examples_do_what_it_says(self):
        # Nothing is fetched: no slot for downloads.
        server = self.server(environment={"TROUPE_POOLS_DOWNLOAD": "0"})
        blocks = BLOCK.findall(README)
        self.assertGreater(len(blocks), 5)

        said = {}
        for language, text in blocks:
            text = text.replace("127.0.0.1:8080", f"127.0.0.1:{server.port}")
            done = subprocess.run(
                [*RUNNER[language], text], capture_output=True, text=True,
                cwd=self.folder, timeout=60, check=False, env=os.environ)
            self.assertEqual(done.returncode, 0,
                             f"{text}\n{done.stdout}\n{done.stderr}")
            self.assertTrue(done.stdout, text)
            said[text] = done.stdout

        of = lambda part: next(v for k, v in said.items() if part in k)
        self.assertIn('"state":"queued"', of("Idempotency-Key"))
        self.assertIn('"state":"cancelled"', of("/cancel"))
        self.assertIn("event job.succeeded", of("websockets"))

    def test_its_folders_exist(self):
        for name in re.findall(r"^\| `([a-z/]+)/`", README, re.MULTILINE):
            self.assertTrue((TESTS.parent / name).is_dir(), name)


if __name__ == "__main__":
    unittest.main(verbosity=2)
