# hubmerge: merge language models and publish them
# SPDX-License-Identifier: Apache-2.0

"""Merges the demo models, publishes them, and has other people's software read the result.

usage: demo_roundtrip.py FOLDER-OF-THE-PROGRAMS
"""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

from local_hub import Check, local_hub

ROOT = Path(__file__).resolve().parent.parent

RECIPES = {
    "linear": """\
merge_method: linear
models:
  - {model: demo/math, parameters: {weight: 0.7}}
  - {model: demo/code, parameters: {weight: 0.4}}
dtype: bfloat16
""",
    "slerp": """\
merge_method: slerp
base_model: demo/math
models:
  - model: demo/math
  - model: demo/code
parameters: {t: 0.3}
dtype: bfloat16
""",
    "ties": """\
merge_method: ties
base_model: demo/base
models:
  - {model: demo/math, parameters: {weight: 0.5, density: 0.5}}
  - {model: demo/code, parameters: {weight: 0.5, density: 0.5}}
dtype: bfloat16
""",
}

# Run by a process of its own that may not go to the network.
OFFLINE = """
from transformers import AutoModelForCausalLM, AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained("demo/linear-merge")
model, info = AutoModelForCausalLM.from_pretrained("demo/linear-merge", output_loading_info=True)
assert not info["missing_keys"] and not info["unexpected_keys"], info
ids = tokenizer("The License", return_tensors="pt").input_ids
assert model(ids).logits.isfinite().all()
print(sum(p.numel() for p in model.parameters()))
"""


def make_models(bench):
    bench.run("DemoModels", bench.folder / "models", ROOT / "LICENSE")
    return {f"demo/{name}": bench.folder / "models" / name for name in ("base", "math", "code")}


def tensors(folder):
    """The tensors of a checkpoint in double precision, as the safetensors library reads them."""
    from safetensors.torch import load_file

    loaded = {}
    for path in sorted(Path(folder).glob("*.safetensors")):
        loaded |= load_file(path)
    return {name: tensor.double().numpy() for name, tensor in loaded.items()}


def linear(math, code):
    return (0.7 * math + 0.4 * code) / (0.7 + 0.4)


def slerp(math, code, t=0.3):
    import numpy as np

    cosine = np.sum(math * code) / (np.linalg.norm(math) * np.linalg.norm(code))
    if abs(cosine) > 0.9995:
        return (1 - t) * math + t * code
    angle = np.arccos(cosine)
    return (np.sin((1 - t) * angle) * math + np.sin(t * angle) * code) / np.sin(angle)


def wrong(merged, expected, one, other):
    """How many numbers are not the expected ones rounded once to bfloat16.

    Merges are computed in single precision, so a result of cancellation may be off by as much as
    single precision loses of what it is made of.
    """
    import numpy as np

    _, exponent = np.frexp(np.where(expected == 0, 1e-30, expected))
    allowed = np.ldexp(0.5, exponent - 8) + np.ldexp(np.abs(one) + np.abs(other), -22)
    return int(np.sum(np.abs(merged - expected) > allowed))


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file() and ".cache" not in path.parts
    }


def main(programs):
    check = Check()
    with local_hub(programs, make_models) as bench:
        bench.use("python-home")
        import huggingface_hub
        from transformers import AutoModelForCausalLM, AutoTokenizer

        api = huggingface_hub.HfApi(endpoint=bench.endpoint)
        sources = {name: tensors(bench.folder / "models" / name) for name in ("base", "math", "code")}
        reference = AutoTokenizer.from_pretrained(bench.folder / "models" / "base")

        for method, text in RECIPES.items():
            repository = f"demo/{method}-merge"
            report = json.loads(bench.run(
                "hubmerge", "release", bench.recipe(method, text), repository, "--json",
                "--out-shard-size", "12M"))
            info = api.model_info(repository, files_metadata=True)
            check(f"{method}: the hub's head is the commit that release reports",
                  info.sha == report["push"]["commit"], info.sha[:12])

            folder = huggingface_hub.snapshot_download(repository)
            large = [s for s in info.siblings if s.lfs]
            check(f"{method}: huggingface_hub fetches the files, and weights have their digests",
                  [s.rfilename for s in large] == report["merge"]["shards"] and len(large) > 1 and all(
                      hashlib.sha256((Path(folder) / s.rfilename).read_bytes()).hexdigest()
                      == s.lfs.sha256 for s in large),
                  f"{len(info.siblings)} files, {len(large)} large")

            model, loading = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
            check(f"{method}: transformers loads it, no key missing or unexpected",
                  not any(loading.values()) and str(model.dtype) == "torch.bfloat16")
            tokenizer = AutoTokenizer.from_pretrained(folder)
            sentence = "Licensed under the Apache License: func merge() -> ☃"
            check(f"{method}: its tokenizer is that of the base",
                  tokenizer(sentence).input_ids == reference(sentence).input_ids
                  and tokenizer.get_vocab() == reference.get_vocab()
                  and tokenizer.chat_template == reference.chat_template)
            card = huggingface_hub.ModelCard.load(Path(folder) / "README.md")
            check(f"{method}: huggingface_hub reads the card",
                  card.data.base_model and card.data.to_dict().get("base_model_relation") == "merge"
                  and "merge" in card.data.tags and text.strip() in card.content)

            merged = tensors(folder)
            check(f"{method}: it has the tensors of the sources",
                  {k: v.shape for k, v in merged.items()}
                  == {k: v.shape for k, v in sources["math"].items()}, f"{len(merged)} tensors")
            if method in ("linear", "slerp"):
                rule = globals()[method]
                faults = 0
                for name, result in merged.items():
                    one, other = sources["math"][name], sources["code"][name]
                    faults += wrong(result, rule(one, other), one, other)
                count = sum(tensor.size for tensor in merged.values())
                check(f"{method}: every number is numpy's, rounded once",
                      faults == 0, f"{faults} of {count} are not")
            else:
                between = all(
                    ((merged[n] != sources["base"][n])
                     <= ((sources["math"][n] != sources["base"][n])
                         | (sources["code"][n] != sources["base"][n]))).all() for n in merged)
                check("ties: only what a source has changed is changed", between)

        fetched = bench.run("hubmerge", "fetch", "--quiet", "demo/linear-merge", home="our-home").strip()
        theirs = huggingface_hub.snapshot_download("demo/linear-merge")
        check("fetch: our cache has the same snapshot as theirs",
              digests(fetched) == digests(theirs) and Path(fetched).name == Path(theirs).name)
        again = subprocess.run(
            [sys.executable, "-c", "import huggingface_hub as h;"
             "print(h.snapshot_download('demo/linear-merge', local_files_only=True))"],
            env=bench.environment("our-home", HF_HUB_OFFLINE="1"), stdout=subprocess.PIPE, text=True)
        check("fetch: huggingface_hub finds the snapshot in our cache",
              again.returncode == 0 and Path(again.stdout.strip()) == Path(fetched))
        offline = subprocess.run(
            [sys.executable, "-c", OFFLINE], stdout=subprocess.PIPE, text=True,
            env=bench.environment("our-home", HF_HUB_OFFLINE="1", HF_ENDPOINT="http://127.0.0.1:9"))
        check("fetch: transformers loads it from our cache, offline", offline.returncode == 0,
              f"{offline.stdout.strip()} parameters")
    check.finish()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
