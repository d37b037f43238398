// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

#include <yaml.h>
