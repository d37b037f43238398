# hubmerge: merge language models and publish them
# SPDX-License-Identifier: Apache-2.0

"""huggingface_hub and hubmerge read each other's caches.

usage: fetch_cache.py <folder of the programs>
"""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

from fetch_environments import programs_of
from local_hub import Check, local_hub

VERSIONS = ["huggingface_hub==2.4.0", "huggingface_hub>=1,<2"]

FILES = {
    "config.json": b'{"model_type": "llama"}',
    "README.md": b"---\nlicense: mit\n---\n",
    "a/b/deep.txt": b"deep",
    "empty.txt": b"",
    "model.safetensors": random.Random(1).randbytes(9_000_000),
}

SNAPSHOT = """
import huggingface_hub, json, pathlib, sys
folder = pathlib.Path(huggingface_hub.snapshot_download("acme/one", local_files_only={offline}, allow_patterns={only}))
print(json.dumps({{str(p.relative_to(folder)): p.stat().st_size for p in folder.rglob("*") if p.is_file()}}))
"""


ABSENT = """
from huggingface_hub import _CACHED_NO_EXIST, try_to_load_from_cache
print(try_to_load_from_cache("acme/one", "adapter_config.json") is _CACHED_NO_EXIST)
"""


def models(bench):
    folder = bench.folder / "one"
    for path, content in FILES.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return {"acme/one": folder}


def snapshot(bench, programs, home, offline, only=None):
    """Paths and sizes of what Python's `snapshot_download` comes to; its complaint if it fails."""
    environment = bench.environment(home, **({"HF_HUB_OFFLINE": "1"} if offline else {}))
    done = subprocess.run(
        [programs / "python", "-c", SNAPSHOT.format(offline=offline, only=only)],
        env=environment, capture_output=True, text=True)
    if done.returncode:
        return done.stderr.strip().splitlines()[-1]
    return json.loads(done.stdout.splitlines()[-1])


def fetch(bench, home, *arguments, user=None, **environment):
    """Exit status, result and words of `hubmerge fetch --json`."""
    done = subprocess.run(
        [bench.programs / "hubmerge", "fetch", "acme/one", "--json", *arguments],
        env=bench.environment(home, **environment), capture_output=True, text=True, user=user)
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


def expected():
    return {path: len(content) for path, content in FILES.items()}


def without_attributes(found):
    return {k: v for k, v in found.items() if k != ".gitattributes"} \
        if isinstance(found, dict) else found


def check_version(bench, check, requirement):
    programs = programs_of(requirement)
    version = subprocess.run(
        [programs / "python", "-c", "import huggingface_hub as h; print(h.__version__)"],
        capture_output=True, text=True, check=True).stdout.strip()
    name = f"huggingface_hub {version}"

    ours = f"ours-{version}"
    status, _, words = fetch(bench, ours)
    check(f"hubmerge fetches for {name}", status == 0, words.strip())
    found = snapshot(bench, programs, ours, offline=True)
    check(f"{name} reads our cache offline", without_attributes(found) == expected(), found)

    fetch(bench, ours, "--include", "adapter_config.json")
    done = subprocess.run([programs / "python", "-c", ABSENT], env=bench.environment(ours),
                          capture_output=True, text=True)
    check(f"{name} knows from our cache which file is not there", done.stdout.strip() == "True",
          done.stderr.strip()[-300:])

    part = f"part-{version}"
    fetch(bench, part, "--include", "*.json")
    found = snapshot(bench, programs, part, offline=True)
    says_so = isinstance(found, str) and "IncompleteSnapshotError" in found
    # Versions before 2 know no listing that tells what is missing.
    check(f"{name} sees that our snapshot is incomplete",
          says_so or (not version.startswith("2") and isinstance(found, dict)),
          "it has no such check" if not says_so else "")

    theirs = f"theirs-{version}"
    found = snapshot(bench, programs, theirs, offline=False)
    check(f"{name} fetches", without_attributes(found) == expected(), found)
    status, result, words = fetch(bench, theirs, HF_HUB_OFFLINE="1")
    files = {f["path"]: f["bytes"] for f in result[0]["files"]} if result else words
    check(f"hubmerge reads the cache of {name} offline",
          status == 0 and without_attributes(files) == expected(), f"status {status}")
    status, result, words = fetch(bench, theirs)
    reused = status == 0 and all(f["reused"] for f in result[0]["files"])
    check(f"hubmerge fetches nothing that {name} has", reused, words.strip())
    verified = subprocess.run(
        [bench.programs / "hubmerge", "cache", "verify", "acme/one"],
        env=bench.environment(theirs), capture_output=True, text=True)
    check(f"hubmerge verifies the cache of {name}", verified.returncode == 0,
          verified.stdout.strip())

    half = f"half-{version}"
    snapshot(bench, programs, half, offline=False, only=["*.json"])
    status, _, words = fetch(bench, half, HF_HUB_OFFLINE="1")
    complains = status == 66 and "not complete" in words
    tells = status == 0 and "may lack files" in words
    check(f"hubmerge sees that the snapshot of {name} is incomplete", complains or tells,
          words.strip().splitlines()[0] if words.strip() else f"status {status}")


def check_read_only(bench, check):
    """A cache that belongs to somebody else."""
    fetch(bench, "read-only")
    root = bench.folder / "read-only"
    if os.geteuid() == 0:
        # Nobody may enter here, and write nothing.
        bench.folder.chmod(0o755)
        user = 65534
    else:
        for folder in [root, *root.rglob("*")]:
            if folder.is_dir() and not folder.is_symlink():
                folder.chmod(0o555)
        user = None
    before = sorted(map(str, root.rglob("*")))
    status, result, words = fetch(bench, "read-only", user=user)
    check("a cache that cannot be written is used",
          status == 0 and all(f["reused"] for f in result[0]["files"])
          and sorted(map(str, root.rglob("*"))) == before, words.strip() or f"status {status}")
    if user is None:
        for folder in [root, *root.rglob("*")]:
            if folder.is_dir() and not folder.is_symlink():
                folder.chmod(0o755)


def check_processes(bench, check):
    """Several processes that want the same content."""
    home = "shared"
    command = [bench.programs / "hubmerge", "fetch", "acme/one", "--json"]
    running = [
        subprocess.Popen(command, env=bench.environment(home), stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, text=True)
        for _ in range(4)
    ]
    results = [json.loads(process.communicate()[0])[0]["files"] for process in running]
    fetched = sum(not f["reused"] for files in results for f in files
                  if f["path"] == "model.safetensors")
    check("four processes at once fetch a content once", fetched == 1, f"{fetched} fetched it")


def main():
    check = Check()
    with local_hub(sys.argv[1], models) as bench:
        for requirement in VERSIONS:
            check_version(bench, check, requirement)
        check_read_only(bench, check)
        check_processes(bench, check)
    check.finish()


if __name__ == "__main__":
    main()
