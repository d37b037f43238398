# hubmerge: merge language models and publish them
# SPDX-License-Identifier: Apache-2.0

"""Does any architecture merge, and does what comes out load?

Makes two tiny random models of each architecture with transformers, merges them (linear; and, where a model has
a stack of layers to choose from, a passthrough of the first layers of one and the last layers of the other),
loads the results with transformers, and compares tensors and outputs with the same arithmetic done by torch.
Then the same of checkpoints of one architecture that are not written alike, and of parts of models.

usage: arch_matrix.py HUBMERGE [ARCHITECTURE ...]
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch
import transformers
from safetensors import safe_open
from safetensors.torch import save_file

warnings.filterwarnings("ignore")
transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()

VOCABULARY, DEPTH = 96, 4
TEXT = dict(vocab_size=VOCABULARY, hidden_size=32, intermediate_size=48, num_hidden_layers=DEPTH,
            num_attention_heads=4, num_key_value_heads=2, head_dim=8, max_position_embeddings=64,
            bos_token_id=1, eos_token_id=2, pad_token_id=0)
EXPERTS = dict(moe_intermediate_size=24, num_experts=4, num_experts_per_tok=2)
ENCODER = dict(vocab_size=VOCABULARY, hidden_size=32, intermediate_size=48, num_hidden_layers=DEPTH,
               num_attention_heads=4, max_position_embeddings=64, pad_token_id=0)
VISION = dict(hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
              image_size=16, patch_size=8)


@dataclass
class Architecture:
    """A class of transformers, the arguments of a tiny configuration, and where its layers are."""

    model: str
    config: str
    arguments: dict
    # What precedes a layer's number in the file; empty if no layers are chosen from this model.
    stack: str = ""
    # The same in memory, if it differs.
    memory: str = ""
    inputs: str = "text"


def text(model, config, stack="model.layers", **arguments):
    return Architecture(model, config, TEXT | arguments, stack)


def encoder(model, config="BertConfig", stack="", **arguments):
    return Architecture(model, config, ENCODER | arguments, stack)


LATENT = dict(num_key_value_heads=4, q_lora_rank=16, kv_lora_rank=16, qk_rope_head_dim=8, qk_nope_head_dim=8,
              v_head_dim=8, n_group=1, topk_group=1, n_routed_experts=4, num_experts_per_tok=2,
              n_shared_experts=1, moe_intermediate_size=24, first_k_dense_replace=1)

ARCHITECTURES = {
    "Llama": text("LlamaForCausalLM", "LlamaConfig"),
    "Llama, tied": text("LlamaForCausalLM", "LlamaConfig", tie_word_embeddings=True),
    "Llama, biased": text("LlamaForCausalLM", "LlamaConfig", attention_bias=True, mlp_bias=True),
    "Llama, classifier": text("LlamaForSequenceClassification", "LlamaConfig"),
    "Mistral": text("MistralForCausalLM", "MistralConfig"),
    "Qwen2": text("Qwen2ForCausalLM", "Qwen2Config", use_sliding_window=True, max_window_layers=2,
                  sliding_window=16),
    "Qwen3": text("Qwen3ForCausalLM", "Qwen3Config"),
    "Gemma 2": text("Gemma2ForCausalLM", "Gemma2Config", sliding_window=16),
    "Gemma 3": text("Gemma3ForCausalLM", "Gemma3TextConfig", sliding_window=16, sliding_window_pattern=2),
    "Phi-3": text("Phi3ForCausalLM", "Phi3Config"),
    "OLMo 2": text("Olmo2ForCausalLM", "Olmo2Config"),
    "SmolLM3": text("SmolLM3ForCausalLM", "SmolLM3Config", no_rope_layer_interval=2),
    "Granite": text("GraniteForCausalLM", "GraniteConfig"),
    "Cohere": text("CohereForCausalLM", "CohereConfig"),
    "Mixtral": text("MixtralForCausalLM", "MixtralConfig", num_local_experts=4, num_experts_per_tok=2),
    "Qwen3-MoE": text("Qwen3MoeForCausalLM", "Qwen3MoeConfig", **EXPERTS, mlp_only_layers=[1]),
    "OLMoE": text("OlmoeForCausalLM", "OlmoeConfig", num_experts=4, num_experts_per_tok=2),
    "DeepSeek-V3": text("DeepseekV3ForCausalLM", "DeepseekV3Config", **LATENT),
    "GPT-OSS": text("GptOssForCausalLM", "GptOssConfig", num_local_experts=4, num_experts_per_tok=2,
                    sliding_window=16),
    "Qwen2-MoE": text("Qwen2MoeForCausalLM", "Qwen2MoeConfig", **EXPERTS, shared_expert_intermediate_size=24),
    "GLM-4-MoE": text("Glm4MoeForCausalLM", "Glm4MoeConfig", n_routed_experts=4, num_experts_per_tok=2,
                      n_shared_experts=1, moe_intermediate_size=24, first_k_dense_replace=1, n_group=1, topk_group=1),
    "Llama 4": text("Llama4ForCausalLM", "Llama4TextConfig", intermediate_size_mlp=48, num_local_experts=4,
                    num_experts_per_tok=1, interleave_moe_layer_step=1, attention_chunk_size=16,
                    no_rope_layers=[1, 1, 1, 0]),
    "OLMo 3": text("Olmo3ForCausalLM", "Olmo3Config", sliding_window=16),
    "StarCoder2": text("Starcoder2ForCausalLM", "Starcoder2Config"),
    "StableLM": text("StableLmForCausalLM", "StableLmConfig"),
    "Phi-2": text("PhiForCausalLM", "PhiConfig", num_key_value_heads=4),
    "GPT-2": Architecture(
        "GPT2LMHeadModel", "GPT2Config",
        dict(vocab_size=VOCABULARY, n_embd=32, n_layer=DEPTH, n_head=4, n_positions=64, n_inner=48),
        "transformer.h"),
    "GPT-NeoX": encoder("GPTNeoXForCausalLM", "GPTNeoXConfig", "gpt_neox.layers"),
    "Falcon": Architecture(
        "FalconForCausalLM", "FalconConfig",
        dict(vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=DEPTH, num_attention_heads=4),
        "transformer.h"),
    "OPT": Architecture(
        "OPTForCausalLM", "OPTConfig",
        dict(vocab_size=VOCABULARY, hidden_size=32, ffn_dim=48, num_hidden_layers=DEPTH, num_attention_heads=4,
             max_position_embeddings=64, word_embed_proj_dim=32), "model.decoder.layers"),
    "BLOOM": Architecture(
        "BloomForCausalLM", "BloomConfig", dict(vocab_size=VOCABULARY, hidden_size=32, n_layer=DEPTH, n_head=4),
        "transformer.h"),
    "Mamba": Architecture(
        "MambaForCausalLM", "MambaConfig",
        dict(vocab_size=VOCABULARY, hidden_size=32, state_size=4, num_hidden_layers=DEPTH), "backbone.layers"),
    "Mamba 2": Architecture(
        "Mamba2ForCausalLM", "Mamba2Config",
        dict(vocab_size=VOCABULARY, hidden_size=32, state_size=4, num_hidden_layers=DEPTH, num_heads=4, head_dim=16,
             n_groups=1), "backbone.layers"),
    "Nemotron-H": Architecture(
        "NemotronHForCausalLM", "NemotronHConfig",
        TEXT | dict(hybrid_override_pattern="M*M-", mamba_num_heads=4, mamba_head_dim=16, ssm_state_size=4,
                    n_groups=1, use_mamba_kernels=False), "backbone.layers", "model.layers"),
    "Qwen3-Next": text("Qwen3NextForCausalLM", "Qwen3NextConfig", **EXPERTS, shared_expert_intermediate_size=24,
                       linear_num_value_heads=4, linear_num_key_heads=2, linear_key_head_dim=8,
                       linear_value_head_dim=8,
                       layer_types=["linear_attention", "full_attention", "linear_attention", "full_attention"]),
    "Jamba": text("JambaForCausalLM", "JambaConfig", attn_layer_period=2, attn_layer_offset=1,
                  expert_layer_period=2, expert_layer_offset=1, num_experts=2, num_experts_per_tok=1,
                  mamba_d_state=4, mamba_d_conv=2, mamba_dt_rank=4, use_mamba_kernels=False),
    "LFM2": text("Lfm2ForCausalLM", "Lfm2Config", block_auto_adjust_ff_dim=False,
                 layer_types=["conv", "full_attention", "conv", "full_attention"]),
    "BERT": encoder("BertModel", stack="encoder.layer"),
    "BERT, masked": encoder("BertForMaskedLM", stack="bert.encoder.layer"),
    "BERT, classifier": encoder("BertForSequenceClassification", stack="bert.encoder.layer"),
    "BERT, tokens": encoder("BertForTokenClassification", stack="bert.encoder.layer"),
    "RoBERTa": encoder("RobertaForMaskedLM", "RobertaConfig", "roberta.encoder.layer"),
    "DistilBERT": Architecture(
        "DistilBertForMaskedLM", "DistilBertConfig",
        dict(vocab_size=VOCABULARY, dim=32, hidden_dim=48, n_layers=DEPTH, n_heads=4, max_position_embeddings=64),
        "distilbert.transformer.layer"),
    "ModernBERT": encoder("ModernBertForMaskedLM", "ModernBertConfig", "model.layers",
                          global_attn_every_n_layers=2, local_attention=8, cls_token_id=1, sep_token_id=2,
                          bos_token_id=1, eos_token_id=2),
    "T5": Architecture(
        "T5ForConditionalGeneration", "T5Config",
        dict(vocab_size=VOCABULARY, d_model=32, d_kv=8, d_ff=48, num_layers=DEPTH, num_heads=4,
             decoder_start_token_id=0), inputs="sequences"),
    "T5 1.1": Architecture(
        "T5ForConditionalGeneration", "T5Config",
        dict(vocab_size=VOCABULARY, d_model=32, d_kv=8, d_ff=48, num_layers=DEPTH, num_heads=4,
             feed_forward_proj="gated-gelu", tie_word_embeddings=False, decoder_start_token_id=0),
        inputs="sequences"),
    "BART": Architecture(
        "BartForConditionalGeneration", "BartConfig",
        dict(vocab_size=VOCABULARY, d_model=32, encoder_layers=2, decoder_layers=3, encoder_attention_heads=4,
             decoder_attention_heads=4, encoder_ffn_dim=48, decoder_ffn_dim=48, max_position_embeddings=64),
        inputs="sequences"),
    "Whisper": Architecture(
        "WhisperForConditionalGeneration", "WhisperConfig",
        dict(vocab_size=VOCABULARY, d_model=32, encoder_layers=2, decoder_layers=3, encoder_attention_heads=4,
             decoder_attention_heads=4, encoder_ffn_dim=48, decoder_ffn_dim=48, num_mel_bins=8,
             max_source_positions=16, max_target_positions=32, pad_token_id=0, bos_token_id=1, eos_token_id=2,
             decoder_start_token_id=1), inputs="speech"),
    "Wav2Vec2": Architecture(
        "Wav2Vec2ForCTC", "Wav2Vec2Config",
        dict(vocab_size=32, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48,
             conv_dim=[16, 16], conv_stride=[4, 4], conv_kernel=[8, 4], num_feat_extract_layers=2,
             num_conv_pos_embeddings=8, num_conv_pos_embedding_groups=2), inputs="sound"),
    "SigLIP": Architecture(
        "SiglipModel", "SiglipConfig",
        dict(text_config=ENCODER | dict(num_hidden_layers=2, projection_size=32), vision_config=VISION),
        inputs="both"),
    "DeBERTa 2": encoder("DebertaV2ForMaskedLM", "DebertaV2Config", "deberta.encoder.layer"),
    "ViT": Architecture("ViTForImageClassification", "ViTConfig", VISION | dict(num_hidden_layers=DEPTH),
                        "vit.encoder.layer", "vit.layers", inputs="image"),
    "CLIP": Architecture(
        "CLIPModel", "CLIPConfig",
        dict(text_config=ENCODER | dict(num_hidden_layers=2, eos_token_id=2, bos_token_id=1),
             vision_config=VISION, projection_dim=16), inputs="both"),
    "LLaVA": Architecture(
        "LlavaForConditionalGeneration", "LlavaConfig",
        dict(text_config=TEXT | dict(model_type="llama"),
             vision_config=VISION | dict(model_type="clip_vision_model", projection_dim=16),
             image_token_index=5), "language_model.model.layers", "model.language_model.layers"),
    "Qwen2-VL": Architecture(
        "Qwen2VLForConditionalGeneration", "Qwen2VLConfig",
        dict(text_config=TEXT | dict(rope_parameters=dict(
                rope_type="default", rope_theta=10000.0, mrope_section=[1, 1, 2])),
             vision_config=dict(depth=2, embed_dim=32, num_heads=4, hidden_size=32, patch_size=8),
             image_token_id=5, video_token_id=6, vision_start_token_id=7, vision_end_token_id=8),
        "model.layers", "model.language_model.layers"),
    "Qwen3-VL-MoE": Architecture(
        "Qwen3VLMoeForConditionalGeneration", "Qwen3VLMoeConfig",
        dict(text_config=TEXT | EXPERTS | dict(rope_parameters=dict(
                rope_type="default", rope_theta=10000.0, mrope_section=[2, 1, 1])),
             vision_config=dict(depth=2, hidden_size=32, intermediate_size=48, num_heads=4, out_hidden_size=32,
                                patch_size=8, num_position_embeddings=16, deepstack_visual_indexes=[0]),
             image_token_id=5, video_token_id=6, vision_start_token_id=7, vision_end_token_id=8),
        "model.language_model.layers", "model.language_model.layers"),
    "Gemma 3, images": Architecture(
        "Gemma3ForConditionalGeneration", "Gemma3Config",
        dict(text_config=TEXT | dict(sliding_window=16, sliding_window_pattern=2), vision_config=VISION,
             mm_tokens_per_image=4, image_token_index=5, boi_token_index=6, eoi_token_index=7),
        "language_model.model.layers", "model.language_model.layers"),
}


@dataclass
class Variation:
    """Two checkpoints of one architecture that are not written alike, or recipes for parts of a model."""

    architecture: str
    # Makes another checkpoint of what the second model's tensors and settings are.
    change: object = None
    # Merged in another way than a plain linear merge: recipe, and settings that config.json has to have then.
    recipe: str = ""
    settings: dict = None
    # What the output's tensors are, from those of the two models; by default the average.
    wanted: object = None
    refusal: str = ""


def renamed(*pairs):
    """A change that writes parts of names otherwise."""
    def change(tensors, config):
        for old, new in pairs:
            tensors = {name.replace(old, new): tensor for name, tensor in tensors.items()}
        return tensors, config
    return change


def fused(tensors, config):
    """Experts in one tensor, as transformers 5 has them in memory."""
    result, layers = {}, {}
    for name, tensor in tensors.items():
        block, expert, rest = name.partition(".experts.")
        if expert:
            layers.setdefault(block, {})[rest] = tensor
        else:
            result[name.replace(".block_sparse_moe.", ".mlp.")] = tensor
    for block, parts in layers.items():
        gate, up, down = (("w1", "w3", "w2") if "0.w1.weight" in parts else
                          ("gate_proj", "up_proj", "down_proj"))
        block = block.replace("block_sparse_moe", "mlp")
        count = len(parts) // 3
        result[f"{block}.experts.gate_up_proj"] = torch.stack([
            torch.cat([parts[f"{i}.{gate}.weight"], parts[f"{i}.{up}.weight"]]) for i in range(count)])
        result[f"{block}.experts.down_proj"] = torch.stack(
            [parts[f"{i}.{down}.weight"] for i in range(count)])
    return result, config


def single(block, names, is_transposed, is_interleaved=False):
    """A change that gives each matrix of each fused expert a tensor of its own."""
    def change(tensors, config):
        result = {}
        for name, tensor in tensors.items():
            layer, _, part = name.partition(f".{block}.experts.")
            if not part:
                result[name] = tensor
                continue
            part, _, kind = part.partition("_proj")
            kind = "bias" if kind == "_bias" else "weight"
            for number, expert in enumerate(tensor):
                expert = expert.T if is_transposed and kind == "weight" else expert
                halves = [expert]
                if part == "gate_up":
                    halves = [expert[0::2], expert[1::2]] if is_interleaved else expert.chunk(2)
                for own, half in zip(names[:2] if part == "gate_up" else names[2:], halves):
                    result[f"{layer}.{block}.experts.{number}.{own}.{kind}"] = half
        return result, config
    return change


def turned(tensors, config):
    """Fused experts with their last two axes exchanged."""
    return {name: tensor.transpose(1, 2) if ".experts." in name else tensor
            for name, tensor in tensors.items()}, config


def scaled(tensor, block):
    """A matrix in eight bits, and the factors of its blocks."""
    rows, columns = ((length + size - 1) // size for length, size in zip(tensor.shape, block))
    factors = torch.empty(rows, columns)
    stored = torch.empty_like(tensor, dtype=torch.float8_e4m3fn)
    for i in range(rows):
        for j in range(columns):
            part = (slice(i * block[0], (i + 1) * block[0]), slice(j * block[1], (j + 1) * block[1]))
            factors[i, j] = tensor[part].abs().max() / 448
            stored[part] = (tensor[part] / factors[i, j]).to(torch.float8_e4m3fn)
    return stored, factors


def restored(stored, factors, block):
    full = factors.repeat_interleave(block[0], 0).repeat_interleave(block[1], 1)
    return stored.float() * full[:stored.shape[0], :stored.shape[1]]


def eight_bits(block, ending, settings):
    """A change that stores the layers' matrices in eight bits, and the average with what they are then."""
    def parts(tensors):
        for name, tensor in tensors.items():
            if name.endswith("_proj.weight"):
                own = tuple(size or length for size, length in zip(block, tensor.shape))
                yield name, *scaled(tensor, own), own

    def change(tensors, config):
        result = dict(tensors)
        for name, stored, factors, _ in parts(tensors):
            result |= {name: stored, name + ending: factors}
        return result, config | {"quantization_config": settings}

    def wanted(a, b):
        b = b | {name: restored(stored, factors, own) for name, stored, factors, own in parts(b)}
        return {name: (a[name] + b[name]) / 2 for name in a}
    return dict(change=change, wanted=wanted, settings={"quantization_config": None})


