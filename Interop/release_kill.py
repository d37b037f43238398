# hubmerge: merge language models and publish them
# SPDX-License-Identifier: Apache-2.0

"""Kills `hubmerge release` thirty times at random moments; what it has sent is not sent again.

usage: release_kill.py FOLDER-OF-THE-PROGRAMS [--kills 30]

Shards are sent while others are merged and removed when the hub has them. After the last kill the release is run to
its end: the repository has one commit more, and in it byte for byte what a release that nobody disturbed makes; the
hub has taken no object twice, and the disk has never held more shards than it was allowed.
"""

import argparse
import json
import random
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from foreign_store import Counting, Hub
from local_hub import Bench, Check

ROOT = Path(__file__).resolve().parent.parent
SHARD = 1_000_000
DISK = 8_000_000

RECIPE = """\
merge_method: ties
base_model: {models}/base
models:
  - {{model: {models}/math, parameters: {{weight: 0.5, density: 0.5}}}}
  - {{model: {models}/code, parameters: {{weight: 0.5, density: 0.5}}}}
dtype: bfloat16
"""


class DiskWatch:
    """The most bytes that shards took on the disk at any time that was looked at."""

    def __init__(self, folder):
        self.folder = folder
        self.most = 0
        self.looks = 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.ended.wait(0.005):
            total = 0
            for path in self.folder.rglob("*.safetensors"):
                try:
                    total += path.stat().st_size
                except FileNotFoundError:
                    pass
            self.most = max(self.most, total)
            self.looks += 1

    def end(self):
        self.ended.set()
        self.thread.join()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs")
    parser.add_argument("--kills", type=int, default=30)
    options = parser.parse_args()
    check = Check()
    rng = random.Random(7)
    with tempfile.TemporaryDirectory(prefix="hubmerge-release-") as folder:
        bench = Bench(options.programs, Path(folder))
        bench.run("DemoModels", bench.folder / "models", ROOT / "LICENSE")
        store = Counting(seconds_per_object=0.05)
        hub = Hub(store)
        store.url = bench.endpoint = hub.url
        recipe = bench.recipe("ties", RECIPE.format(models=bench.folder / "models"))
        command = [bench.programs / "hubmerge", "release", recipe, "acme/killed", "--stream",
                   "--disk", str(DISK), "--out-shard-size", str(SHARD), "--quiet", "--json"]
        environment = bench.environment("home")

        calm = [str(word).replace("acme/killed", "acme/calm") for word in command]
        started = time.monotonic()
        subprocess.run(calm, env=bench.environment("other"), stdout=subprocess.DEVNULL, check=True)
        seconds = time.monotonic() - started
        whole = store.bytes
        store.forget()

        watch = DiskWatch(bench.folder / "home")
        kills = early = 0
        while kills < options.kills:
            process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
            # Some while nothing has been sent yet, some soon after the hub has one object more.
            enough = len(store.objects) + rng.choice([0, 0, 1])
            time.sleep(rng.uniform(0.02, 0.2) * seconds)
            while len(store.objects) < enough and process.poll() is None:
                time.sleep(0.001)
            time.sleep(rng.uniform(0, 0.02) * seconds)
            if process.poll() is not None:
                break
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
            early += "acme/killed" not in hub.trees or len(hub.trees["acme/killed"]) == 1
        sent_at = len(store.objects)
        check(f"killed {kills} times, {sent_at} objects sent by then", kills == options.kills)
        check("before the last run nothing was visible", early == kills)
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
        check("the release ends", done.returncode == 0)
        watch.end()
        report = json.loads(done.stdout)
        check("in one commit", len(hub.trees["acme/killed"]) == 2 and len(report["push"]["commits"]) == 1)
        twice = [oid for oid, count in store.received.items() if count > 1]
        check("no object was taken twice", not twice, f"{len(store.received)} objects")
        check(f"the disk never held more than {DISK} bytes of shards", 0 < watch.most <= DISK,
              f"{watch.most} at most in {watch.looks} looks; the model has {whole}")

        killed, undisturbed = hub.head("acme/killed")[1], hub.head("acme/calm")[1]
        names = {name for name in undisturbed if name != "README.md"}
        wrong = [name for name in names if killed.get(name, {}).get("etag") != undisturbed[name]["etag"]]
        check("every byte is that of a release that nobody disturbed",
              not wrong and killed.keys() == undisturbed.keys(), f"{len(names)} files")
    check.finish()


if __name__ == "__main__":
    main()
