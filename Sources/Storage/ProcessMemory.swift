// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import CPlatform

/// The memory of this process.
package enum ProcessMemory {
  /// The most that was resident at any time, in bytes.
  package static var peak: Int { max(0, Int(cp_peak_memory())) }
}
