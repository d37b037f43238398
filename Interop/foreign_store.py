# hubmerge: merge language models and publish them
# SPDX-License-Identifier: Apache-2.0

"""A hub whose large files are kept by software that nobody here wrote.

The hub itself is as little as a client needs: what huggingface_hub 2.4.0 and hubmerge ask for. Its store is either
giftless, whose answers to the LFS batch are passed on as they are, or an S3 (moto's), to whose presigned addresses
files go whole or in parts.
"""

import base64
import collections
import hashlib
import http.client
import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.parse

LFS = "application/vnd.git-lfs+json"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, process):
    for _ in range(300):
        if process.poll() is not None:
            raise SystemExit("FAIL  the store ended before it began")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("FAIL  the store does not begin")


class Giftless:
    """An LFS server: https://github.com/datopian/giftless."""

    def __init__(self, programs, folder):
        self.port = free_port()
        configuration = folder / "giftless.yaml"
        configuration.write_text(json.dumps({
            "AUTH_PROVIDERS": ["giftless.auth.allow_anon:read_write"],
            "PRE_AUTHORIZED_ACTION_PROVIDER": {"options": {"private_key": "y" * 32}},
            "TRANSFER_ADAPTERS": {"basic": {"options": {
                "storage_options": {"path": str(folder / "giftless")}}}}}))
        environment = os.environ | {"GIFTLESS_CONFIG_FILE": str(configuration)}
        self.process = subprocess.Popen(
            [programs / "waitress-serve", "--listen", f"127.0.0.1:{self.port}",
             "giftless.wsgi_entrypoint:app"],
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.port, self.process)

    def batch(self, repository, body):
        line = http.client.HTTPConnection("127.0.0.1", self.port)
        line.request("POST", f"/{repository}.git/info/lfs/objects/batch", json.dumps(body),
                     {"Accept": LFS, "Content-Type": LFS})
        reply = line.getresponse()
        return reply.status, json.loads(reply.read())

    def has(self, repository, oid, size):
        action = self.download(repository, oid, size)
        return action is not None

    def download(self, repository, oid, size):
        """Where an object is to be had, and the headers that it takes."""
        _, answer = self.batch(repository, {
            "operation": "download", "transfers": ["basic"], "objects": [{"oid": oid, "size": size}]})
        action = answer["objects"][0].get("actions", {}).get("download")
        return action and (action["href"], action.get("header", {}))


