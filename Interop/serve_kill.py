# hubmerge: merge language models and publish them
# SPDX-License-Identifier: Apache-2.0

"""Kills `hubmerge serve` at random moments of commits, again and again, and looks at what is left.

usage: serve_kill.py <folder of the programs> [how often, 50 times unless told]

After each start: every commit, tag and repository that was acknowledged is there; the head is the last
acknowledged commit or the one that was on its way; and every file of it has the bytes it should have.
"""

import hashlib
import http.client
import json
import random
import sys
import tempfile
import threading
import time
from pathlib import Path

from local_hub import Check
from serve_wire import Client, Refused, Server

BROKEN = (OSError, http.client.HTTPException, ValueError)


def text(number):
    return f"commit {number}\n" * (number % 50 + 1)


def large(number):
    return hashlib.sha256(str(number).encode()).digest() * (4096 + number % 1000)


class Author(threading.Thread):
    """Commits without a pause until the server is gone; notes what was acknowledged."""

    def __init__(self, server, acknowledged, number):
        super().__init__()
        self.client = Client(server)
        self.acknowledged = acknowledged
        self.number = number
        self.failure = None
        self.tags = []
        self.repositories = []

    def run(self):
        try:
            while True:
                self.number += 1
                line = self.client.upload("acme/m", large(self.number))
                oid = self.client.commit(
                    "acme/m", str(self.number),
                    {"number.txt": text(self.number), f"old/{self.number}.txt": text(self.number)},
                    {"weights.bin": line})
                self.acknowledged.append((self.number, oid))
                if self.number % 5 == 0:
                    self.client.json("POST", "/api/models/acme/m/tag/main", {"tag": f"t{self.number}"})
                    self.tags.append((f"t{self.number}", oid))
                if self.number % 7 == 0:
                    self.client.create(f"acme/r{self.number}")
                    self.repositories.append(f"acme/r{self.number}")
        except Refused as refusal:
            self.failure = refusal
        except BROKEN:
            pass


def history(client):
    found, path = [], "/api/models/acme/m/commits/main"
    while path:
        reply, data = client.request("GET", path)
        found += json.loads(data)
        link = reply.headers.get("Link")
        path = link[link.index("/api"):link.index(">")] if link else None
    return [(item["title"], item["id"]) for item in found]


def inspect(server, author, acknowledged, tags, repositories):
    """What is wrong with what is left; nothing, one hopes."""
    client = Client(server)
    commits = history(client)
    known = {oid for _, oid in commits}
    missing = [number for number, oid in acknowledged if oid not in known]
    if missing:
        return f"acknowledged commits are gone: {missing}"
    titles = [title for title, _ in commits[:-1]]
    if titles != [str(n) for n in range(len(titles), 0, -1)]:
        return f"the history is not whole: {titles[:5]}…"
    head = int(titles[0]) if titles else 0
    last = acknowledged[-1][0] if acknowledged else 0
    if head not in (last, last + 1):
        return f"the head is commit {head}, the last acknowledged is {last}"
    if head:
        if client.file("acme/m", "main", "number.txt") != text(head).encode():
            return "number.txt is not the head's"
        if client.file("acme/m", "main", "weights.bin") != large(head):
            return "weights.bin is not the head's"
        some = random.randint(1, head)
        if client.file("acme/m", "main", f"old/{some}.txt") != text(some).encode():
            return f"old/{some}.txt has changed"
        oid = dict(acknowledged).get(some)
        if oid and client.file("acme/m", oid, "weights.bin") != large(some):
            return f"weights.bin of commit {some} has changed"
    refs = {tag["name"]: tag["targetCommit"] for tag in
            client.json("GET", "/api/models/acme/m/refs")["tags"]}
    for tag, oid in tags:
        if refs.get(tag) != oid:
            return f"tag {tag} is {refs.get(tag)}, not {oid}"
    for repository in repositories:
        client.json("GET", f"/api/models/{repository}")
    client.close()
    author.number = head
    return None


def main():
    programs = sys.argv[1]
    times = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    check = Check()
    acknowledged, tags, repositories = [], [], []
    with tempfile.TemporaryDirectory(prefix="hubmerge-kill-") as folder:
        root = Path(folder) / "hub"
        server = Server(programs, root)
        Client(server).create("acme/m")
        number, wrong = 0, 0
        for turn in range(1, times + 1):
            author = Author(server, acknowledged, number)
            author.start()
            time.sleep(random.uniform(0.02, 0.6))
            server.kill()
            author.join()
            tags += author.tags
            repositories += author.repositories
            server.start()
            finding = author.failure or inspect(server, author, acknowledged, tags, repositories)
            number = author.number
            if finding:
                wrong += 1
                check(f"after kill {turn}", False, str(finding))
            leftovers = list((root / "incoming").iterdir())
            if leftovers:
                check(f"after kill {turn}: nothing unfinished stays", False, str(leftovers))
        check(f"killed {times} times, {len(acknowledged)} commits, {len(tags)} tags and"
              f" {len(repositories)} repositories acknowledged, none lost", wrong == 0)
        server.stop()
    check.finish()


if __name__ == "__main__":
    main()
