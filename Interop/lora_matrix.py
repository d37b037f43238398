# hubmerge: merge language models and publish them
# SPDX-License-Identifier: Apache-2.0

"""Are adapters applied as PEFT applies them?

Makes tiny models and, with PEFT, adapters of every kind that is supported, merges model+adapter with a passthrough,
and compares every tensor with what PEFT's own merge_and_unload leaves on disk. Where the adapter is of a kind that
is refused, the refusal is looked for.

usage: lora_matrix.py HUBMERGE [CASE ...]
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import torch
import transformers
from peft import LoraConfig, get_peft_model
from safetensors import safe_open

warnings.filterwarnings("ignore")
transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()

VOCABULARY = 96
TEXT = dict(vocab_size=VOCABULARY, hidden_size=32, intermediate_size=48, num_hidden_layers=2,
            num_attention_heads=4, num_key_value_heads=2, head_dim=8, max_position_embeddings=64,
            bos_token_id=1, eos_token_id=2, pad_token_id=0)
ALL = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
EXPERTS = ["mlp.experts.gate_up_proj", "mlp.experts.down_proj"]


def llama(**arguments):
    return transformers.LlamaForCausalLM, transformers.LlamaConfig(**TEXT, **arguments)


def gpt2():
    return transformers.GPT2LMHeadModel, transformers.GPT2Config(
        vocab_size=VOCABULARY, n_embd=32, n_layer=2, n_head=4, n_positions=64, n_inner=48)


def mixtral():
    return transformers.MixtralForCausalLM, transformers.MixtralConfig(
        **TEXT, num_local_experts=4, num_experts_per_tok=2)


def qwen3_moe():
    return transformers.Qwen3MoeForCausalLM, transformers.Qwen3MoeConfig(
        **TEXT, moe_intermediate_size=24, num_experts=4, num_experts_per_tok=2)


def gpt_oss():
    return transformers.GptOssForCausalLM, transformers.GptOssConfig(
        **TEXT, num_local_experts=4, num_experts_per_tok=2, sliding_window=16)


def gemma3():
    text = TEXT | dict(sliding_window=16)
    vision = dict(hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
                  image_size=16, patch_size=8)
    return transformers.Gemma3ForConditionalGeneration, transformers.Gemma3Config(
        text_config=text, vision_config=vision, mm_tokens_per_image=4, image_token_index=5,
        boi_token_index=6, eoi_token_index=7)


def vit():
    return transformers.ViTForImageClassification, transformers.ViTConfig(
        hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, image_size=16,
        patch_size=8, num_labels=5)


def t5():
    return transformers.T5ForConditionalGeneration, transformers.T5Config(
        vocab_size=VOCABULARY, d_model=32, d_kv=8, d_ff=48, num_layers=2, num_heads=4,
        decoder_start_token_id=0)


@dataclass
class Case:
    """A model, and the settings of the adapters that are put on it."""

    model: object
    settings: list = field(default_factory=list)
    # What the refusal says; empty if the adapter is applied.
    refusal: str = ""
    dtype: torch.dtype = torch.float32
    tolerance: float = 2e-6


def case(model, refusal="", dtype=torch.float32, tolerance=2e-6, **settings):
    return Case(model, [dict(r=4, lora_alpha=6) | settings], refusal, dtype, tolerance)


CASES = {
    "linear layers": case(llama, target_modules=ALL),
    "all-linear": case(llama, target_modules="all-linear"),
    "rsLoRA": case(llama, target_modules=ALL, use_rslora=True),
    "DoRA": case(llama, target_modules=ALL, use_dora=True),
    "biases of LoRA": case(lambda: llama(attention_bias=True), target_modules=["q_proj", "o_proj"], lora_bias=True),
    "biases trained": case(lambda: llama(attention_bias=True), target_modules=["q_proj"], bias="all"),
    "rank and alpha patterns": case(
        llama, target_modules=ALL, rank_pattern={"q_proj": 2, r"layers\.1\.mlp\.up_proj": 8, "^model.layers.0.self_attn.k_proj": 3},
        alpha_pattern={"v_proj": 11, r".*\.down_proj": 3}),
    "some layers": case(llama, target_modules=ALL, layers_to_transform=[1]),
    "embedding": case(llama, target_modules=["embed_tokens", "q_proj"]),
    "embedding, DoRA": case(llama, target_modules=["embed_tokens"], use_dora=True),
    "embedding, tied": case(lambda: llama(tie_word_embeddings=True), target_modules=["embed_tokens", "q_proj"]),
    "head": case(llama, target_modules=["lm_head", "q_proj"]),
    "head of a tied model": case(
        lambda: llama(tie_word_embeddings=True), target_modules=["lm_head", "q_proj"],
        refusal="uses its embedding"),
    "modules_to_save": case(llama, target_modules=["q_proj"], modules_to_save=["embed_tokens", "lm_head"]),
    "tokens of an embedding": case(llama, target_modules=["q_proj"], trainable_token_indices=[3, 17, 95]),
    "tokens of a tied embedding": case(
        lambda: llama(tie_word_embeddings=True), target_modules=["q_proj"], trainable_token_indices=[3, 17]),
    "GPT-2, transposed": case(gpt2, target_modules=["c_attn", "c_proj", "c_fc"], fan_in_fan_out=True),
    "GPT-2, DoRA": case(gpt2, target_modules=["c_attn", "c_fc"], fan_in_fan_out=True, use_dora=True),
    "vision, a convolution": case(vit, target_modules=["projection", "classifier"]),
    "vision, a convolution with DoRA": case(vit, target_modules=["projection"], use_dora=True),
    "encoder and decoder": case(t5, target_modules=["q", "v", "wi", "wo"]),
    "images and text, other prefixes": case(gemma3, target_modules=["q_proj", "v_proj"]),
    "Mixtral, fused experts": case(mixtral, target_modules=["q_proj"], target_parameters=EXPERTS),
    "Qwen3-MoE, fused experts": case(qwen3_moe, target_modules=["q_proj"], target_parameters=EXPERTS),
    "Qwen3-MoE, rsLoRA": case(qwen3_moe, target_modules=[], target_parameters=EXPERTS[1:], use_rslora=True),
    "Qwen3-MoE, router": case(qwen3_moe, target_modules=["q_proj"], target_parameters=["mlp.gate.weight"]),
    "GPT-OSS, fused experts": case(gpt_oss, target_modules=["q_proj"], target_parameters=EXPERTS),
    "bf16": case(llama, target_modules=ALL, dtype=torch.bfloat16, tolerance=0.01),
    "PiSSA, converted": case(llama, target_modules=ALL, init_lora_weights="pissa"),
    "two adapters": Case(llama, [dict(r=4, lora_alpha=6, target_modules=ALL),
                                 dict(r=2, lora_alpha=8, target_modules=["q_proj", "down_proj"])]),
    "three adapters, one of them of whole tensors": Case(
        llama, [dict(r=4, lora_alpha=6, target_modules=ALL),
                dict(r=2, lora_alpha=8, target_modules=["q_proj"], modules_to_save=["norm"]),
                dict(r=3, lora_alpha=3, target_modules="all-linear", use_rslora=True)]),
}


class Mismatch(Exception):
    """What came out is not what it should be."""


def expect(holds, claim):
    if not holds:
        raise Mismatch(claim)


def tensors(folder):
    """All tensors in a folder's files."""
    found = {}
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, "pt") as file:
            found |= {key: file.get_tensor(key) for key in file.keys()}
    return found


