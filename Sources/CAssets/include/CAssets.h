// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

#ifndef CASSETS_H
#define CASSETS_H

#include <stddef.h>

/// A file that is part of the program.
typedef struct {
  /// Its path below the folder `templates`.
  const char *name;
  /// Its content, not ended by a zero; valid as long as the program runs.
  const unsigned char *bytes;
  size_t size;
} ca_asset;

/// The number of assets.
size_t ca_asset_count(void);

/// The asset of an index below the number of assets.
ca_asset ca_asset_at(size_t index);

#endif
