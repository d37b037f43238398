# hubmerge: merge language models and publish them
# SPDX-License-Identifier: Apache-2.0

"""A local hub and the program under test, for the checks of this folder."""

import contextlib
import os
import subprocess
import tempfile
from pathlib import Path


class Check:
    """Prints one line for each claim; the process fails if one of them does."""

    def __init__(self):
        self.passed = self.failed = 0

    def __call__(self, claim, holds, detail=""):
        if holds:
            self.passed += 1
        else:
            self.failed += 1
        note = f"  ({detail})" if detail else ""
        print(f"{'PASS' if holds else 'FAIL'}  {claim}{note}", flush=True)

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed")
        raise SystemExit(1 if self.failed else 0)


class Bench:
    """A temporary folder with a running hub, and ways to run programs against it."""

    def __init__(self, programs, folder):
        self.programs = Path(programs).resolve()
        self.folder = folder
        self.endpoint = None

    def environment(self, home, **more):
        """Surroundings that know this hub only; `home` names the cache."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING"))}
        return kept | {
            "HF_ENDPOINT": self.endpoint or "",
            "HF_HOME": str(self.folder / home),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "TQDM_DISABLE": "1",
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        } | more

    def run(self, program, *arguments, home="home", **environment):
        """Runs one of our programs; its standard output."""
        command = [self.programs / program, *map(str, arguments)]
        done = subprocess.run(
            command, env=self.environment(home, **environment), stdout=subprocess.PIPE, text=True)
        if done.returncode:
            raise SystemExit(f"FAIL  {program} {' '.join(map(str, arguments))}"
                             f" ended with status {done.returncode}")
        return done.stdout

    def use(self, home):
        """Makes this process a client of the hub. To be called before huggingface_hub is imported."""
        os.environ.update(self.environment(home))

    def recipe(self, name, text):
        path = self.folder / f"{name}.yml"
        path.write_text(text)
        return path

    def endpoint_of(self, server):
        line = server.stdout.readline().strip()
        if not line.startswith("http://127.0.0.1:"):
            raise SystemExit(f"FAIL  hubmerge serve said {line!r} in place of its address")
        return line


@contextlib.contextmanager
def local_hub(programs, repositories):
    """A hub in a temporary folder.

    `repositories` is called with the bench first; it makes the folders that the hub is to begin with
    and returns them by repository.
    """
    with tempfile.TemporaryDirectory(prefix="hubmerge-interop-") as folder:
        bench = Bench(programs, Path(folder))
        imports = [
            word
            for repository, source in repositories(bench).items()
            for word in ("--import", f"{repository}={source}")
        ]
        command = [bench.programs / "hubmerge", "serve", "--quiet", "--port", "0",
                   "--root", bench.folder / "hub", *imports]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            bench.endpoint = bench.endpoint_of(server)
            yield bench
        finally:
            server.terminate()
            server.wait(timeout=30)
