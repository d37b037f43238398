# hubmerge: merge language models and publish them
# SPDX-License-Identifier: Apache-2.0

"""Pushes a model to stores that nobody here wrote, and reads it back with other people's software.

usage: push_stores.py FOLDER-OF-THE-PROGRAMS

The stores are giftless 0.6.2 (an LFS server that wants a token of its own for each object) and moto's S3, behind
presigned addresses, to which files go whole and in parts. What is pushed is read back by huggingface_hub and loaded
by transformers.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from fetch_environments import programs_of
from foreign_store import Giftless, Hub, S3
from local_hub import Bench, Check

ROOT = Path(__file__).resolve().parent.parent

READ_BACK = """
import hashlib, json, sys
from huggingface_hub import HfApi, snapshot_download
from transformers import AutoModelForCausalLM, AutoTokenizer
folder = snapshot_download("acme/one")
tokenizer = AutoTokenizer.from_pretrained("acme/one")
model = AutoModelForCausalLM.from_pretrained("acme/one")
ids = tokenizer("The License", return_tensors="pt").input_ids
assert model(ids).logits.isfinite().all()
print(folder)
"""


def push(bench, *arguments, **environment):
    return json.loads(bench.run("hubmerge", "push", bench.folder / "models" / "base", "acme/one", "--json",
                                "--verify", *arguments, **environment))


def check_store(check, bench, hub, name):
    bench.endpoint = hub.url
    first = push(bench)
    files = [p for p in (bench.folder / "models" / "base").iterdir() if p.is_file()]
    size = sum(p.stat().st_size for p in files)
    check(f"{name}: the model is pushed in one commit, every digest read again",
          first["new_commit"] and first["verified"] and len(first["commits"]) == 1
          and first["bytes_sent"] == size, f"{first['bytes_sent']} bytes")
    second = push(bench)
    check(f"{name}: pushed again, there is nothing to send and no commit",
          not second["new_commit"] and second["bytes_sent"] == 0)
    home = f"home-{name}"
    done = subprocess.run([sys.executable, "-c", READ_BACK], env=bench.environment(home),
                          stdout=subprocess.PIPE, text=True)
    check(f"{name}: huggingface_hub fetches it, transformers loads it and computes", done.returncode == 0)
    if done.returncode == 0:
        folder = Path(done.stdout.strip().splitlines()[-1])
        wrong = [p.name for p in files if p.read_bytes() != (folder / p.name).read_bytes()]
        check(f"{name}: every byte came back", not wrong, ", ".join(wrong))


def main():
    check = Check()
    programs = Path(sys.argv[1]).resolve()
    # giftless does not say what it needs; later versions of pyjwt refuse its tokens of nobody.
    stores = programs_of("giftless==0.6.2 waitress flask flask-classful flask-marshmallow marshmallow-enum"
                         " webargs pyjwt==2.9.0 figcan cryptography python-dateutil"
                         " python-dotenv pyyaml typing-extensions")
    s3 = programs_of("moto[s3,server]")
    with tempfile.TemporaryDirectory(prefix="hubmerge-push-") as folder:
        bench = Bench(programs, Path(folder))
        bench.run("DemoModels", bench.folder / "models", ROOT / "LICENSE")

        giftless = Giftless(stores, bench.folder)
        try:
            check_store(check, bench, Hub(giftless), "giftless")
        finally:
            giftless.process.terminate()

        moto = S3(s3, bench.folder, part_size=64 << 20)
        try:
            check_store(check, bench, Hub(moto), "S3, whole")
        finally:
            moto.process.terminate()

        # The shortest parts that an S3 takes.
        moto = S3(s3, bench.folder, part_size=5 << 20)
        try:
            check_store(check, bench, Hub(moto), "S3, in parts")
            shards = [p for p in (bench.folder / "models" / "base").glob("*.safetensors")
                      if p.stat().st_size > moto.part_size]
            check("S3, in parts: each large file was put together once", moto.completed == len(shards) > 0)
        finally:
            moto.process.terminate()
    check.finish()


if __name__ == "__main__":
    main()