class S3:
    """An S3 with presigned addresses: moto's server, addressed by boto3."""

    def __init__(self, programs, folder, part_size):
        import boto3
        from botocore.config import Config

        self.port = free_port()
        self.part_size = part_size
        self.process = subprocess.Popen(
            [programs / "moto_server", "-H", "127.0.0.1", "-p", str(self.port)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.port, self.process)
        self.client = boto3.client(
            "s3", endpoint_url=f"http://127.0.0.1:{self.port}", region_name="us-east-1",
            aws_access_key_id="x", aws_secret_access_key="y",
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))
        self.client.create_bucket(Bucket="objects")
        self.uploads = {}
        self.completed = 0

    def batch(self, repository, body):
        return 200, {"transfer": "multipart",
                     "objects": [self.answer(o["oid"], o["size"]) for o in body["objects"]]}

    def answer(self, oid, size):
        answer = {"oid": oid, "size": size, "authenticated": True}
        if self.has(None, oid, size):
            return answer
        place = {"Bucket": "objects", "Key": oid}
        if size <= self.part_size:
            href, header = self.sign("put_object", place), {}
        else:
            upload = self.client.create_multipart_upload(**place)["UploadId"]
            self.uploads[oid] = upload
            count = -(-size // self.part_size)
            header = {"chunk_size": str(self.part_size)} | {
                f"{n:05}": self.sign("upload_part", place | {"UploadId": upload, "PartNumber": n})
                for n in range(1, count + 1)}
            href = "/complete"
        return answer | {"actions": {
            "upload": {"href": href, "header": header, "expires_in": 3600},
            "verify": {"href": "/verify", "header": {}}}}

    def sign(self, operation, parameters):
        return self.client.generate_presigned_url(operation, Params=parameters, ExpiresIn=3600)

    def complete(self, body):
        self.completed += 1
        self.client.complete_multipart_upload(
            Bucket="objects", Key=body["oid"], UploadId=self.uploads[body["oid"]],
            MultipartUpload={"Parts": [
                {"PartNumber": p["partNumber"], "ETag": p["etag"]} for p in body["parts"]]})

    def has(self, repository, oid, size):
        try:
            return self.client.head_object(Bucket="objects", Key=oid)["ContentLength"] == size
        except self.client.exceptions.ClientError:
            return False

    def download(self, repository, oid, size):
        return self.sign("get_object", {"Bucket": "objects", "Key": oid}), {}


class Counting:
    """A store in memory that counts what it takes, and takes its time for it."""

    def __init__(self, seconds_per_object):
        self.seconds = seconds_per_object
        self.objects = {}
        self.received = collections.Counter()
        self.bytes = 0
        self.url = None

    def batch(self, repository, body):
        return 200, {"transfer": "basic", "objects": [
            {"oid": o["oid"], "size": o["size"]} | ({} if o["oid"] in self.objects else {
                "actions": {"upload": {"href": f"{self.url}/store/{o['oid']}", "header": {}}}})
            for o in body["objects"]]}

    def forget(self):
        self.objects.clear()
        self.received.clear()
        self.bytes = 0

    def put(self, oid, content):
        time.sleep(self.seconds)
        if hashlib.sha256(content).hexdigest() != oid:
            return 400
        self.received[oid] += 1
        self.bytes += len(content)
        self.objects[oid] = content
        return 200

    def has(self, repository, oid, size):
        return len(self.objects.get(oid, b"")) == size


class Hub(http.server.ThreadingHTTPServer):
    """One public repository per name, each with the commits of `main`."""

    daemon_threads = True

    def __init__(self, store):
        super().__init__(("127.0.0.1", 0), Request)
        self.store = store
        self.trees = {}
        self.lock = threading.Lock()
        self.requests = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # Clients that are killed are what some checks are about.

    def head(self, repository):
        return self.trees[repository][-1]

    def add(self, repository, files):
        """Makes a commit of a whole tree."""
        text = json.dumps([repository, len(self.trees.get(repository, [])), sorted(files)])
        commit = hashlib.sha1(text.encode()).hexdigest()
        self.trees.setdefault(repository, []).append((commit, files))
        return commit


class Request(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def reply(self, value=None, status=200, headers=(), body=None):
        data = body if body is not None else json.dumps(value).encode()
        self.send_response(status)
        if body is None:
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, text in headers:
            self.send_header(name, text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def missing(self, code):
        self.reply({"error": code}, 404, [("X-Error-Code", code)])

    def parts(self):
        path = urllib.parse.urlsplit(self.path).path
        self.server.requests.append(f"{self.command} {path}")
        return [urllib.parse.unquote(part) for part in path.strip("/").split("/")]

    # What is written

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = self.parts()
        hub, store = self.server, self.server.store
        path = "/".join(parts)
        if path == "api/validate-yaml":
            return self.reply({"errors": [], "warnings": []})
        if path == "api/repos/create":
            wish = json.loads(body)
            name = f"{wish['organization']}/{wish['name']}"
            with hub.lock:
                if name in hub.trees:
                    return self.reply({"error": "You already created this model repo"}, 409)
                hub.add(name, {})
            return self.reply({"url": f"{hub.url}/{name}", "name": name})
        if path == "complete":
            store.complete(json.loads(body))
            return self.reply({})
        if path == "verify":
            wish = json.loads(body)
            return self.reply({}, 200 if store.has(None, wish["oid"], wish["size"]) else 404)
        if path.endswith(".git/info/lfs/objects/batch"):
            status, answer = store.batch(f"{parts[0]}/{parts[1].removesuffix('.git')}", json.loads(body))
            return self.reply(answer, status)
        name = f"{parts[2]}/{parts[3]}"
        if name not in hub.trees:
            return self.missing("RepoNotFound")
        if parts[4] == "preupload":
            files = hub.head(name)[1]
            return self.reply({"files": [
                {"path": f["path"], "shouldIgnore": False,
                 "uploadMode": "lfs" if f["path"].endswith(".safetensors") else "regular",
                 "oid": files.get(f["path"], {}).get("etag")} for f in json.loads(body)["files"]]})
        if parts[4] == "commit":
            return self.commit(name, [json.loads(line) for line in body.splitlines()])
        self.missing("EntryNotFound")

    def commit(self, name, lines):
        hub = self.server
        with hub.lock:
            head, files = hub.head(name)
            files = dict(files)
            for line in lines:
                value = line["value"]
                if line["key"] == "header" and value.get("parentCommit", head) != head:
                    return self.reply({"error": "A commit has happened since"}, 412)
                if line["key"] == "file":
                    content = base64.b64decode(value["content"])
                    etag = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
                    files[value["path"]] = {"etag": etag, "size": len(content), "content": content}
                elif line["key"] == "lfsFile":
                    if not hub.store.has(name, value["oid"], value["size"]):
                        return self.reply({"error": "LFS pointer pointed to a file that does not exist:"
                                                    f" {value['oid']}"}, 400)
                    files[value["path"]] = {"etag": value["oid"], "size": value["size"]}
            commit = hub.add(name, files)
        self.reply({"success": True, "commitOid": commit, "commitUrl": f"{hub.url}/{name}/commit/{commit}"})

    def do_PUT(self):
        count = int(self.headers["Content-Length"])
        content = self.rfile.read(count)
        if len(content) == count:
            status = self.server.store.put(self.parts()[1], content)
            self.reply({}, status, [("ETag", '"x"')])

    # What is read

    def do_GET(self):
        parts = self.parts()
        hub = self.server
        if parts == ["api", "whoami-v2"]:
            return self.reply({"type": "user", "name": "acme", "orgs": [],
                               "auth": {"accessToken": {"displayName": "x", "role": "write"}}})
        if parts[:1] == ["api"]:
            name = f"{parts[2]}/{parts[3]}"
            if name not in hub.trees:
                return self.missing("RepoNotFound")
            commit, files = hub.head(name)
            if len(parts) > 4 and parts[4] == "tree":
                return self.reply([
                    {"type": "file", "path": path, "size": file["size"], "oid": file["etag"][:40]}
                    | ({} if "content" in file else {
                        "lfs": {"oid": file["etag"], "size": file["size"], "pointerSize": 134}})
                    for path, file in sorted(files.items())])
            return self.reply({"id": name, "sha": commit, "private": False, "tags": [],
                               "siblings": [{"rfilename": path} for path in sorted(files)]})
        name = f"{parts[0]}/{parts[1]}"
        if name not in hub.trees or parts[2:3] != ["resolve"]:
            return self.missing("RepoNotFound")
        commit, files = hub.head(name)
        path = "/".join(parts[4:])
        if path not in files:
            return self.reply({"error": "EntryNotFound"}, 404,
                              [("X-Error-Code", "EntryNotFound"), ("X-Repo-Commit", commit)])
        file = files[path]
        headers = [("X-Repo-Commit", commit), ("ETag", f'"{file["etag"]}"')]
        if "content" in file:
            return self.reply(headers=headers, body=file["content"])
        href, more = hub.store.download(name, file["etag"], file["size"])
        headers += [("X-Linked-Etag", f'"{file["etag"]}"'), ("X-Linked-Size", str(file["size"]))]
        if more:
            # A redirect cannot carry headers.
            target = urllib.parse.urlsplit(href)
            line = http.client.HTTPConnection(target.netloc)
            line.request("GET", f"{target.path}?{target.query}", headers=more)
            return self.reply(headers=headers, body=line.getresponse().read())
        self.reply({}, 302, headers + [("Location", href)])

    do_HEAD = do_GET
