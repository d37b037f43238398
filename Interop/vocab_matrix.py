# hubmerge: merge language models and publish them
# SPDX-License-Identifier: Apache-2.0

"""Vocabularies of all kinds, merged in all ways, and looked at with other people's software.

For byte-level BPE, BPE with byte fallback, Unigram (beside its SentencePiece model), WordPiece and WordLevel three
tiny models are made: a base, and two fine-tunes that added tokens of their own under the same ids. Of each merge
it is checked that `tokenizers` and `transformers` load the tokenizer, that it encodes and decodes a text in many
languages like the base's where no new token occurs, that each new token is one id, and that every row of the
embedding and of the head is the one that the rules give, computed here from nothing but the inputs. The built-in
chat templates are rendered by `transformers`. The report that `plan --json` gives is compared with what was written,
the pieces of XLM-RoBERTa with the ids that `transformers` gives them, and vocabularies of 150,000 words are united
in less than two seconds and 500 MB. Passes with transformers 4.57 and 5.

usage: vocab_matrix.py FOLDER-OF-THE-PROGRAMS
"""

import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import sentencepiece
from safetensors.numpy import load_file, save_file
from sentencepiece import sentencepiece_model_pb2
from tokenizers import (AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers,
                        trainers)
from transformers import AutoTokenizer

from local_hub import Check

CORPUS = [
    "The quick brown fox jumps over the lazy dog, twice; it's 3.14 times as quick.",
    "Der schnelle braune Fuchs springt über den faulen Hund – größer, schöner, weiter.",
    "Le renard brun et agile saute par-dessus le chien paresseux, n'est-ce pas ?",
    "Быстрая коричневая лиса прыгает через ленивую собаку.",
    "敏捷的棕色狐狸跳过了懒狗。 素早い茶色の狐がのろまな犬を飛び越える。",
    "الثعلب البني السريع يقفز فوق الكلب الكسول",
    "तेज़ भूरी लोमड़ी आलसी कुत्ते के ऊपर कूदती है।",
    "🦊 jumps 🐶\twith tabs\nand  double  spaces; e\u0301 is not \u00e9.",
    "def f(x):\n    return x ** 2  # code",
]
SPECIAL = ["<unk>", "<s>", "</s>"]
WIDTH = 8


def byte_level():
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=SPECIAL, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def byte_fallback():
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([
        decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
        decoders.Strip(" ", 1, 0)])
    pieces = SPECIAL + [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=500, special_tokens=pieces, show_progress=False, limit_alphabet=60)
    tokenizer.train_from_iterator([text.replace(" ", "▁") for text in CORPUS], trainer)
    # The bytes are words of the model, not added tokens.
    content = json.loads(tokenizer.to_str())
    content["added_tokens"] = content["added_tokens"][:len(SPECIAL)]
    return Tokenizer.from_str(json.dumps(content))


def unigram(folder):
    """With the SentencePiece model that it comes from."""
    text = folder / "corpus.txt"
    text.write_text("\n".join(line.replace("\n", " ") for line in CORPUS))
    sentencepiece.SentencePieceTrainer.train(
        input=str(text), model_prefix=str(folder / "pieces"), vocab_size=300, character_coverage=1.0,
        hard_vocab_limit=False, minloglevel=2)
    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString((folder / "pieces.model").read_bytes())
    tokenizer = Tokenizer(models.Unigram([(p.piece, p.score) for p in model.pieces], unk_id=0))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens([AddedToken(text, normalized=False) for text in SPECIAL])
    return tokenizer


