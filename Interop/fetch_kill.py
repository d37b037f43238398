# hubmerge: merge language models and publish them
# SPDX-License-Identifier: Apache-2.0

"""Kills `hubmerge fetch` ten times at random moments; what it had is not fetched again.

usage: fetch_kill.py <folder of the programs>

The server counts what it sends, and sends slower than the client takes, as most of the network does, so that
what it has sent is what the client has got.
"""

import hashlib
import http.server
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

COMMIT = "1234567890123456789012345678901234567890"
SIZE = 400 << 20
LIMIT = 16 << 20
BYTES_PER_SECOND = 60 << 20


class Hub(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, content):
        super().__init__(("127.0.0.1", 0), Request)
        self.content = content
        self.digest = hashlib.sha256(content).hexdigest()
        self.sent = 0
        self.lock = threading.Lock()
        self.due = time.monotonic()

    def pace(self, count):
        """Waits until `count` more bytes may go out."""
        with self.lock:
            self.due = max(self.due, time.monotonic()) + count / BYTES_PER_SECOND
            due = self.due
        time.sleep(max(0, due - time.monotonic()))

    def handle_error(self, request, client_address):
        pass  # Clients that are killed are what this is about.


class Request(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        hub = self.server
        if "/revision/" in self.path:
            return self.answer({"id": "acme/one", "sha": COMMIT})
        if "/tree/" in self.path:
            lfs = {"oid": hub.digest, "size": SIZE, "pointerSize": 134}
            return self.answer([{"type": "file", "path": "model.safetensors", "oid": "0" * 40,
                                 "size": SIZE, "lfs": lfs}])
        first, last = self.headers["Range"].removeprefix("bytes=").split("-")
        first, end = int(first), int(last) + 1
        self.send_response(206)
        self.send_header("Content-Length", str(end - first))
        self.send_header("Content-Range", f"bytes {first}-{end - 1}/{SIZE}")
        self.end_headers()
        # A small socket buffer: what is in it when the client dies was sent in vain.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 << 10)
        for start in range(first, end, 64 << 10):
            part = hub.content[start:min(start + (64 << 10), end)]
            hub.pace(len(part))
            self.wfile.write(part)
            with hub.lock:
                hub.sent += len(part)


def received(home):
    """The bytes that the client has kept, by its own record of them."""
    total = end = 0
    for journal in Path(home).rglob("*.hubmerge.partial.journal"):
        # A line that the kill cut off has no end and does not count.
        lines = journal.read_text().rpartition("\n")[0].splitlines()
        for first, last in sorted(tuple(map(int, line.split())) for line in lines):
            total += max(0, last - max(first, end))
            end = max(end, last)
    return total


def main():
    program = Path(sys.argv[1]).resolve() / "hubmerge"
    rng = random.Random(1)
    hub = Hub(b"".join(rng.randbytes(1 << 20) for _ in range(SIZE >> 20)))
    threading.Thread(target=hub.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
        environment = kept | {"HF_ENDPOINT": f"http://127.0.0.1:{hub.server_address[1]}",
                              "HF_HOME": folder, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        command = [program, "fetch", "acme/one", "--quiet"]
        kills = worst = lost = 0
        while kills < 10:
            process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
            time.sleep(rng.uniform(0.1, 0.9))
            if process.poll() is not None:
                break
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
            # What is still being sent to nobody ends within a moment.
            time.sleep(0.2)
            before, lost = lost, hub.sent - received(folder)
            worst = max(worst, lost - before)
        killed_at = hub.sent
        print(f"{'PASS' if kills == 10 else 'FAIL'}  killed {kills} times,"
              f" {killed_at / 1e6:.0f} of {SIZE / 1e6:.0f} MB sent", flush=True)
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
        path = Path(done.stdout.strip()) / "model.safetensors"
        whole = done.returncode == 0 and path.read_bytes() == hub.content
        print(f"{'PASS' if whole else 'FAIL'}  the file is whole")
        again = hub.sent - SIZE
        fine = worst <= LIMIT
        print(f"{'PASS' if fine else 'FAIL'}  {again / 1e6:.1f} MB fetched again,"
              f" {worst / 1e6:.1f} MB after one kill at most (limit {LIMIT / 1e6:.1f} MB)")
        left = [p.name for p in (path.parents[2] / "blobs").iterdir()]
        clean = left == [hub.digest]
        print(f"{'PASS' if clean else 'FAIL'}  nothing is left behind")
        raise SystemExit(0 if kills == 10 and whole and fine and clean else 1)


if __name__ == "__main__":
    main()
