// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// A merge method that makes one task vector of all, element by element and in one pass, and adds it to the base.
package protocol UnifyingMethod: MergeMethod where Statistics == NoSurvey {
  /// The task vectors.
  var offsets: Offsets { get }

  /// Fills the block's output with the one task vector that is made of `vectors`.
  func unify<S: Scalar>(_ vectors: UnsafePointer<UnsafePointer<S>>, into block: Block<S>)
}

extension UnifyingMethod {
  package var copiedInput: Int? { offsets.count == 0 ? offsets.base : nil }
  package var scratchCount: Int { offsets.scratchCount }

  package func blend<S: Scalar>(_ block: Block<S>) {
    offsets.load(block) { unify($0, into: block) }
    offsets.addBase(block)
  }
}