def word_piece():
    tokenizer = Tokenizer(models.WordPiece(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(vocab_size=300, special_tokens=SPECIAL, show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def word_level():
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.WordLevelTrainer(vocab_size=300, special_tokens=SPECIAL, show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def write_model(folder, tokenizer, added, seed, extra_rows=0, pieces=None):
    """A model of an embedding, a head and a norm, for a tokenizer with added tokens."""
    folder.mkdir(parents=True)
    tokenizer = Tokenizer.from_str(tokenizer.to_str())
    tokenizer.add_tokens([AddedToken(t, normalized=False, special=s) for t, s in added])
    tokenizer.save(str(folder / "tokenizer.json"))
    decoder = {
        str(id): {"content": t.content, "lstrip": t.lstrip, "normalized": t.normalized,
                  "rstrip": t.rstrip, "single_word": t.single_word, "special": t.special}
        for id, t in tokenizer.get_added_tokens_decoder().items()}
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "added_tokens_decoder": decoder, "bos_token": "<s>", "eos_token": "</s>",
        "unk_token": "<unk>", "clean_up_tokenization_spaces": False,
        "tokenizer_class": "PreTrainedTokenizerFast"}, indent=2))
    rows = tokenizer.get_vocab_size() + extra_rows
    (folder / "config.json").write_text(json.dumps({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": WIDTH,
        "num_attention_heads": 2, "vocab_size": rows, "bos_token_id": 1, "eos_token_id": 2,
        "tie_word_embeddings": False, "torch_dtype": "float32"}, indent=2))
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": 2}))
    if pieces:
        (folder / "tokenizer.model").write_bytes(pieces)
    generator = np.random.default_rng(seed)
    numbers = lambda *shape: generator.standard_normal(shape, dtype=np.float32)
    save_file({
        "model.embed_tokens.weight": numbers(rows, WIDTH), "lm_head.weight": numbers(rows, WIDTH),
        "model.norm.weight": numbers(WIDTH)}, folder / "model.safetensors", {"format": "pt"})


class Model:
    """What the rules need to know of a model."""

    def __init__(self, folder):
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.ids = self.tokenizer.get_vocab(with_added_tokens=True)
        self.tensors = load_file(folder / "model.safetensors")

    def row(self, tensor, token):
        id = self.ids.get(token)
        values = self.tensors[tensor]
        return values[id] if id is not None and id < len(values) else None


def expected_rows(tensor, inputs, weights, vocabulary, rows, padding, lent):
    """The merged tensor by the rules, token by token. The first input is the base."""
    count = max(vocabulary.values()) + 1
    by_id = {id: token for token, id in vocabulary.items()}
    named = [set(model.ids.values()) for model in inputs]
    views = [np.zeros((rows, WIDTH), np.float64) for _ in inputs]
    for id in range(count):
        token = by_id[id]
        own = [model.row(tensor, token) for model in inputs]
        owners = [row for row in own if row is not None]
        if token in lent:
            default = inputs[lent[token][0]].row(tensor, lent[token][1])
        elif not owners:
            default = np.zeros(WIDTH)
        elif len(owners) == 1 or own[0] is None:
            default = np.mean(np.array(owners, np.float64), axis=0)
        else:
            default = own[0]
        for view, row in zip(views, own):
            view[id] = default if row is None else row
    for index, view in enumerate(views):
        for id in range(count, rows):
            if padding == "mean":
                view[id] = view[:count].mean(axis=0)
            else:
                # A row without a token stays; where there is none it is the base's.
                values = inputs[index].tensors[tensor]
                keeps = id < len(values) and id not in named[index]
                view[id] = values[id] if keeps else inputs[0].tensors[tensor][id]
    return sum(w * view for w, view in zip(weights, views)) / sum(weights)


CASES = {
    # Name: (tokenizer section, padding, tokens that are new, rows lent to tokens).
    "union": ("{source: union}", None, ["<|im_start|>", "<|im_end|>", "<tool>"], {}),
    "base": ("{source: base}", "kept", [], {}),
    "union padded": ("{source: union, pad_to_multiple_of: 64}", "mean",
                     ["<|im_start|>", "<|im_end|>", "<tool>"], {}),
    "union kept": ("{source: union, pad_to_multiple_of: keep}", "kept",
                   ["<|im_start|>", "<|im_end|>", "<tool>"], {}),
    "tokens": ('{source: base, tokens: {"<mine>": {source: {kind: model_token, model: MODELS/tools, '
               'token: "<tool>"}}}}', "kept", ["<mine>"], {"<mine>": (2, "<tool>")}),
}


def report_of(programs, recipe):
    """What `plan --json` says becomes of the tokens."""
    done = subprocess.run([programs / "hubmerge", "plan", recipe, "--json", "--quiet"],
                          capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["vocabulary"]


def check_case(check, kind, case, folder, run, programs):
    section, padding, new, lent = CASES[case]
    recipe = folder / "recipe.yml"
    names = ["base", "chat", "tools"]
    weights = [0.5, 0.3, 0.2]
    lines = ["merge_method: linear", f"base_model: {folder}/base", "models:"]
    for name, weight in zip(names, weights):
        lines += [f"  - model: {folder}/{name}", f"    parameters: {{weight: {weight}}}"]
    lines += ["tokenizer: " + section.replace("MODELS", str(folder)), "dtype: float32"]
    recipe.write_text("\n".join(lines) + "\n")
    out = folder / ("out-" + case.replace(" ", "-"))
    run("merge", recipe, out)

    label = f"{kind}, {case}: "
    inputs = [Model(folder / name) for name in names]
    base, result = inputs[0], Model(out)
    same = all(
        result.tokenizer.encode(text).ids == base.tokenizer.encode(text).ids
        and result.tokenizer.decode(result.tokenizer.encode(text).ids)
        == base.tokenizer.decode(base.tokenizer.encode(text).ids) for text in CORPUS)
    check(label + "encodes and decodes like the base", same)
    kept = all(result.ids.get(token) == id for token, id in base.ids.items())
    check(label + "every id of the base is what it was", kept)
    added = {token: id for token, id in result.ids.items() if token not in base.ids}
    check(label + "the new tokens are these, behind the others, in order",
          sorted(added, key=added.get) == new
          and sorted(added.values()) == list(range(len(base.ids), len(base.ids) + len(new))))
    single = all(
        result.tokenizer.encode(f"a {token} b{token}").ids.count(id) == 2
        for token, id in added.items())
    check(label + "each new token is one id", single)
    loaded = AutoTokenizer.from_pretrained(out)
    check(label + "transformers reads the same ids",
          all(loaded.convert_tokens_to_ids(token) == id for token, id in result.ids.items())
          and all(loaded(text, add_special_tokens=False).input_ids
                  == result.tokenizer.encode(text, add_special_tokens=False).ids
                  for text in CORPUS + [f"x {token} y" for token in new]))

    rows = json.loads((out / "config.json").read_text())["vocab_size"]
    count = len(result.ids)
    report = report_of(programs, recipe)
    check(label + "the report names the tokens, their rows and the padding",
          {entry["token"]: entry["id"] for entry in report["added"]} == added
          and report["rows"] == rows and report["padding_rows"] == rows - count
          and all(len(entry["models"]) == len(entry["row"].get("mean_of", [0]))
                  for entry in report["added"] if entry["token"] not in lent)
          and [len(model["dropped"]) for model in report["models"]]
          == [len(set(model.ids) - set(result.ids)) for model in inputs])
    wanted = {None: count, "mean": -(-count // 64) * 64,
              "kept": max(count, len(base.tensors["lm_head.weight"]))}[padding]
    check(label + "the embedding has the right length", rows == wanted, f"{rows} rows")
    for tensor in ["model.embed_tokens.weight", "lm_head.weight"]:
        values = result.tensors[tensor]
        expected = expected_rows(tensor, inputs, weights, result.ids, rows, padding, lent)
        apart = np.abs(values - expected).max() if values.shape == expected.shape else np.inf
        check(label + f"every row of {tensor} follows the rules", apart < 2e-6, f"{apart:.1e}")
    if (folder / "base/tokenizer.model").exists():
        model = sentencepiece.SentencePieceProcessor(model_file=str(out / "tokenizer.model"))
        old = sentencepiece.SentencePieceProcessor(model_file=str(folder / "base/tokenizer.model"))
        check(label + "tokenizer.model agrees with tokenizer.json",
              model.get_piece_size() == len(result.ids)
              and all(model.piece_to_id(token) == id for token, id in result.ids.items())
              and all(model.encode(text) == old.encode(text) for text in CORPUS))


TURNS = [("system", " Be brief. "), ("user", "Hi"), ("assistant", "Hello"), ("user", "Bye ")]

# What the formats are: the text of TURNS with a prompt for the next answer.
FORMATS = {
    "chatml": "<|im_start|>system\n Be brief. <|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
              "<|im_start|>assistant\nHello<|im_end|>\n<|im_start|>user\nBye <|im_end|>\n"
              "<|im_start|>assistant\n",
    "llama3": "<s><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
              "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
              "<|start_header_id|>assistant<|end_header_id|>\n\nHello<|eot_id|>"
              "<|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|>"
              "<|start_header_id|>assistant<|end_header_id|>\n\n",
    "mistral": "<s> [INST]  Be brief. \n\nHi [/INST] Hello</s> [INST] Bye  [/INST]",
    "alpaca": "Be brief.\n\n### Instruction:\nHi\n\n### Response:\nHello</s>\n\n"
              "### Instruction:\nBye \n\n### Response:\n",
    "exaone": "[|system|] Be brief. [|endofturn|]\n[|user|]Hi\n[|assistant|]Hello[|endofturn|]\n"
              "[|user|]Bye \n[|assistant|]",
}


def check_template(check, name, folder, run):
    """A built-in template as transformers renders it from the merged model."""
    recipe, out = folder / "template.yml", folder / f"out-{name}"
    recipe.write_text(
        f"merge_method: passthrough\nmodels: [{{model: {folder}/base}}]\nchat_template: {name}\n")
    run("merge", recipe, out)
    tokenizer = AutoTokenizer.from_pretrained(out)
    render = lambda turns, prompt: tokenizer.apply_chat_template(
        [{"role": role, "content": text} for role, text in turns], tokenize=False,
        add_generation_prompt=prompt)
    check(f"template {name}: renders its format", render(TURNS, True) == FORMATS[name])
    in_file = (out / "chat_template.jinja").read_text()
    in_config = json.loads((out / "tokenizer_config.json").read_text())["chat_template"]
    check(f"template {name}: is the same in both places", in_file == in_config)
    if name == "mistral":
        try:
            render([("user", "Hi"), ("user", "there")], True)
            check("template mistral: refuses turns that do not alternate", False)
        except Exception as error:
            check("template mistral: refuses turns that do not alternate", "alternate" in str(error))


def check_fairseq(check, folder, programs):
    """The ids of sentencepiece.bpe.model alone, as transformers' code gives them out."""
    pieces = (folder / "pieces.model").read_bytes()
    model = folder / "xlm"
    model.mkdir()
    (model / "sentencepiece.bpe.model").write_bytes(pieces)
    (model / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "XLMRobertaTokenizer"}))
    tokenizer = AutoTokenizer.from_pretrained(model)
    (model / "config.json").write_text(json.dumps(
        {"architectures": ["XLMRobertaModel"], "model_type": "xlm-roberta",
         "vocab_size": len(tokenizer), "torch_dtype": "float32"}))
    save_file({"embeddings.word_embeddings.weight": np.zeros((len(tokenizer), 2), np.float32)},
              model / "model.safetensors", {"format": "pt"})
    names = [p for p in sentencepiece.SentencePieceProcessor(
        model_file=str(folder / "pieces.model")).id_to_piece(list(range(3, 40)))]
    names += ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokens = {f"<new{n}>": {"source": {"kind": "model_token", "model": str(model), "token": name}}
              for n, name in enumerate(names)}
    recipe = folder / "xlm.yml"
    recipe.write_text(json.dumps(
        {"merge_method": "passthrough", "models": [{"model": str(model)}],
         "tokenizer": {"source": "base", "tokens": tokens}}))
    rows = [entry["row"]["row"] for entry in report_of(programs, recipe)["added"]]
    check("XLM-RoBERTa: pieces have the ids that its code gives them",
          rows == tokenizer.convert_tokens_to_ids(names))


def check_size(check, folder, programs):
    """The union of three vocabularies of 150,000 words, timed."""
    generator = random.Random(1)
    words = [chr(256 + n) for n in range(256)]
    vocabulary, merges = {word: n for n, word in enumerate(words)}, []
    while len(words) < 150_000:
        left, right = generator.choice(words), generator.choice(words[:1000])
        if len(left + right) <= 12 and left + right not in vocabulary:
            vocabulary[left + right] = len(words)
            words.append(left + right)
            merges.append([left, right])
    for name in ["base", "chat", "tools"]:
        model = folder / name
        model.mkdir(parents=True)
        added = [{"id": len(words) + n, "content": f"<{name}{n}>", "special": True}
                 for n in range(0 if name == "base" else 300)]
        (model / "tokenizer.json").write_text(json.dumps(
            {"version": "1.0", "added_tokens": added, "normalizer": None,
             "model": {"type": "BPE", "vocab": vocabulary, "merges": merges}}, ensure_ascii=False))
        (model / "config.json").write_text(json.dumps(
            {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 152064,
             "torch_dtype": "float32"}))
        save_file({"model.embed_tokens.weight": np.zeros((152064, WIDTH), np.float32)},
                  model / "model.safetensors", {"format": "pt"})
    recipe = folder / "recipe.yml"
    recipe.write_text(json.dumps(
        {"merge_method": "linear", "base_model": str(folder / "base"), "parameters": {"weight": 1},
         "models": [{"model": str(folder / name)} for name in ["base", "chat", "tools"]],
         "tokenizer_source": "union"}))
    before = os.times()
    done = subprocess.run([programs / "hubmerge", "merge", recipe, folder / "out", "--json"],
                          capture_output=True, text=True, check=True)
    after = os.times()
    seconds = (after.children_user + after.children_system
               - before.children_user - before.children_system)
    peak = json.loads(done.stdout)["peak_memory"] / 1e6
    check("150,000 words: united in 2 seconds of processor time and 500 MB",
          seconds < 2 and peak < 500, f"{seconds:.2f} s, {peak:.0f} MB")


def main():
    programs = Path(sys.argv[1]).resolve()
    check = Check()

    def run(*arguments):
        done = subprocess.run([programs / "hubmerge", *map(str, arguments)],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise SystemExit(f"FAIL  hubmerge {arguments}: {done.stderr}")

    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        kinds = {"byte-level BPE": byte_level(), "BPE with byte fallback": byte_fallback(),
                 "Unigram": unigram(scratch), "WordPiece": word_piece(), "WordLevel": word_level()}
        for number, (kind, tokenizer) in enumerate(kinds.items()):
            folder = scratch / str(number)
            pieces = (scratch / "pieces.model").read_bytes() if kind == "Unigram" else None
            chat = [("<|im_start|>", True), ("<|im_end|>", True)]
            tools = [("<tool>", False), ("<|im_end|>", True)]
            write_model(folder / "base", tokenizer, [], 10 * number, extra_rows=7, pieces=pieces)
            write_model(folder / "chat", tokenizer, chat, 10 * number + 1)
            write_model(folder / "tools", tokenizer, tools, 10 * number + 2, extra_rows=3)
            for case in CASES:
                check_case(check, kind, case, folder, run, programs)
        for name in FORMATS:
            check_template(check, name, scratch / "0", run)
        check_fairseq(check, scratch, programs)
        check_size(check, scratch / "large", programs)
    check.finish()


if __name__ == "__main__":
    main()
