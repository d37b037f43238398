// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

// The table of contents of the folders `templates` and `Examples`: a new file there takes one line in each list below.

#include "CAssets.h"

static const unsigned char chat_alpaca_jinja[] = {
#embed "../../templates/chat/alpaca.jinja"
};
static const unsigned char chat_chatml_jinja[] = {
#embed "../../templates/chat/chatml.jinja"
};
static const unsigned char chat_exaone_jinja[] = {
#embed "../../templates/chat/exaone.jinja"
};
static const unsigned char chat_llama3_jinja[] = {
#embed "../../templates/chat/llama3.jinja"
};
static const unsigned char chat_mistral_jinja[] = {
#embed "../../templates/chat/mistral.jinja"
};
static const unsigned char default_md[] = {
#embed "../../templates/default.md"
};
static const unsigned char lazymergekit_md[] = {
#embed "../../templates/lazymergekit.md"
};
static const unsigned char lora_md[] = {
#embed "../../templates/lora.md"
};
static const unsigned char minimal_md[] = {
#embed "../../templates/minimal.md"
};
static const unsigned char example_arcee_fusion[] = {
#embed "../../Examples/arcee_fusion.yml"
};
static const unsigned char example_breadcrumbs[] = {
#embed "../../Examples/breadcrumbs.yml"
};
static const unsigned char example_breadcrumbs_ties[] = {
#embed "../../Examples/breadcrumbs_ties.yml"
};
static const unsigned char example_cabs[] = {
#embed "../../Examples/cabs.yml"
};
static const unsigned char example_cart[] = {
#embed "../../Examples/cart.yml"
};
static const unsigned char example_consensus_ta[] = {
#embed "../../Examples/consensus_ta.yml"
};
static const unsigned char example_consensus_ties[] = {
#embed "../../Examples/consensus_ties.yml"
};
static const unsigned char example_dare_linear[] = {
#embed "../../Examples/dare_linear.yml"
};
static const unsigned char example_dare_ties[] = {
#embed "../../Examples/dare_ties.yml"
};
static const unsigned char example_della[] = {
#embed "../../Examples/della.yml"
};
static const unsigned char example_della_linear[] = {
#embed "../../Examples/della_linear.yml"
};
static const unsigned char example_emr[] = {
#embed "../../Examples/emr.yml"
};
static const unsigned char example_expo[] = {
#embed "../../Examples/expo.yml"
};
static const unsigned char example_iso_c[] = {
#embed "../../Examples/iso_c.yml"
};
static const unsigned char example_karcher[] = {
#embed "../../Examples/karcher.yml"
};
static const unsigned char example_linear[] = {
#embed "../../Examples/linear.yml"
};
static const unsigned char example_lines[] = {
#embed "../../Examples/lines.yml"
};
static const unsigned char example_magmax[] = {
#embed "../../Examples/magmax.yml"
};
static const unsigned char example_metagpt[] = {
#embed "../../Examples/metagpt.yml"
};
static const unsigned char example_model_stock[] = {
#embed "../../Examples/model_stock.yml"
};
static const unsigned char example_multislerp[] = {
#embed "../../Examples/multislerp.yml"
};
static const unsigned char example_nearswap[] = {
#embed "../../Examples/nearswap.yml"
};
static const unsigned char example_nuslerp[] = {
#embed "../../Examples/nuslerp.yml"
};
static const unsigned char example_passthrough[] = {
#embed "../../Examples/passthrough.yml"
};
static const unsigned char example_ram[] = {
#embed "../../Examples/ram.yml"
};
static const unsigned char example_ramplus_tl[] = {
#embed "../../Examples/ramplus_tl.yml"
};
static const unsigned char example_sce[] = {
#embed "../../Examples/sce.yml"
};
static const unsigned char example_slerp[] = {
#embed "../../Examples/slerp.yml"
};
static const unsigned char example_star[] = {
#embed "../../Examples/star.yml"
};
static const unsigned char example_task_arithmetic[] = {
#embed "../../Examples/task_arithmetic.yml"
};
static const unsigned char example_ties[] = {
#embed "../../Examples/ties.yml"
};
static const unsigned char example_ties_model_scope[] = {
#embed "../../Examples/ties_model_scope.yml"
};
static const unsigned char example_tsv_m[] = {
#embed "../../Examples/tsv_m.yml"
};

#define ASSET(file, bytes) {file, bytes, sizeof bytes}

static const ca_asset assets[] = {
    ASSET("chat/alpaca.jinja", chat_alpaca_jinja),
    ASSET("chat/chatml.jinja", chat_chatml_jinja),
    ASSET("chat/exaone.jinja", chat_exaone_jinja),
    ASSET("chat/llama3.jinja", chat_llama3_jinja),
    ASSET("chat/mistral.jinja", chat_mistral_jinja),
    ASSET("default.md", default_md),
    ASSET("lazymergekit.md", lazymergekit_md),
    ASSET("lora.md", lora_md),
    ASSET("minimal.md", minimal_md),
    ASSET("Examples/arcee_fusion.yml", example_arcee_fusion),
    ASSET("Examples/breadcrumbs.yml", example_breadcrumbs),
    ASSET("Examples/breadcrumbs_ties.yml", example_breadcrumbs_ties),
    ASSET("Examples/cabs.yml", example_cabs),
    ASSET("Examples/cart.yml", example_cart),
    ASSET("Examples/consensus_ta.yml", example_consensus_ta),
    ASSET("Examples/consensus_ties.yml", example_consensus_ties),
    ASSET("Examples/dare_linear.yml", example_dare_linear),
    ASSET("Examples/dare_ties.yml", example_dare_ties),
    ASSET("Examples/della.yml", example_della),
    ASSET("Examples/della_linear.yml", example_della_linear),
    ASSET("Examples/emr.yml", example_emr),
    ASSET("Examples/expo.yml", example_expo),
    ASSET("Examples/iso_c.yml", example_iso_c),
    ASSET("Examples/karcher.yml", example_karcher),
    ASSET("Examples/linear.yml", example_linear),
    ASSET("Examples/lines.yml", example_lines),
    ASSET("Examples/magmax.yml", example_magmax),
    ASSET("Examples/metagpt.yml", example_metagpt),
    ASSET("Examples/model_stock.yml", example_model_stock),
    ASSET("Examples/multislerp.yml", example_multislerp),
    ASSET("Examples/nearswap.yml", example_nearswap),
    ASSET("Examples/nuslerp.yml", example_nuslerp),
    ASSET("Examples/passthrough.yml", example_passthrough),
    ASSET("Examples/ram.yml", example_ram),
    ASSET("Examples/ramplus_tl.yml", example_ramplus_tl),
    ASSET("Examples/sce.yml", example_sce),
    ASSET("Examples/slerp.yml", example_slerp),
    ASSET("Examples/star.yml", example_star),
    ASSET("Examples/task_arithmetic.yml", example_task_arithmetic),
    ASSET("Examples/ties.yml", example_ties),
    ASSET("Examples/ties_model_scope.yml", example_ties_model_scope),
    ASSET("Examples/tsv_m.yml", example_tsv_m),
};

size_t ca_asset_count(void) { return sizeof assets / sizeof assets[0]; }

ca_asset ca_asset_at(size_t index) { return assets[index]; }
