# hubmerge: merge language models and publish them
# SPDX-License-Identifier: Apache-2.0

"""Measures `hubmerge serve` against nginx, serving the same file on the same machine, in turn.

usage: serve.py <folder of hubmerge> [--gigabytes 4] [--rounds 5] [--folder path]

One large object is pushed to the hub (which says how fast and in how much memory it takes it in) and then read
over loopback by curl, from the hub and from nginx in turn: whole, by eight readers at once, and in
ranges of 1 MB over one connection. Prints medians, their ratio, processor seconds of the server for each
gigabyte and its peak memory.
"""

import argparse
import http.client
import hashlib
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "Interop"))
from serve_wire import Client, Server  # noqa: E402

CONFIGURATION = """
daemon off; worker_processes 2; pid {root}/nginx.pid; error_log {root}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;
  client_body_temp_path {root}/t1; proxy_temp_path {root}/t2; fastcgi_temp_path {root}/t3;
  uwsgi_temp_path {root}/t4; scgi_temp_path {root}/t5;
  server {{ listen 127.0.0.1:{port}; location = /object {{ alias {file}; }} }}
}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def cpu(pids):
    """Processor seconds of processes so far."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def whole(url, size):
    subprocess.run(["curl", "-sf", "-o", "/dev/null", url], check=True)
    return size


def crowd(url, size):
    readers = [subprocess.Popen(["curl", "-sf", "-r", f"0-{size // 8}", "-o", "/dev/null", url]) for _ in range(8)]
    if any(reader.wait() for reader in readers):
        raise SystemExit("curl failed")
    return 8 * (size // 8)


def ranges(url, size):
    """1 MB at a time, from all over the file."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port)
    count, step = 1000, 1_000_000
    buffer = bytearray(step)
    for index in range(count):
        start = index * 7919 * 4096 % (size - step)
        connection.request("GET", parts.path + ("?" + parts.query if parts.query else ""),
                           headers={"Range": f"bytes={start}-{start + step - 1}"})
        reply = connection.getresponse()
        assert reply.status == 206, reply.status
        if reply.readinto(buffer) < step:
            reply.read()
    return count * step


def make_file(path, size):
    block = os.urandom(64 << 20)
    digest = hashlib.sha256()
    with path.open("wb") as file:
        left = size
        while left:
            piece = block[:min(left, len(block))]
            file.write(piece)
            digest.update(piece)
            left -= len(piece)
    return digest.hexdigest()


def push(server, path, size, oid):
    """One object up, in one piece; gigabytes a second."""
    client = Client(server)
    client.create("acme/m")
    batch = client.json("POST", "/acme/m.git/info/lfs/objects/batch", {
        "operation": "upload", "transfers": ["basic"], "objects": [{"oid": oid, "size": size}]})
    start = time.monotonic()
    subprocess.run(["curl", "-sf", "-o", "/dev/null", "-T", path, "-H", "Expect:",
                    batch["objects"][0]["actions"]["upload"]["href"]], check=True)
    taken = time.monotonic() - start
    client.commit("acme/m", "all", {}, {"object": {"oid": oid, "size": size, "algo": "sha256"}})
    reply, _ = client.request("GET", "/acme/m/resolve/main/object")
    return size / taken / 1e9, reply.headers["Location"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs")
    parser.add_argument("--gigabytes", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if not shutil.which("nginx"):
        raise SystemExit("nginx is needed to compare with: apt-get install nginx-light")
    size = int(options.gigabytes * 1e9)
    with tempfile.TemporaryDirectory(prefix="hubmerge-serve-", dir=options.folder) as root:
        root = Path(root)
        oid = make_file(root / "object", size)
        server = Server(options.programs, root / "hub")
        speed, link = push(server, root / "object", size, oid)
        rss, peak = server.memory()
        print(f"up: {size / 1e9:.1f} GB at {speed:.2f} GB/s, verified; {rss:.0f} MB resident, {peak:.0f} MB at most")
        # The same bytes in the same pages: nginx serves the hub's own file.
        (root / "object").unlink()
        blob = next((root / "hub/blobs").rglob(oid))
        port = free_port()
        (root / "nginx.conf").write_text(CONFIGURATION.format(root=root, port=port, file=blob))
        os.chmod(root, 0o755)
        nginx = subprocess.Popen(["nginx", "-c", root / "nginx.conf", "-p", root, "-g", "user root;"],
                                 stderr=subprocess.DEVNULL)
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        workers = [int(pid) for pid in Path(f"/proc/{nginx.pid}/task/{nginx.pid}/children").read_text().split()]
        rivals = {"hub": (link, [server.process.pid]), "nginx": (f"http://127.0.0.1:{port}/object", workers)}
        whole(link, size)  # Once, so that the pages are there for both.
        try:
            for measure in (whole, crowd, ranges):
                speeds = {name: [] for name in rivals}
                costs = {name: [] for name in rivals}
                for turn in range(options.rounds):
                    for name in sorted(rivals, reverse=turn % 2 == 1):
                        url, pids = rivals[name]
                        before, start = cpu(pids), time.monotonic()
                        count = measure(url, size)
                        speeds[name].append(count / (time.monotonic() - start) / 1e9)
                        costs[name].append((cpu(pids) - before) / (count / 1e9))
                medians = {name: statistics.median(values) for name, values in speeds.items()}
                told = ", ".join(f"{name} {medians[name]:.2f} GB/s ({statistics.median(costs[name]):.2f} s of processor"
                                 " for each GB)" for name in rivals)
                print(f"{measure.__name__}: {told}; nginx is {medians['nginx'] / medians['hub']:.2f} times as fast")
            rss, peak = server.memory()
            print(f"down: {rss:.0f} MB resident, {peak:.0f} MB at most")
        finally:
            nginx.terminate()
            nginx.wait()
            server.stop()


if __name__ == "__main__":
    main()
