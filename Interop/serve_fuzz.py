# hubmerge: merge language models and publish them
# SPDX-License-Identifier: Apache-2.0

"""Sends `hubmerge serve` what no client should, on loopback, for a bounded number of requests.

usage: serve_fuzz.py <folder of the programs> [requests, 3000 unless told] [seed]

It must stay alive, answer everything else as before, never say 500, and write nothing outside of its folder.
"""

import json
import random
import socket
import sys
import tempfile
from pathlib import Path

from local_hub import Check
from serve_wire import Client, Server

WORDS = [
    "api", "models", "datasets", "repos", "create", "acme", "m", "resolve", "main", "tree", "commit",
    "commits", "refs", "tag", "branch", "discussions", "1", "preupload", "settings", "paths-info",
    "m.git", "info", "lfs", "objects", "batch", "verify", "blob", "revision", "refs%2Fpr%2F1", "..",
    "%2e%2e", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "%00", "%ff", "%", "", ".", "a" * 3000, "\u00e9",
    "README.md", "weights.bin", "0" * 40, "f" * 64, "user-access-request", "handle", "ask-access",
    "whoami-v2", "validate-yaml", "uploads", "complete_multipart", "x", "-1", "9" * 30, "*", "login",
]
METHODS = ["GET"] * 8 + ["POST"] * 8 + ["PUT", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "G\0T", "get"]
SHAPES = [
    "/api/models/acme/m", "/api/models/acme/m/tree/main", "/api/models/acme/m/commit/main",
    "/api/models/acme/m/commit/refs%2Fpr%2F1", "/api/models/acme/m/preupload/main",
    "/api/models/acme/m/paths-info/main", "/api/models/acme/m/discussions", "/api/models/acme/m/discussions/1",
    "/api/models/acme/m/discussions/1/comment", "/api/models/acme/m/settings", "/api/models/acme/m/tag/main",
    "/api/models/acme/m/branch/b", "/api/models/acme/m/refs", "/api/models/acme/m/commits/main",
    "/api/models/acme/m/user-access-request/handle", "/api/repos/create", "/api/repos/move", "/api/models",
    "/api/validate-yaml", "/acme/m.git/info/lfs/objects/batch", "/acme/m.git/info/lfs/objects/verify",
    "/acme/m/resolve/main/README.md", "/acme/m/resolve/main/weights.bin", "/acme/m", "/acme/m/tree/main",
    "/acme/m/commits/main", "/acme/m/blob/main/README.md", "/objects/" + "0" * 64, "/",
]
VALUES = [None, True, -1, 0, 2**63, 1e400, "", "..", "../../x", "a/b", "acme/m", "x" * 5000, [], {}, [[]],
          {"key": "header"}, "\ud800", ["a", 1, None], "main", "\x00"]
KEYS = ["name", "organization", "type", "private", "visibility", "files", "path", "size", "sample",
        "oid", "objects", "operation", "transfers", "summary", "key", "value", "title", "pullRequest",
        "tag", "startingPoint", "fromRepo", "toRepo", "paths", "expand", "status", "user", "content",
        "gated", "parts", "partNumber", "etag", "encoding", "parentCommit", "srcPath", "oldPath"]
RANGES = ["bytes=0-", "bytes=-1", "bytes=5-1", "bytes=99999999999999999999-", "bytes=0-0,2-3", "bytes=a-b",
          "bytes=-", "items=0-1", "bytes=0-18446744073709551616", "bytes=-99999999999999999999"]


def target(random_):
    if random_.random() < 0.7:
        path = random_.choice(SHAPES)
        if random_.random() < 0.2:
            path += "/" + random_.choice(WORDS)
    else:
        path = "/" + "/".join(random_.choice(WORDS) for _ in range(random_.randint(0, 8)))
    if random_.random() < 0.3:
        path += "?" + "&".join(
            random_.choice(["limit", "cursor", "recursive", "expand", "blobs", "search", "p", "create_pr", "%"])
            + "=" + random_.choice(["1", "true", "-1", "zzzzzzzzzzzzzzzzzzzz", "%zz", "main", ""])
            for _ in range(random_.randint(1, 3)))
    return path.encode("utf-8", "replace").decode("latin-1")


