// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import SystemPackage
package import Weights

/// What can go wrong while a planned merge runs.
package enum MergeError: Error, Sendable {
  /// A result is not a finite number although all of its inputs are; `overflow` if it is too large for the
  /// output's dtype.
  case notFinite(
    TensorName, element: Int, overflow: Bool, dtype: DType, models: [String])
  /// A method that works on whole matrices found no result.
  case unsolvable(TensorName, LinearAlgebraError, models: [String])
  /// An input file is not what it was when the merge was planned.
  case inputChanged(FilePath)
  /// What was written is not what was planned: the file system has not kept it.
  case notAsPlanned(FilePath, reason: String)
  case cancelled
}
