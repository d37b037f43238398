# hubmerge: merge language models and publish them
# SPDX-License-Identifier: Apache-2.0

"""Cards and locks of merges of several kinds of models, as other people's software reads them.

usage: card_matrix.py FOLDER-OF-THE-PROGRAMS

Every template's card is loaded and written again by huggingface_hub, and checked by the rules of a hub;
the Python of the card is run; the digests of the lock are computed again with hashlib and xxhash.
"""

import hashlib
import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from local_hub import Check, local_hub

CHAT = "{% for m in messages %}[{{ m.role }}] {{ m.content }} {% endfor %}"

RESULTS = {
    "results": {
        "hellaswag": {"alias": "hellaswag", "acc,none": 0.51, "acc_stderr,none": 0.005,
                      "acc_norm,none": 0.6634, "acc_norm_stderr,none": 0.0047},
        "gsm8k": {"alias": "gsm8k", "exact_match,strict-match": 0.25,
                  "exact_match_stderr,strict-match": "N/A"},
    },
    "configs": {
        "hellaswag": {"dataset_path": "Rowan/hellaswag", "validation_split": "validation"},
        "gsm8k": {"dataset_path": "openai/gsm8k", "dataset_name": "main", "test_split": "test"},
    },
    "n-shot": {"hellaswag": 0, "gsm8k": 5},
}


def tokenizer(chat):
    """Words as they are; enough for a card's snippet."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = ["<unk>", "<s>", "</s>", "<pad>", "[MASK]"] + "A model merge is What a the of".split()
    core = Tokenizer(models.WordLevel({w: i for i, w in enumerate(dict.fromkeys(words))}, "<unk>"))
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    made = PreTrainedTokenizerFast(
        tokenizer_object=core, unk_token="<unk>", bos_token="<s>", eos_token="</s>",
        pad_token="<pad>", mask_token="[MASK]")
    if chat:
        made.chat_template = CHAT
    return made


def models():
    """By kind: whether there is a chat template, and a model of a seed."""
    import transformers as t

    small = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
                 vocab_size=64, max_position_embeddings=512)
    llama = t.LlamaConfig(**small, num_key_value_heads=2, bos_token_id=1, eos_token_id=2,
                          pad_token_id=3)
    bert = t.BertConfig(**small, pad_token_id=3)
    t5 = t.T5Config(d_model=32, d_ff=64, d_kv=16, num_layers=2, num_heads=2, vocab_size=64,
                    decoder_start_token_id=3, pad_token_id=3, eos_token_id=2)
    return {
        "chat": (True, lambda: t.LlamaForCausalLM(llama)),
        "text": (False, lambda: t.LlamaForCausalLM(llama)),
        "mask": (False, lambda: t.BertForMaskedLM(bert)),
        "classes": (False, lambda: t.BertForSequenceClassification(bert)),
        "tokens": (False, lambda: t.BertForTokenClassification(bert)),
        "question": (False, lambda: t.BertForQuestionAnswering(bert)),
        "embedding": (False, lambda: t.BertModel(bert)),
        "translation": (False, lambda: t.T5ForConditionalGeneration(t5)),
    }


def make_models(bench):
    import torch

    found = {}
    for kind, (chat, make) in models().items():
        for seed, name in enumerate(("left", "right")):
            torch.manual_seed(seed)
            folder = bench.folder / "models" / f"{kind}-{name}"
            make().save_pretrained(folder)
            tokenizer(chat).save_pretrained(folder)
            (folder / "README.md").write_text(
                "---\nlicense: " + ("apache-2.0" if seed else "mit")
                + "\nlanguage: [en, 'no']\ndatasets: [org/data]\n---\n")
            found[f"cards/{kind}-{name}"] = folder
    return found


def fast_digest(data):
    import xxhash

    size = 256 << 10
    return xxhash.xxh3_128_hexdigest(b"".join(
        xxhash.xxh3_128_digest(data[i:i + size]) for i in range(0, len(data), size)))


def tensor_bytes(path):
    """The bytes of each tensor of a safetensors file."""
    data = Path(path).read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    for name, entry in json.loads(data[8:start]).items():
        if name != "__metadata__":
            first, end = entry["data_offsets"]
            yield name, data[start + first:start + end]


def objections(endpoint, text):
    """What the hub's check of cards has against one; ModelCard.validate asks the public hub only."""
    request = urllib.request.Request(
        endpoint + "/api/validate-yaml", headers={"Content-Type": "application/json"},
        data=json.dumps({"content": text, "repoType": "model"}).encode())
    try:
        with urllib.request.urlopen(request) as reply:
            found = json.load(reply)
    except urllib.error.HTTPError as error:
        found = json.load(error)
    return found["errors"] + found["warnings"]