def train(model):
    """Numbers in place of what training would find."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                noise = torch.randn_like(parameter)
                parameter.copy_(parameter * (1 + 0.1 * noise) if "magnitude" in name else
                                parameter + 0.05 * noise)


def build(case, folder):
    """Writes the model, its adapters, and what PEFT makes of them; returns the adapters' names."""
    torch.manual_seed(1)
    kind, config = case.model()
    model = kind(config).to(case.dtype)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    model.save_pretrained(folder / "model")
    names = []
    for number, settings in enumerate(case.settings):
        settings = dict(settings)
        initialization = settings.get("init_lora_weights")
        name = f"adapter{number}"
        adapted = get_peft_model(model, LoraConfig(**settings))
        if initialization:
            adapted.peft_config["default"].init_lora_weights = True
            adapted.save_pretrained(folder / "initial")
            adapted.peft_config["default"].init_lora_weights = initialization
        train(adapted)
        if initialization:
            adapted.save_pretrained(folder / name, path_initial_model_for_weight_conversion=str(folder / "initial"))
        else:
            adapted.save_pretrained(folder / name)
        names.append(name)
        model = adapted.merge_and_unload()
    model.save_pretrained(folder / "wanted")
    return names


def merge(program, folder, reference):
    (folder / "recipe.yml").write_text(f"merge_method: passthrough\nmodels: [{{model: '{reference}'}}]\n")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
    return subprocess.run(
        [program, "merge", "recipe.yml", "out", "--no-write-model-card"], cwd=folder, text=True,
        env=environment | {"HF_HUB_OFFLINE": "1"}, capture_output=True)


def run(program, case, folder):
    names = build(case, folder)
    done = merge(program, folder, "+".join(["./model", *(f"./{name}" for name in names)]))
    if case.refusal:
        expect(done.returncode == 65 and case.refusal in done.stderr, f"it was not refused: {done.stderr}")
        return
    expect(done.returncode == 0, done.stderr.strip())
    found, wanted, before = tensors(folder / "out"), tensors(folder / "wanted"), tensors(folder / "model")
    expect(found.keys() == wanted.keys(), f"tensors differ: {sorted(found.keys() ^ wanted.keys())[:4]}")
    changed = 0
    for name, tensor in wanted.items():
        expect(found[name].shape == tensor.shape, f"{name} has shape {list(found[name].shape)}")
        scale = tensor.double().abs().max().item()
        difference = (found[name].double() - tensor.double()).abs().max().item()
        expect(difference <= case.tolerance * max(1, scale), f"{name} differs by {difference:.2g}")
        changed += name not in before or not torch.equal(before[name], tensor)
    expect(changed > 0, "the adapter changes nothing")
    settings = [json.loads((folder / f / "config.json").read_text()) for f in ("out", "wanted")]
    expect(settings[0].get("tie_word_embeddings") == settings[1].get("tie_word_embeddings"),
           "config.json says otherwise of the head")


def check(program, title, case):
    folder = Path(tempfile.mkdtemp(prefix="lora-"))
    try:
        run(program, case, folder)
    except Exception as error:
        reason = str(error).strip().splitlines()
        print(f"FAIL  {title}: {type(error).__name__}: {reason[0] if reason else ''}", flush=True)
        return False
    finally:
        shutil.rmtree(folder)
    print(f"PASS  {title}", flush=True)
    return True


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__.strip().splitlines()[-1])
    program = str(Path(sys.argv[1]).resolve())
    results = [check(program, title, CASES[title]) for title in sys.argv[2:] or CASES]
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    raise SystemExit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
