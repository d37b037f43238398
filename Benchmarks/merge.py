#!/usr/bin/env python3
# hubmerge: merge language models and publish them
# SPDX-License-Identifier: Apache-2.0
"""Time merges as ratios to reading the inputs and writing the output.

    merge.py HUBMERGE MODELS [--methods ties,linear] [--runs 5] [--threads N] [--peer MERGEKIT-YAML]

MODELS holds the folders base, left and right of one shape. The floor of a row is measured in the same
run, alternating with it, on the same files: `cat` of every input to /dev/null, then `cp` of the base's
weights to the output's file system. Medians; files are in the page cache. Standard library only.
"""

import argparse
import glob
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ALL = ["base", "left", "right"]

RECIPES = {
    "passthrough": (["left"], None, "", ""),
    "linear": (ALL, None, "weight: 0.3", ""),
    "task_arithmetic": (ALL, "base", "weight: 0.5", ""),
    "slerp": (["base", "left"], "base", "", "t: 0.4"),
    "nuslerp": (["left", "right"], None, "weight: 0.5", ""),
    "multislerp": (ALL, None, "weight: 0.3", ""),
    "karcher": (ALL, None, "", ""),
    "model_stock": (ALL, "base", "", ""),
    "nearswap": (["base", "left"], "base", "", "t: 0.001"),
    "ram": (ALL, "base", "", ""),
    "ramplus_tl": (ALL, "base", "", ""),
    "dare_linear": (ALL, "base", "weight: 0.5, density: 0.5", ""),
    "dare_ties": (ALL, "base", "weight: 0.5, density: 0.5", ""),
    "ties": (ALL, "base", "weight: 0.5, density: 0.5", ""),
    "breadcrumbs": (ALL, "base", "weight: 0.5, density: 0.5", ""),
    "della": (ALL, "base", "weight: 0.5, density: 0.5, epsilon: 0.1", ""),
    "sce": (ALL, "base", "", "select_topk: 0.5"),
    "arcee_fusion": (["base", "left"], "base", "", ""),
}


def recipe(method, models):
    names, base, per_model, shared = RECIPES[method]
    lines = [f"merge_method: {method}", "dtype: bfloat16", "models:"]
    for name in names:
        lines.append(f"  - model: {os.path.join(models, name)}")
        if per_model and name != base:
            lines.append(f"    parameters: {{{per_model}}}")
    if base:
        lines.append(f"base_model: {os.path.join(models, base)}")
    if shared:
        lines.append(f"parameters: {{{shared}}}")
    return "\n".join(lines) + "\n"


def run(words):
    """Wall seconds, CPU seconds and peak resident bytes of a command."""
    start = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    error = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    if status:
        sys.exit(f"{' '.join(words)}: {error.decode(errors='replace')}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def weights(models, name):
    return sorted(glob.glob(os.path.join(models, name, "*.safetensors")))


def settle(folder):
    """Waits until what was written is on the disk, so that no run pays for another's."""
    subprocess.run(["sync", "-f", folder], check=False)


def floor(models, names, folder):
    inputs = [path for name in names for path in weights(models, name)]
    copy = os.path.join(folder, "copy")
    words = "cat " + " ".join(map(repr, inputs)) + f" >/dev/null; cp {inputs[0]!r} {copy!r}"
    wall, _, _ = run(["sh", "-c", words])
    os.remove(copy)
    settle(folder)
    return wall


def merge(words, folder, text):
    path = os.path.join(folder, "recipe.yml")
    with open(path, "w") as file:
        file.write(text)
    out = os.path.join(folder, "out")
    figures = run([*words, path, out])
    shutil.rmtree(out)
    settle(folder)
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("hubmerge")
    parser.add_argument("models")
    parser.add_argument("--methods", default=",".join(RECIPES))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--peer", help="mergekit-yaml, to be timed once per method beside hubmerge")
    parser.add_argument("--work", help="folder for outputs; a temporary one by default")
    args = parser.parse_args()
    models = os.path.abspath(args.models)
    words = [args.hubmerge, "merge", "--quiet", "--no-write-model-card"]
    if args.threads:
        words += ["--num-threads", str(args.threads)]
    print(f"load {os.getloadavg()[0]:.2f}, {os.cpu_count()} processors")
    print(f"{'method':<16}{'floor s':>9}{'merge s':>9}{'ratio':>7}{'best':>7}{'GB/s':>7}"
          f"{'CPU s':>7}{'MB':>6}" + (f"{'peer s':>9}{'×':>6}" if args.peer else ""))
    with tempfile.TemporaryDirectory(dir=args.work) as folder:
        for method in args.methods.split(","):
            names = RECIPES[method][0]
            text = recipe(method, models)
            size = sum(os.path.getsize(p) for n in names for p in weights(models, n))
            size += sum(map(os.path.getsize, weights(models, names[0])))
            floors, walls, cpus, peaks = [], [], [], []
            for _ in range(args.runs):
                floors.append(floor(models, names, folder))
                wall, cpu, peak = merge(words, folder, text)
                walls.append(wall)
                cpus.append(cpu)
                peaks.append(peak)
            base, wall = statistics.median(floors), statistics.median(walls)
            line = (f"{method:<16}{base:>9.2f}{wall:>9.2f}{wall / base:>7.2f}"
                    f"{min(walls) / min(floors):>7.2f}{size / wall / 1e9:>7.1f}"
                    f"{statistics.median(cpus):>7.2f}{max(peaks) / 1e6:>6.0f}")
            if args.peer:
                peer, _, _ = merge([args.peer], folder, text)
                line += f"{peer:>9.1f}{peer / wall:>6.0f}"
            print(line, flush=True)


if __name__ == "__main__":
    main()
