# hubmerge: merge language models and publish them
# SPDX-License-Identifier: Apache-2.0

"""200 clients of `hubmerge serve` at once, for a minute: every byte of every reply is checked.

usage: serve_crowd.py <folder of the programs> [clients, 200] [seconds, 60]

Most clients read: whole files and ranges, small and large, over connections that they keep. Some write:
they commit to repositories of their own and read back what they have written.
"""

import hashlib
import http.client
import multiprocessing
import os
import random
import sys
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path

from local_hub import Check
from serve_wire import Client, Refused, Server

SIZES = {"small.txt": 3000, "middle.bin": 300_000, "large.bin": 12_000_000}
PROCESSES = 4


def content(name, size):
    block = hashlib.sha512(name.encode()).hexdigest().encode()
    return (block * (size // len(block) + 1))[:size]


class Reader:
    def __init__(self, server, random_):
        self.server, self.random = server, random_
        self.hub = Client(server)
        self.store = None

    def turn(self):
        """One request; whether all of its bytes are right."""
        name = self.random.choices(list(SIZES), weights=[4, 3, 1])[0]
        whole = content(name, SIZES[name])
        headers, expected = {}, whole
        if self.random.random() < 0.5:
            first = self.random.randrange(len(whole))
            last = min(len(whole) - 1, first + self.random.randrange(1, 200_000))
            headers, expected = {"Range": f"bytes={first}-{last}"}, whole[first:last + 1]
        connection = self.hub.connection
        connection.request("GET", f"/acme/m/resolve/main/{name}", headers=headers)
        reply = connection.getresponse()
        data = reply.read()
        if reply.status == 302:
            url = urllib.parse.urlsplit(reply.headers["Location"])
            if self.store is None:
                self.store = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
            self.store.request("GET", f"{url.path}?{url.query}", headers=headers)
            reply = self.store.getresponse()
            data = reply.read()
        return data == expected and reply.status == (206 if headers else 200), len(data)


class Writer:
    def __init__(self, server, random_):
        self.client, self.random = Client(server), random_
        self.repository = f"acme/w{os.getpid()}-{random_.randrange(1 << 30)}"
        self.client.create(self.repository)
        self.count = 0

    def turn(self):
        self.count += 1
        text = f"{self.repository} {self.count}\n" * 20
        large = content(text, self.random.randrange(1, 200_000))
        line = self.client.upload(self.repository, large)
        commit = self.client.commit(self.repository, f"{self.count}", {"a.txt": text}, {"b.bin": line})
        right = (self.client.file(self.repository, commit, "a.txt") == text.encode()
                 and self.client.file(self.repository, "main", "b.bin") == large)
        return right, len(text) + len(large)


def crowd(server, readers, writers, seconds, seed, results):
    """Clients of one process, each a thread of its own."""
    totals = {"right": 0, "wrong": 0, "bytes": 0, "errors": []}
    lock = threading.Lock()
    end = time.monotonic() + seconds

    def live(kind, number):
        try:
            client = kind(server, random.Random(f"{seed} {number}"))
            while time.monotonic() < end:
                right, size = client.turn()
                with lock:
                    totals["right" if right else "wrong"] += 1
                    totals["bytes"] += size
        except (OSError, http.client.HTTPException, Refused, ValueError) as error:
            with lock:
                totals["errors"].append(f"{kind.__name__}: {type(error).__name__}: {error}")

    threads = [threading.Thread(target=live, args=(Writer if n < writers else Reader, n))
               for n in range(readers + writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put(totals)


class Address:
    """What the clients need to know of the server, in a process of their own."""

    def __init__(self, server):
        self.port, self.url = server.port, server.url


def main():
    programs = sys.argv[1]
    clients = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 60
    check = Check()
    with tempfile.TemporaryDirectory(prefix="hubmerge-crowd-") as folder:
        server = Server(programs, Path(folder) / "hub")
        first = Client(server)
        first.create("acme/m")
        lines = {name: first.upload("acme/m", content(name, size))
                 for name, size in SIZES.items() if name.endswith(".bin")}
        text = content("small.txt", SIZES["small.txt"]).decode()
        first.commit("acme/m", "all", {"small.txt": text}, lines)
        first.close()
        results = multiprocessing.Queue()
        writers = max(1, clients // 10 // PROCESSES)
        crowds = [multiprocessing.Process(
            target=crowd, args=(Address(server), clients // PROCESSES - writers, writers, seconds, n, results))
            for n in range(PROCESSES)]
        for process in crowds:
            process.start()
        totals = [results.get() for _ in crowds]
        for process in crowds:
            process.join()
        right, wrong, size = (sum(t[key] for t in totals) for key in ("right", "wrong", "bytes"))
        errors = [error for t in totals for error in t["errors"]]
        for error in sorted(set(errors))[:10]:
            print(f"      {error}")
        now, peak = server.memory()
        check(f"{clients} clients for {seconds:.0f} s: no wrong byte", wrong == 0 and right > 0,
              f"{right} exchanges, {size / 1e9:.2f} GB")
        check("none was refused or cut off", not errors, f"{len(errors)} errors")
        check("the server is alive", server.alive, f"{now:.0f} MB resident, {peak:.0f} MB at most")
        server.stop()
    check.finish()


if __name__ == "__main__":
    main()