def tied(tensors, config):
    """Without a head of its own."""
    return {n: t for n, t in tensors.items() if n != "lm_head.weight"}, config | {"tie_word_embeddings": True}


def with_tied_head(a, b):
    """The average, the second model's head being its embedding."""
    b = b | {"lm_head.weight": b["model.embed_tokens.weight"]}
    return {name: (a[name] + b[name]) / 2 for name in a}


def stacked_part(prefix, count):
    """The tensors of a module with the first and last layers of the two models, the rest the first's."""
    def wanted(a, b):
        result = {name: tensor for name, tensor in a.items() if not name.startswith(prefix + ".")}
        for number in range(count):
            source, layer = (a, number) if number < count // 2 else (b, number - count // 2 + 1)
            start = f"{prefix}.{layer}."
            result |= {f"{prefix}.{number}.{n[len(start):]}": t for n, t in source.items() if n.startswith(start)}
        return result
    return wanted


def part(module, other):
    """A recipe that stacks layers of one module, and takes another one as it is."""
    return f"""\
merge_method: passthrough
modules:
  {module}:
    slices:
      - sources: [{{model: ./a, layer_range: [0, 2]}}]
      - sources: [{{model: ./b, layer_range: [1, 3]}}]
  {other}:
    models: [{{model: ./a}}]
"""


