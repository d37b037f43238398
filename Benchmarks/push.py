# hubmerge: merge language models and publish them
# SPDX-License-Identifier: Apache-2.0

"""Measures `hubmerge push` against `hf upload`, to one hub, in turn.

usage: push.py <folder of hubmerge> <hf program> [--gigabytes 4] [--rounds 3] [--folder path]

The model is a few shards of random bytes. The hub answers over loopback; what is sent to its store is read by
processes of their own and thrown away, which costs less than any client. Both programs compute SHA-256 and send whole
files over plain HTTP (hf with Xet disabled) to a repository of their own each time. Prints medians of throughput and
processor seconds for each gigabyte (client only), and the ratio.
"""

import argparse
import multiprocessing
import os
import random
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Interop"))
from foreign_store import Hub  # noqa: E402

SHARDS = 4
WORKERS = 4


class Sink:
    """A store that wants every object and keeps none."""

    def __init__(self):
        self.received = multiprocessing.Value("q", 0)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        self.workers = [multiprocessing.Process(target=self.work, daemon=True) for _ in range(WORKERS)]
        for worker in self.workers:
            worker.start()

    def work(self):
        while True:
            line, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(line,), daemon=True).start()

    def serve(self, line):
        buffer = bytearray(1 << 20)
        pending = b""
        while True:
            while b"\r\n\r\n" not in pending:
                more = line.recv(1 << 16)
                if not more:
                    return line.close()
                pending += more
            head, pending = pending.split(b"\r\n\r\n", 1)
            fields = dict(row.lower().split(b": ", 1) for row in head.split(b"\r\n")[1:])
            length = int(fields[b"content-length"])
            left = length - len(pending)
            pending = b""
            while left > 0:
                count = line.recv_into(buffer, min(len(buffer), left))
                if not count:
                    return line.close()
                left -= count
            with self.received.get_lock():
                self.received.value += length
            line.sendall(b"HTTP/1.1 200 OK\r\nETag: \"x\"\r\nContent-Length: 0\r\n\r\n")

    def batch(self, repository, body):
        return 200, {"transfer": "basic", "objects": [
            {"oid": o["oid"], "size": o["size"], "actions": {"upload": {
                "href": f"http://127.0.0.1:{self.port}/{o['oid']}", "header": {}}}}
            for o in body["objects"]]}

    def has(self, repository, oid, size):
        return True


def make_model(folder, size):
    folder.mkdir()
    source = random.Random(1)
    for index in range(SHARDS):
        with (folder / f"model-{index + 1:05}-of-{SHARDS:05}.safetensors").open("wb") as file:
            for _ in range(size // SHARDS >> 20):
                file.write(source.randbytes(1 << 20))
    (folder / "config.json").write_text("{}")


def measure(command, environment):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    seconds = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{command[0]} failed: {done.stderr.decode()[-500:]}")
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs", type=Path)
    parser.add_argument("hf")
    parser.add_argument("--gigabytes", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder")
    options = parser.parse_args()
    size = int(options.gigabytes * 1e9) >> 22 << 22
    sink = Sink()
    hub = Hub(sink)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        root = Path(folder)
        make_model(root / "model", size)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING"))}
        environment = kept | {
            "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_TOKEN": "hf_bench", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        programs = {
            "hubmerge": [options.programs / "hubmerge", "push", root / "model"],
            "hf": [options.hf, "upload"],
        }
        figures = {name: [] for name in programs}
        for turn in range(options.rounds):
            for name, command in programs.items():
                # A home of its own each time: no digests from the time before.
                home = root / "home"
                shutil.rmtree(home, ignore_errors=True)
                repository = f"acme/{name}-{turn}"
                words = command + ([repository] if name == "hubmerge" else [repository, root / "model", "."])
                received = sink.received.value
                seconds, processor = measure(words, environment | {"HF_HOME": str(home)})
                if sink.received.value - received < size or len(hub.trees[repository]) != 2:
                    raise SystemExit(f"{name} has not sent the model in one commit")
                figures[name].append((size / seconds, processor / (size / 1e9)))
        for name, runs in figures.items():
            speed = statistics.median(run[0] for run in runs)
            processor = statistics.median(run[1] for run in runs)
            print(f"{name:<10} {speed / 1e6:8.0f} MB/s  {processor:6.2f} CPU s/GB  "
                  f"({', '.join(f'{run[0] / 1e6:.0f}' for run in runs)})")
        ratio = statistics.median(a[0] / b[0] for a, b in zip(figures["hubmerge"], figures["hf"]))
        print(f"hubmerge / hf: {ratio:.2f}")


if __name__ == "__main__":
    main()
