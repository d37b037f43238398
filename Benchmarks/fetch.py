# hubmerge: merge language models and publish them
# SPDX-License-Identifier: Apache-2.0

"""Measures `hubmerge fetch` against `hf download`, on one server, in turn.

usage: fetch.py <folder of hubmerge> <hf program> [--gigabytes 4] [--rounds 3] [--folder path]

The repository is a few shards of random bytes, served by nginx over loopback: the one server that
costs less than any client. Both programs fetch over plain HTTP into an empty cache; hubmerge verifies
SHA-256 meanwhile, which hf does not. Prints medians of throughput, processor seconds for each gigabyte
(client only) and peak memory.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

COMMIT = "1234567890123456789012345678901234567890"
SHARDS = 4

CONFIGURATION = """
daemon off; worker_processes 1; pid {root}/nginx.pid; error_log {root}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000;
  client_body_temp_path {root}/t1; proxy_temp_path {root}/t2; fastcgi_temp_path {root}/t3;
  uwsgi_temp_path {root}/t4; scgi_temp_path {root}/t5;
  server {{
    listen 127.0.0.1:{port};
    location ~ ^/api/models/acme/one(/revision/[^/]+)?$ {{ alias {root}/info.json; default_type application/json; }}
    location ~ ^/api/models/acme/one/tree/ {{ alias {root}/tree.json; default_type application/json; }}
{files}  }}
}}
"""

LOCATION = """    location = /acme/one/resolve/{commit}/{name} {{
      alias {root}/{name}; etag off; default_type application/octet-stream;
      add_header X-Repo-Commit {commit}; add_header ETag '"{digest}"'; add_header X-Linked-Etag '"{digest}"';
      add_header X-Linked-Size {size};
    }}
"""


def make_repository(root, size):
    """Shards of random bytes; what the server says of each."""
    shards = []
    source = random.Random(1)
    for index in range(SHARDS):
        name = f"model-{index + 1:05}-of-{SHARDS:05}.safetensors"
        hasher = hashlib.sha256()
        with (root / name).open("wb") as file:
            for _ in range(size // SHARDS >> 20):
                block = source.randbytes(1 << 20)
                hasher.update(block)
                file.write(block)
        shards.append({"name": name, "size": (root / name).stat().st_size,
                       "digest": hasher.hexdigest()})
    return shards


def start_server(root, shards):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (root / "info.json").write_text(json.dumps(
        {"id": "acme/one", "sha": COMMIT, "siblings": [{"rfilename": s["name"]} for s in shards]}))
    (root / "tree.json").write_text(json.dumps([
        {"type": "file", "path": s["name"], "oid": "0" * 39 + str(i), "size": s["size"],
         "lfs": {"oid": s["digest"], "size": s["size"], "pointerSize": 134}}
        for i, s in enumerate(shards)]))
    files = "".join(LOCATION.format(root=root, commit=COMMIT, **s) for s in shards)
    (root / "nginx.conf").write_text(CONFIGURATION.format(root=root, port=port, files=files))
    server = subprocess.Popen(["nginx", "-e", root / "error.log", "-c", root / "nginx.conf"])
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return server, f"http://127.0.0.1:{port}"
        time.sleep(0.05)
    raise SystemExit("nginx does not start")


def measure(command, environment, log):
    """Wall seconds, processor seconds and peak bytes of one run."""
    start = time.monotonic()
    with log.open("a") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - start
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}\n{log.read_text()[-2000:]}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("hubmerge", type=Path)
    parser.add_argument("hf", type=Path)
    parser.add_argument("--gigabytes", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", help="where to work; a place in memory measures the programs alone")
    options = parser.parse_args()
    size = int(options.gigabytes * 1e9) >> 20 << 20
    with tempfile.TemporaryDirectory(prefix="hubmerge-bench-", dir=options.folder) as folder:
        root = Path(folder)
        root.chmod(0o755)
        shards = make_repository(root, size)
        total = sum(s["size"] for s in shards)
        server, endpoint = start_server(root, shards)
        programs = {
            "hubmerge": [options.hubmerge / "hubmerge", "fetch", "acme/one", "--quiet"],
            "hf": [options.hf, "download", "acme/one"],
        }
        results = {name: [] for name in programs}
        load = os.getloadavg()[0]
        try:
            for round in range(options.rounds):
                # Each of them goes first in turn.
                names = list(programs)[:: 1 if round % 2 == 0 else -1]
                for name in names:
                    home = root / "home"
                    environment = os.environ | {
                        "HF_ENDPOINT": endpoint, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1",
                        "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1",
                        "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
                    results[name].append(measure(programs[name], environment, root / "log"))
                    got = sum(p.stat().st_size for p in home.rglob("blobs/*") if p.is_file())
                    if got < total:
                        raise SystemExit(f"{name} has fetched {got} of {total} bytes")
                    shutil.rmtree(home)
        finally:
            server.terminate()
            server.wait()
        print(f"{total / 1e9:.2f} GB in {SHARDS} files, {options.rounds} rounds,"
              f" {os.cpu_count()} processors, load before {load:.1f}")
        medians = {}
        for name, runs in results.items():
            seconds, processor, memory = (statistics.median(r[i] for r in runs) for i in range(3))
            medians[name] = (total / seconds, processor / (total / 1e9), memory)
            print(f"{name:9} {total / seconds / 1e6:8.0f} MB/s  {processor / (total / 1e9):6.2f}"
                  f" processor s/GB  {memory / 1e6:6.0f} MB peak")
        ours, theirs = medians["hubmerge"], medians["hf"]
        print(f"ratio     {ours[0] / theirs[0]:8.2f} x     {ours[1] / theirs[1]:6.2f} x")


if __name__ == "__main__":
    main()
