// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

// The table of contents of the folder `templates`: a new file there takes one line in each list below.

#include "CAssets.h"

static const unsigned char default_md[] = {
#embed "../../templates/default.md"
};
static const unsigned char minimal_md[] = {
#embed "../../templates/minimal.md"
};

#define ASSET(file, bytes) {file, bytes, sizeof bytes}

static const ca_asset assets[] = {
    ASSET("default.md", default_md),
    ASSET("minimal.md", minimal_md),
};

size_t ca_asset_count(void) { return sizeof assets / sizeof assets[0]; }

ca_asset ca_asset_at(size_t index) { return assets[index]; }