FEW_DENSE = """\
merge_method: passthrough
slices:
  - sources: [{model: ./a, layer_range: [0, 3]}]
  - sources: [{model: ./b, layer_range: [0, 4]}]
"""

VARIATIONS = {
    "BERT, prefix missing in one": Variation("BERT, masked", renamed(("bert.", ""))),
    "BERT, gamma and beta in one": Variation(
        "BERT, masked", renamed(("LayerNorm.weight", "LayerNorm.gamma"), ("LayerNorm.bias", "LayerNorm.beta"))),
    "GPT-2, prefix missing in one": Variation("GPT-2", renamed(("transformer.", ""))),
    "Gemma 3 with images, other prefixes in one": Variation(
        "Gemma 3, images", renamed(("language_model.model.", "model.language_model."),
                                   ("vision_tower.", "model.vision_tower."),
                                   ("multi_modal_projector.", "model.multi_modal_projector."))),
    "Qwen2-VL, other prefixes in one": Variation(
        "Qwen2-VL", renamed(("model.", "model.language_model."), ("visual.", "model.visual."))),
    "Mixtral, experts fused in one": Variation("Mixtral", fused),
    "Qwen3-MoE, experts fused in one": Variation("Qwen3-MoE", fused),
    "GPT-OSS, experts apart in one": Variation("GPT-OSS", single(
        "mlp", ["gate_proj", "up_proj", "down_proj"], is_transposed=True, is_interleaved=True)),
    "Llama 4, experts apart in one": Variation("Llama 4", single(
        "feed_forward", ["gate_proj", "up_proj", "down_proj"], is_transposed=True)),
    "Qwen3-VL-MoE, experts turned in one": Variation("Qwen3-VL-MoE", turned),
    "DeepSeek-V3, eight bits in one": Variation("DeepSeek-V3", **eight_bits(
        (16, 16), "_scale_inv", dict(quant_method="fp8", weight_block_size=[16, 16]))),
    "Llama, eight bits by rows in one": Variation("Llama", **eight_bits(
        (1, 0), "_scale", dict(quant_method="compressed-tensors"))),
    "Llama, eight bits by tensors in one": Variation("Llama", **eight_bits(
        (0, 0), "_scale", dict(quant_method="fbgemm_fp8"))),
    "Llama, head tied in one": Variation(
        "Llama", tied, settings={"tie_word_embeddings": False}, wanted=with_tied_head),
    "DeepSeek-V3, dense layers out of order": Variation(
        "DeepSeek-V3", recipe=FEW_DENSE, refusal="first_k_dense_replace"),
    "T5, decoder stacked": Variation(
        "T5", recipe=part("decoder.block", "default"), settings={"num_layers": 4, "num_decoder_layers": 4},
        wanted=stacked_part("decoder.block", 4)),
    "Whisper, decoder stacked": Variation(
        "Whisper", recipe=part("model.decoder.layers", "default"),
        settings={"encoder_layers": 2, "decoder_layers": 4}, wanted=stacked_part("model.decoder.layers", 4)),
    "BART, decoder stacked": Variation(
        "BART", recipe=part("model.decoder.layers", "default"),
        settings={"encoder_layers": 2, "decoder_layers": 4}, wanted=stacked_part("model.decoder.layers", 4)),
}


