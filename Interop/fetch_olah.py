# hubmerge: merge language models and publish them
# SPDX-License-Identifier: Apache-2.0

"""hubmerge fetches through olah, a mirror of the Hub that knows nothing of hubmerge.

usage: fetch_olah.py <folder of the programs>

The mirror's own upstream is a local hub; nothing leaves this machine.
"""

import json
import random
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

from fetch_environments import programs_of
from local_hub import Check, local_hub

FILES = {
    "config.json": b'{"model_type": "llama"}',
    "README.md": b"---\nlicense: mit\n---\n",
    "a/b/deep.txt": b"deep",
    "model.safetensors": random.Random(1).randbytes(40_000_000),
}


def models(bench):
    folder = bench.folder / "one"
    for path, content in FILES.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return {"acme/one": folder}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def blob_origin(bench):
    """Host and port that the hub keeps large files at."""
    class NoRedirect(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *arguments):
            return None

    opener = urllib.request.build_opener(NoRedirect)
    try:
        opener.open(f"{bench.endpoint}/acme/one/resolve/main/model.safetensors")
    except urllib.error.HTTPError as reply:
        return reply.headers["Location"].split("/")[2]


def wait_for(port, process, log):
    for _ in range(300):
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit("FAIL  olah does not start\n" + log.read_text()[-2000:])


def main():
    check = Check()
    olah = programs_of("olah==0.5.4")
    with local_hub(sys.argv[1], models) as bench:
        port = free_port()
        log = bench.folder / "olah.log"
        command = [
            olah / "olah-cli", "--host", "127.0.0.1", "--port", str(port),
            "--hf-scheme", "http", "--hf-netloc", bench.endpoint.split("//")[1],
            "--hf-lfs-netloc", blob_origin(bench), "--mirror-scheme", "http",
            "--mirror-netloc", f"127.0.0.1:{port}", "--mirror-lfs-netloc", f"127.0.0.1:{port}",
            "--repos-path", str(bench.folder / "mirror"), "--log-path", str(bench.folder / "logs"),
        ]
        with log.open("w") as out:
            mirror = subprocess.Popen(command, env=bench.environment("mirror-home"), stdout=out,
                                      stderr=out, cwd=bench.folder)
        try:
            wait_for(port, mirror, log)
            for home in ["first", "second"]:
                done = subprocess.run(
                    [bench.programs / "hubmerge", "fetch", "acme/one", "--json", "--endpoint",
                     f"http://127.0.0.1:{port}"],
                    env=bench.environment(home), capture_output=True, text=True)
                files = json.loads(done.stdout)[0]["files"] if done.stdout else []
                sizes = {f["path"]: f["bytes"] for f in files if f["path"] != ".gitattributes"}
                whole = done.returncode == 0 and sizes == {k: len(v) for k, v in FILES.items()}
                source = "through olah" if home == "first" else "out of olah's own cache"
                check(f"hubmerge fetches {source}", whole, done.stderr.strip()[-500:])
                if files:
                    path = next(f for f in files if f["path"] == "model.safetensors")
                    check("the digest is that of the content", path["digest"] is not None)
        finally:
            mirror.terminate()
            mirror.wait(timeout=30)
        if check.failed:
            print(log.read_text()[-3000:], file=sys.stderr)
    check.finish()


if __name__ == "__main__":
    main()
