# hubmerge: merge language models and publish them
# SPDX-License-Identifier: Apache-2.0

"""A hub as a process of its own, and plain requests to it, for the checks that treat it badly."""

import base64
import hashlib
import http.client
import json
import subprocess
import urllib.parse
from pathlib import Path


class Server:
    """`hubmerge serve` over a folder; can be killed and started again."""

    def __init__(self, programs, root, *arguments):
        self.command = [Path(programs).resolve() / "hubmerge", "serve", "--quiet", "--port", "0",
                        "--root", root, *arguments]
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline().strip()
        if not line.startswith("http://127.0.0.1:"):
            raise SystemExit(f"FAIL  hubmerge serve said {line!r} in place of its address")
        self.url = line
        self.port = int(line.rsplit(":", 1)[1])

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)

    @property
    def alive(self):
        return self.process.poll() is None

    def memory(self):
        """Resident memory in MB: now, and at most."""
        status = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        fields = dict(line.split(":", 1) for line in status)
        return tuple(int(fields[key].split()[0]) / 1000 for key in ("VmRSS", "VmHWM"))


class Refused(Exception):
    def __init__(self, status, body):
        super().__init__(f"{status}: {body[:200]!r}")
        self.status = status


class Client:
    """One connection to the hub, and what a client says over it."""

    def __init__(self, server, timeout=60):
        self.server = server
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=timeout)

    def request(self, method, path, body=None, headers=None):
        self.connection.request(method, path, body=body, headers=headers or {})
        reply = self.connection.getresponse()
        data = reply.read()
        if reply.status >= 400:
            raise Refused(reply.status, data)
        return reply, data

    def json(self, method, path, value=None):
        body = None if value is None else json.dumps(value)
        return json.loads(self.request(method, path, body, {"Content-Type": "application/json"})[1])

    def create(self, repository):
        organization, name = repository.split("/")
        return self.json("POST", "/api/repos/create", {"name": name, "organization": organization})

    def upload(self, repository, content):
        """Sends an object; the line of a commit that makes it a file."""
        oid = hashlib.sha256(content).hexdigest()
        batch = self.json("POST", f"/{repository}.git/info/lfs/objects/batch", {
            "operation": "upload", "transfers": ["basic"],
            "objects": [{"oid": oid, "size": len(content)}]})
        upload = batch["objects"][0].get("actions", {}).get("upload")
        if upload:
            url = urllib.parse.urlsplit(upload["href"])
            other = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
            other.request("PUT", f"{url.path}?{url.query}", body=content)
            reply = other.getresponse()
            data = reply.read()
            other.close()
            if reply.status != 200:
                raise Refused(reply.status, data)
        return {"oid": oid, "size": len(content), "algo": "sha256"}

    def commit(self, repository, summary, files, large=()):
        """`files` are texts by path, `large` the lines of uploaded objects by path. The commit's id."""
        lines = [{"key": "header", "value": {"summary": summary}}]
        for path, text in dict(files).items():
            content = base64.b64encode(text.encode()).decode()
            lines.append({"key": "file", "value": {
                "path": path, "content": content, "encoding": "base64"}})
        for path, line in dict(large).items():
            lines.append({"key": "lfsFile", "value": {"path": path, **line}})
        body = "".join(json.dumps(line) + "\n" for line in lines)
        _, data = self.request("POST", f"/api/models/{repository}/commit/main", body,
                               {"Content-Type": "application/x-ndjson"})
        return json.loads(data)["commitOid"]

    def file(self, repository, revision, path, headers=None):
        """A file's bytes, by way of the other origin if they are there."""
        reply, data = self.request("GET", f"/{repository}/resolve/{revision}/{path}", headers=headers)
        if reply.status == 302:
            url = urllib.parse.urlsplit(reply.headers["Location"])
            other = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
            other.request("GET", f"{url.path}?{url.query}", headers=headers or {})
            reply = other.getresponse()
            data = reply.read()
            other.close()
            if reply.status >= 400:
                raise Refused(reply.status, data)
        return data

    def close(self):
        self.connection.close()
