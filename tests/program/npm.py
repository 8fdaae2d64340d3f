"""What tests need of npm, as their lock files name it."""

import fcntl
import shutil
import subprocess
import unittest

from harness import BIN


def installed(source, name):
    """The folder with the packages of `source`, installed once for each
    build beneath it; skips the test where there is no npm."""
    if not shutil.which("npm"):
        raise unittest.SkipTest(f"npm is not installed: no {name}")
    folder = BIN / name
    folder.mkdir(exist_ok=True)
    lock = (source / "package-lock.json").read_bytes()
    with open(folder / "busy", "w") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)
        done = folder / "installed"
        if not done.exists() or done.read_bytes() != lock:
            for each in ("package.json", "package-lock.json"):
                shutil.copy(source / each, folder)
            subprocess.run(
                ["npm", "ci", "--silent", "--ignore-scripts", "--no-audit",
                 "--no-fund"], cwd=folder, check=True)
            done.write_bytes(lock)
    return folder