class Mismatch(Exception):
    """What came out is not what it should be."""


def expect(holds, claim):
    if not holds:
        raise Mismatch(claim)


class Bench:
    """The two models of an architecture, and what is made of them."""

    def __init__(self, program, architecture, folder):
        self.program, self.architecture, self.folder = program, architecture, folder
        self.type = getattr(transformers, architecture.model)
        for seed, name in enumerate("ab"):
            config = getattr(transformers, architecture.config)(**architecture.arguments)
            torch.manual_seed(seed)
            model = self.type(config).float()
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.add_(torch.randn_like(parameter) * 0.1)
            model.save_pretrained(folder / name)

    def merge(self, recipe, out):
        path = self.folder / f"{out}.yml"
        path.write_text(recipe)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
        done = subprocess.run(
            [self.program, "merge", path.name, out, "--no-write-model-card"], cwd=self.folder, text=True,
            env=environment | {"HF_HUB_OFFLINE": "1"}, capture_output=True)
        expect(done.returncode == 0, done.stderr.strip().splitlines()[0] if done.stderr else "it failed")
        return done.stderr

    def tensors(self, name):
        """All tensors in a folder's files."""
        tensors = {}
        for path in sorted((self.folder / name).glob("*.safetensors")):
            with safe_open(path, "pt") as file:
                tensors |= {key: file.get_tensor(key) for key in file.keys()}
        return tensors

    def load(self, name):
        model, report = self.type.from_pretrained(
            self.folder / name, output_loading_info=True, torch_dtype=torch.float32)
        for problem in ["missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs"]:
            found = list(report.get(problem, []))
            expect(not found, f"{name}: {problem}: {found[:3]} of {len(found)}")
        return model.eval()

    def outputs(self, model):
        torch.manual_seed(7)
        ids = torch.randint(10, VOCABULARY, (1, 12))
        image = torch.randn(1, 3, 16, 16)
        arguments = {
            "text": dict(input_ids=ids), "image": dict(pixel_values=image),
            "both": dict(input_ids=ids, pixel_values=image),
            "sequences": dict(input_ids=ids, decoder_input_ids=ids[:, :5]),
            "sound": dict(input_values=torch.randn(1, 640)),
            "speech": dict(input_features=torch.randn(1, 8, 32), decoder_input_ids=ids[:, :5]),
        }[self.architecture.inputs]
        with torch.no_grad():
            result = model(**arguments)
        for name in ["logits", "logits_per_image", "last_hidden_state"]:
            if getattr(result, name, None) is not None:
                return getattr(result, name)
        raise Mismatch("the model has no output that is known")

    def compare_tensors(self, found, wanted):
        expect(found.keys() == wanted.keys(),
               f"tensors differ: {sorted(found.keys() ^ wanted.keys())[:4]}")
        for name, tensor in wanted.items():
            expect(found[name].shape == tensor.shape, f"{name} has shape {list(found[name].shape)}")
            expect(torch.allclose(found[name].double(), tensor.double(), rtol=1e-6, atol=1e-7),
                   f"{name} has other values")

    def compare_outputs(self, found, wanted):
        found, wanted = self.outputs(found), self.outputs(wanted)
        expect(found.shape == wanted.shape, "the outputs have another shape")
        difference = (found - wanted).abs().max().item()
        expect(difference < 1e-4, f"the outputs differ by {difference:.2g}")

    def check_linear(self):
        self.merge(
            "merge_method: linear\nmodels:\n"
            "  - {model: ./a, parameters: {weight: 0.75}}\n"
            "  - {model: ./b, parameters: {weight: 0.25}}\n", "linear")
        a, b = self.tensors("a"), self.tensors("b")
        self.compare_tensors(self.tensors("linear"), {
            name: a[name] * 0.75 + b[name] * 0.25 if a[name].is_floating_point() else a[name] for name in a})
        wanted, other = self.load("a"), self.load("b").state_dict()
        state = wanted.state_dict()
        wanted.load_state_dict({
            name: tensor * 0.75 + other[name] * 0.25 if tensor.is_floating_point() else tensor
            for name, tensor in state.items()})
        self.compare_outputs(self.load("linear"), wanted)

    def check_stack(self):
        self.merge(
            "merge_method: passthrough\nslices:\n"
            f"  - sources: [{{model: ./a, layer_range: [0, {DEPTH - 1}]}}]\n"
            f"  - sources: [{{model: ./b, layer_range: [1, {DEPTH}]}}]\n", "stack")
        expect(self.layer_suffixes("stack") == self.layer_suffixes("a")[:-1] + self.layer_suffixes("b")[1:],
               "the layers have other tensors")
        wanted = self.stacked(self.load("a"), self.load("b"))
        self.compare_outputs(self.load("stack"), wanted)

    def check_variation(self, variation):
        a, b = self.tensors("a"), self.tensors("b")
        if variation.change:
            config = json.loads((self.folder / "b" / "config.json").read_text())
            tensors, config = variation.change(b, config)
            save_file({n: t.contiguous() for n, t in tensors.items()},
                      self.folder / "b" / "model.safetensors", metadata={"format": "pt"})
            (self.folder / "b" / "config.json").write_text(json.dumps(config))
        orders = [("a", "b")] if variation.recipe or variation.wanted else [("a", "b"), ("b", "a")]
        for first, second in orders:
            recipe = variation.recipe or (
                f"merge_method: linear\nparameters: {{weight: 0.5}}\n"
                f"models: [{{model: ./{first}}}, {{model: ./{second}}}]\n")
            out = "out" + first
            try:
                self.merge(recipe, out)
            except Mismatch as mismatch:
                expect(variation.refusal and variation.refusal in str(mismatch), str(mismatch))
                return
            expect(not variation.refusal, "it was not refused")
            config = json.loads((self.folder / out / "config.json").read_text())
            for key, value in (variation.settings or {}).items():
                expect(config.get(key) == value, f"{key} is {config.get(key)}")
            wanted = variation.wanted or (lambda a, b: {n: (a[n] + b[n]) / 2 for n in a})
            found = self.tensors(out)
            if first == "a":
                self.compare_tensors(found, wanted(a, b))
            self.load(out)

    def layer_suffixes(self, name):
        """The tensors of each layer."""
        layers = {}
        for tensor in self.tensors(name):
            if tensor.startswith(self.architecture.stack + "."):
                number, _, rest = tensor[len(self.architecture.stack) + 1:].partition(".")
                layers.setdefault(int(number), set()).add(rest)
        expect(bool(layers), f"{name} has no {self.architecture.stack}")
        return [layers[number] for number in range(len(layers))]

    def stacked(self, a, b):
        """The layers put together in memory, the end being the last model's."""
        path = self.architecture.memory or self.architecture.stack
        first, last = a.get_submodule(path), b.get_submodule(path)
        layers = torch.nn.ModuleList([*first[:-1], *last[1:]])
        for number, layer in enumerate(layers):
            for module in layer.modules():
                if hasattr(module, "layer_idx"):
                    module.layer_idx = number
        parent, _, name = path.rpartition(".")
        owner = a.get_submodule(parent)
        taken = {key for key, _ in a.named_parameters() if key.startswith(path + ".")}
        for key, tensor in b.named_parameters():
            if key not in taken and self.is_after_layers(key):
                a.get_parameter(key).data = tensor.data
        setattr(owner, name, layers)
        for config in {id(m.config): m.config for m in a.modules() if hasattr(m, "config")}.values():
            for key, value in list(vars(config).items()):
                if isinstance(value, list) and len(value) == DEPTH:
                    setattr(config, key, value[:-1] + value[1:])
            if hasattr(config, "num_hidden_layers") and config.num_hidden_layers == DEPTH:
                config.num_hidden_layers = len(layers)
        return a

    @staticmethod
    def is_after_layers(name):
        words = ["norm", "ln_f", "lm_head", "embed_out", "score", "classifier", "pooler", "cls.", "vocab_",
                 "head.", "decoder.bias"]
        early = ["embeddings.", "embed_positions", "vision", "visual", "multi_modal_projector", "word_embeddings_layer"]
        return any(word in name for word in words) and not any(word in name for word in early)