def value(random_, depth=0):
    if depth < 3 and random_.random() < 0.6:
        return {random_.choice(KEYS): value(random_, depth + 1) for _ in range(random_.randint(0, 6))}
    if depth < 3 and random_.random() < 0.3:
        return [value(random_, depth + 1) for _ in range(random_.randint(0, 4))]
    return random_.choice(VALUES)


def body(random_):
    kind = random_.random()
    if kind < 0.35:
        return json.dumps(value(random_)).encode("utf-8", "replace")
    if kind < 0.6:
        lines = [{"key": "header", "value": {"summary": "x"}}] if random_.random() < 0.7 else []
        lines += [{"key": random_.choice(["file", "lfsFile", "deletedFile", "deletedFolder", "copy", "header"]),
                   "value": value(random_)} for _ in range(random_.randint(0, 5))]
        return b"\n".join(json.dumps(line).encode("utf-8", "replace") for line in lines)
    if kind < 0.7:
        return b"[" * random_.randint(1, 200_000)
    if kind < 0.8:
        return random_.randbytes(random_.randint(0, 4000))
    return b""


def request(random_):
    """The bytes of one request, most of them well formed but for what they ask; and whether they are."""
    content = body(random_)
    if random_.random() < 0.1:  # No request at all.
        return random_.randbytes(random_.randint(1, 2000)), False
    head = f"{random_.choice(METHODS)} {target(random_)} HTTP/1.1\r\n"
    headers = ["Host: x", f"Range: {random_.choice(RANGES)}", "Connection: close"]
    length = random_.choice([len(content)] * 20 + [len(content) + 10, -1, "x", 2**70, 0])
    headers.append(f"Content-Length: {length}")
    is_whole = length == len(content)
    if random_.random() < 0.05:
        headers.append("Transfer-Encoding: chunked")
        is_whole = False
    if random_.random() < 0.1:
        headers.append("Authorization: " + random_.choice(["Bearer", "Basic ????", "Bearer a b", "x" * 9000]))
    if random_.random() < 0.1:
        headers.append("Expect: 100-continue")
    random_.shuffle(headers)
    message = (head + "\r\n".join(headers) + "\r\n\r\n").encode("latin-1", "replace") + content
    if random_.random() < 0.05:
        return message[:random_.randint(0, len(message))], False
    return message, is_whole


def exchange(server, message, is_whole):
    """The status of what the server answers; None if it only closes, or still waits for the rest."""
    data = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20 if is_whole else 0.1) as connection:
        try:
            connection.sendall(message)
            while len(data) < 1 << 20 and (piece := connection.recv(65536)):
                data += piece
        except (ConnectionResetError, BrokenPipeError):
            pass
        except TimeoutError:
            if is_whole:
                raise
    words = data.split(b" ", 2)
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else None


def main():
    programs = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 3000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 32)
    check = Check()
    random_ = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="hubmerge-fuzz-") as folder:
        folder = Path(folder)
        (folder / "secret").write_text("secret")
        server = Server(programs, folder / "hub")
        client = Client(server)
        client.create("acme/m")
        content = b"weights" * 1000
        commit = client.commit("acme/m", "first", {"README.md": "# M\n"},
                               {"weights.bin": client.upload("acme/m", content)})
        statuses, bad = {}, []
        for _ in range(count):
            message, is_whole = request(random_)
            try:
                status = exchange(server, message, is_whole)
            except TimeoutError:
                status = "hangs"
            except ConnectionRefusedError:
                bad.append(("died before", message[:300]))
                break
            statuses[status] = statuses.get(status, 0) + 1
            if status in (500, "hangs"):
                bad.append((status, message[:300]))
            if not server.alive:
                bad.append(("died", message[:300]))
                break
        for status, message in bad[:10]:
            print(f"      {status}: {message!r}")
        told = ", ".join(f"{status}: {number}" for status, number in
                         sorted(statuses.items(), key=lambda item: -item[1]))
        check(f"{count} strange requests", not bad, f"seed {seed}; {told}")
        after = Client(server)
        repositories = [model["id"] for model in after.json("GET", "/api/models")]
        # Among so many requests may be one that deletes the repository, and nobody has forbidden it.
        check("it serves as before", "acme/m" not in repositories
              or after.file("acme/m", commit, "weights.bin") == content, ", ".join(repositories))
        check("nothing was written beside its folder",
              sorted(p.name for p in folder.iterdir()) == ["hub", "secret"])
        server.stop()
    check.finish()


if __name__ == "__main__":
    main()