def check_card(check, endpoint, claim, path, expected):
    import yaml
    from huggingface_hub import ModelCard

    card = ModelCard.load(path)
    against = objections(endpoint, Path(path).read_text())
    data = card.data.to_dict()
    again = ModelCard(f"---\n{card.data}\n---\n").data.to_dict()
    front = yaml.safe_load(Path(path).read_text().split("---\n")[1])
    check(f"{claim}: the hub's rules accept the card", not against, str(against or ""))
    check(f"{claim}: its metadata come back the same from huggingface_hub", data == again)
    check(f"{claim}: they say what was merged",
          all(front.get(key) == value for key, value in expected.items())
          and front["tags"][:3] == ["merge", "hubmerge", "mergekit"],
          ", ".join(k for k, v in expected.items() if front.get(k) != v))
    return card


def main(programs):
    check = Check()
    with local_hub(programs, make_models) as bench:
        bench.use("python-home")
        results = bench.folder / "results.json"
        results.write_text(json.dumps(RESULTS))
        templates = [entry["name"] for entry in json.loads(bench.run("hubmerge", "card", "--list", "--json"))]
        for kind in models():
            sources = [f"cards/{kind}-left", f"cards/{kind}-right"]
            recipe = bench.recipe(kind, "merge_method: linear\nmodels:\n" + "".join(
                f"  - {{model: {source}, parameters: {{weight: 0.5}}}}\n" for source in sources)
                + "dtype: float32\n")
            out = bench.folder / kind
            bench.run("hubmerge", "merge", recipe, out, "--quiet", "--out-shard-size", "30K", "--write-lock")
            expected = {"base_model": sources, "base_model_relation": "merge",
                        "license": "apache-2.0", "language": ["en", "no"], "datasets": ["org/data"],
                        "library_name": "transformers"}
            for template in templates:
                bench.run("hubmerge", "card", out, "--quiet", "--template", template,
                          "--repository", f"cards/{kind}", "--results", results)
                card = check_card(check, bench.endpoint, f"{kind}, {template}", out / "README.md", expected)
                values = sorted((r.task_type, r.dataset_type, r.metric_type, r.metric_value)
                                for r in card.data.eval_results)
                check(f"{kind}, {template}: the results of the evaluation are those of the harness",
                      values == [("text-generation", "Rowan/hellaswag", "acc", 0.51),
                                 ("text-generation", "Rowan/hellaswag", "acc_norm", 0.6634),
                                 ("text-generation", "openai/gsm8k", "exact_match", 0.25)])
                code = re.search(r"```python\n(.*?)```", card.text, re.S)
                if template != "default" or not code:
                    continue
                program = code[1].replace(f'"cards/{kind}"', json.dumps(str(out)))
                done = subprocess.run([sys.executable, "-c", program], text=True, capture_output=True,
                                      env=bench.environment("python-home", HF_HUB_OFFLINE="1"))
                check(f"{kind}: the Python of the card runs", done.returncode == 0,
                      done.stderr.strip().splitlines()[-1] if done.returncode else "")
            check_lock(check, bench, kind, out)
    check.finish()


def check_lock(check, bench, kind, out):
    lock = json.loads((out / "hubmerge.lock").read_text())
    files = {f["name"]: f["digest"] for f in lock["files"]}
    check(f"{kind}: the files have the SHA-256 of the lock",
          all(digest == "sha256:" + hashlib.sha256((out / name).read_bytes()).hexdigest()
              for name, digest in files.items()), f"{len(files)} files")
    found = {name: fast_digest(data) for path in sorted(out.glob("*.safetensors"))
             for name, data in tensor_bytes(path)}
    check(f"{kind}: the tensors have the digests of the lock",
          found == lock["tensors"]["digests"], f"{len(found)} tensors")
    statement = bench.folder / "statement.json"
    bench.run("hubmerge", "verify", out, "--quiet", "--provenance", statement)
    subjects = {s["name"]: s["digest"]["sha256"] for s in json.loads(statement.read_text())["subject"]}
    check(f"{kind}: the statement of provenance names the same files",
          {n: "sha256:" + d for n, d in subjects.items()} == files)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
