// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

// The table of contents of the folder `templates`: a new file there takes one line in each list below.

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
};

size_t ca_asset_count(void) { return sizeof assets / sizeof assets[0]; }

ca_asset ca_asset_at(size_t index) { return assets[index]; }