def check(title, claim, body):
    try:
        body()
    except Mismatch as mismatch:
        print(f"FAIL  {title}: {claim}: {mismatch}", flush=True)
        return False
    except Exception as error:
        reason = str(error).strip().splitlines()
        print(f"FAIL  {title}: {claim}: {type(error).__name__}: {reason[0] if reason else ''}", flush=True)
        return False
    print(f"PASS  {title}: {claim}", flush=True)
    return True


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__.strip().splitlines()[-1])
    program = str(Path(sys.argv[1]).resolve())
    if Path(program).is_dir():
        program = str(Path(program) / "hubmerge")
    chosen = sys.argv[2:] or [*ARCHITECTURES, *VARIATIONS]
    results = []
    for title in chosen:
        variation = VARIATIONS.get(title)
        architecture = ARCHITECTURES[variation.architecture if variation else title]
        folder = Path(tempfile.mkdtemp(prefix="arch-"))
        try:
            bench = Bench(program, architecture, folder)
        except Exception as error:
            print(f"SKIP  {title}: transformers does not build it: {error}", flush=True)
            shutil.rmtree(folder)
            continue
        if variation:
            results.append(check(title, "variation", lambda: bench.check_variation(variation)))
        else:
            results.append(check(title, "linear", bench.check_linear))
            if architecture.stack:
                results.append(check(title, "stack", bench.check_stack))
        shutil.rmtree(folder)
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    raise SystemExit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
