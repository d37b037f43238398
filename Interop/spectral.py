# hubmerge: merge language models and publish them
# SPDX-License-Identifier: Apache-2.0

"""The spectral merge methods against the same formulas in numpy, in double precision and by full decompositions.

Usage: spectral.py PROGRAM. Makes models of some matrices in a temporary folder, merges them with each method, and
compares every element.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from safetensors.numpy import load_file, save_file

PROGRAM = str(pathlib.Path(sys.argv[1]).resolve())
SHAPES = {
    "model.layers.0.self_attn.q_proj.weight": (256, 256),
    "model.layers.0.self_attn.k_proj.weight": (64, 256),
    "model.layers.0.mlp.up_proj.weight": (688, 256),
    "model.layers.0.mlp.down_proj.weight": (256, 688),
    "model.layers.0.mlp.experts.down_proj": (3, 96, 40),
    "model.embed_tokens.weight": (300, 256),
    "model.norm.weight": (256,),
}
TASKS = 3


def models(rank):
    """A base and its fine-tunes; with a rank, what they learned is a matrix of that rank, as a LoRA's."""
    rng = np.random.default_rng(7)
    base = {n: (rng.standard_normal(s) * 0.05).astype(np.float32) for n, s in SHAPES.items()}
    result = [base]
    for _ in range(TASKS):
        tuned = {}
        for name, shape in SHAPES.items():
            if rank and len(shape) > 1:
                left = rng.standard_normal(shape[:-1] + (rank,))
                right = rng.standard_normal(shape[:-2] + (rank, shape[-1]))
                change = left @ right * 1e-3
            else:
                change = rng.standard_normal(shape) * 2e-3
            tuned[name] = (base[name] + change).astype(np.float32)
        result.append(tuned)
    return result


def svd(matrix):
    """Without the singular values that are nothing but rounding."""
    u, s, v = np.linalg.svd(matrix, full_matrices=False)
    kept = s > s[0] * 2.0**-20
    return u[:, kept], s[kept], v[kept]


def polar(matrix):
    u, _, v = svd(matrix)
    return u @ v


def iso_c(base, tuned):
    u, s, v = svd(sum(t - base for t in tuned))
    return base + s.mean() * (u @ v)


def tsv_m(base, tuned):
    share = max(1, min(base.shape) // TASKS)
    parts = [svd(t - base) for t in tuned]
    u = np.concatenate([p[0][:, :share] for p in parts], axis=1)
    s = np.concatenate([p[1][:share] for p in parts])
    v = np.concatenate([p[2][:share] for p in parts])
    return base + polar(u) @ np.diag(s) @ polar(v)


def star(base, tuned, eta=0.4):
    total = np.zeros_like(base)
    for model in tuned:
        u, s, v = svd(model - base)
        r = int(np.searchsorted(np.cumsum(s), eta * s.sum())) + 1
        total += (u[:, :r] * (s[:r] * s.sum() / s[:r].sum())) @ v[:r]
    return base + total / TASKS


def cart(base, tuned, rank=0.08):
    mean = sum(tuned) / TASKS
    result = mean.copy()
    r = max(1, int(rank * min(base.shape)))
    for model in tuned:
        u, s, v = svd(model - mean)
        result += (u[:, :r] * s[:r]) @ v[:r]
    return result


def expected(method, name, tensors):
    base, tuned = tensors[0], tensors[1:]
    if base.ndim == 1 or "embed" in name:
        return sum(tuned) / TASKS
    if base.ndim == 3:
        return np.stack([expected(method, "matrix", [t[i] for t in tensors]) for i in range(len(base))])
    return method(base, tuned)


def main():
    failures = 0
    for rank in (None, 4):
        all_models = models(rank)
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            for number, tensors in enumerate(all_models):
                (folder / f"m{number}").mkdir()
                save_file(tensors, folder / f"m{number}" / "model.safetensors")
                config = {"architectures": ["LlamaForCausalLM"], "num_hidden_layers": 1}
                (folder / f"m{number}" / "config.json").write_text(json.dumps(config))
            for method in (iso_c, tsv_m, star, cart):
                base = "" if method is cart else "base_model: m0\n"
                models_text = "".join(f"  - model: m{n}\n" for n in range(1, TASKS + 1))
                recipe = f"merge_method: {method.__name__}\n{base}models:\n{models_text}"
                (folder / "recipe.yml").write_text(recipe)
                subprocess.run(
                    [PROGRAM, "merge", "--quiet", "recipe.yml", method.__name__], cwd=folder, check=True,
                    stdout=subprocess.DEVNULL)
                result = load_file(folder / method.__name__ / "model.safetensors")
                worst, differing, count = 0.0, 0, 0
                for name in SHAPES:
                    tensors = [m[name].astype(np.float64) for m in all_models]
                    want = expected(method, name, tensors)
                    scale = np.abs(want).max()
                    worst = max(worst, np.abs(result[name] - want).max() / scale)
                    differing += int((result[name] != want.astype(np.float32)).sum())
                    count += want.size
                verdict = "ok" if worst < 2e-7 else "WRONG"
                failures += verdict != "ok"
                kind = f"rank {rank}" if rank else "full rank"
                print(
                    f"{verdict:5} {method.__name__:6} {kind:9} worst error {worst:.1e} of the largest element, "
                    f"{differing} of {count} elements are not the double-precision result rounded once")
    sys.exit(1 if failures else 0)


main()
