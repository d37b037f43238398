# hubmerge: merge language models and publish them
# SPDX-License-Identifier: Apache-2.0

"""`hubmerge serve` under the official clients: huggingface_hub in three major versions, `hf`, transformers
and datasets.

usage: serve_official.py <folder of the programs>

Older clients get environments of their own beside this one, made on first use.
"""

import json
import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from fetch_environments import programs_of
from local_hub import Bench, Check

HERE = Path(__file__).parent
CLIENTS = ["huggingface_hub==0.36.2", "huggingface_hub==1.33.0"]
TOKENS = {"WRITER": "hf_ann", "READER": "hf_bob", "STRANGER": "hf_eve"}
CARD = """---
license: mit
tags: [interop]
---
# A model
"""


def safetensors(**tensors):
    header, data = {}, b""
    for name, values in tensors.items():
        raw = struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": [len(values)], "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def source(folder):
    (folder / "sub").mkdir(parents=True)
    (folder / "README.md").write_text(CARD)
    (folder / "config.json").write_text('{"architectures": ["X"], "model_type": "x"}')
    (folder / "sub/notes.txt").write_text("notes\n")
    (folder / "empty.txt").write_bytes(b"")
    (folder / "model.safetensors").write_bytes(safetensors(a=[1, 2, 3], b=[4, 5, 6]))
    # More than goes up in one piece.
    (folder / "large.bin").write_bytes((bytes(range(251)) * 280_000)[:70_000_000])


class Hub:
    """A hub with three users: a writer and a reader of acme, and a stranger."""

    def __init__(self, programs, folder):
        self.bench = Bench(programs, folder)
        tokens = folder / "tokens"
        tokens.write_text("ann write hf_ann acme\nbob read hf_bob acme\neve write hf_eve eve\n")
        command = [self.bench.programs / "hubmerge", "serve", "--quiet", "--port", "0",
                   "--root", folder / "hub", "--tokens", tokens]
        self.server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.bench.endpoint = self.bench.endpoint_of(self.server)

    def __enter__(self):
        return self.bench

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait(timeout=30)


def told(check, process, prefix):
    """Makes the claims of another process ours."""
    count = 0
    for line in process.stdout.splitlines():
        if line.startswith(("PASS  ", "FAIL  ")):
            check(f"{prefix}: {line[6:]}", line.startswith("PASS"))
            count += 1
    if process.returncode or not count:
        print(process.stdout, process.stderr, sep="\n")
        check(f"{prefix}: ran to its end", False)


def client(check, programs, python, version):
    with tempfile.TemporaryDirectory(prefix="hubmerge-official-") as folder:
        folder = Path(folder)
        source(folder / "source")
        with Hub(programs, folder) as bench:
            done = subprocess.run(
                [python, HERE / "serve_client.py", folder], capture_output=True, text=True,
                env=bench.environment("home", **TOKENS))
            told(check, done, version)


def command_line(check, programs, hf):
    """`hf`, the program: log in, upload, download, list, delete."""
    with tempfile.TemporaryDirectory(prefix="hubmerge-hf-") as folder:
        folder = Path(folder)
        source(folder / "source")
        with Hub(programs, folder) as bench:
            def run(*words, token="hf_ann"):
                done = subprocess.run(
                    [hf, *map(str, words)], capture_output=True, text=True,
                    env=bench.environment("home", HF_TOKEN=token))
                if done.returncode:
                    print(done.stdout, done.stderr, sep="\n")
                return done
            claims = [
                ("hf auth whoami", run("auth", "whoami"), "ann"),
                ("hf repos create", run("repos", "create", "acme/cli", "--private"), "acme/cli"),
                ("hf upload", run("upload", "acme/cli", folder / "source"), "acme/cli"),
                ("hf download", run("download", "acme/cli", "--local-dir", folder / "copy"), "copy"),
                ("hf models list", run("models", "list", "--search", "cli", "--format", "json"), "acme/cli"),
                ("hf models info", run("models", "info", "acme/cli"), "acme/cli"),
                ("hf repos tag create", run("repos", "tag", "create", "acme/cli", "v1"), "v1"),
                ("hf repos delete-files", run("repos", "delete-files", "acme/cli", "sub/*"), ""),
                ("hf repos delete", run("repos", "delete", "acme/cli", "--yes"), ""),
            ]
            for claim, done, text in claims:
                check(claim, done.returncode == 0 and text in done.stdout + done.stderr)
            same = all((folder / "copy" / name).read_bytes() == (folder / "source" / name).read_bytes()
                       for name in ("large.bin", "model.safetensors", "README.md", "sub/notes.txt"))
            check("hf download: the same bytes", same)


LOAD = """
import sys, torch
from transformers import AutoConfig, AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM
import datasets
model = LlamaForCausalLM(LlamaConfig(
    vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2))
model.push_to_hub("acme/llama", max_shard_size="20KB")
loaded = AutoModelForCausalLM.from_pretrained("acme/llama")
same = all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), loaded.state_dict().values()))
print("PASS" if same else "FAIL", " push_to_hub and from_pretrained, in shards")
print("PASS" if AutoConfig.from_pretrained("acme/llama").hidden_size == 32 else "FAIL", " AutoConfig")
rows = datasets.Dataset.from_dict({"text": [f"row {i}" for i in range(500)], "label": list(range(500))})
rows.push_to_hub("acme/rows", private=True)
back = datasets.load_dataset("acme/rows", split="train")
print("PASS" if back["text"] == rows["text"] and back["label"] == rows["label"] else "FAIL",
      " Dataset.push_to_hub and load_dataset, private")
stream = datasets.load_dataset("acme/rows", split="train", streaming=True)
print("PASS" if next(iter(stream))["text"] == "row 0" else "FAIL", " load_dataset, streamed")
"""


def loaders(check, programs):
    with tempfile.TemporaryDirectory(prefix="hubmerge-loaders-") as folder:
        with Hub(programs, Path(folder)) as bench:
            done = subprocess.run(
                [sys.executable, "-c", LOAD], capture_output=True, text=True,
                env=bench.environment("home", HF_TOKEN="hf_ann"))
            told(check, done, "loaders")


def main():
    programs = Path(sys.argv[1]).resolve()
    check = Check()
    import huggingface_hub
    client(check, programs, sys.executable, f"huggingface_hub {huggingface_hub.__version__}")
    for requirement in CLIENTS:
        client(check, programs, programs_of(requirement) / "python", requirement.replace("==", " "))
    command_line(check, programs, Path(sys.executable).with_name("hf"))
    try:
        import datasets, transformers  # noqa: F401
    except ImportError as missing:
        print(f"SKIP  loaders: {missing.name} is not installed")
    else:
        loaders(check, programs)
    check.finish()


if __name__ == "__main__":
    main()
