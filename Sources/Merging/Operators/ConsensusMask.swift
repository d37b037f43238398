// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Weights

/// Keeps the elements of a merged task vector that matter for several tasks.
///
/// An element matters for a task if the task's own is larger than `threshold` times what is left of the merged one
/// without it (the TALL mask). Wang et al., https://arxiv.org/abs/2405.07813.
struct ConsensusMask: Sendable {
  private let threshold: Double
  private let leastCount: Int
  private let factor: Double

  static let parameters: [ParameterSpec] = [
    .method(
      "threshold",
      "how large an element must be, as a share of what the others add, to matter for a task",
      default: 0.4, in: 0...Double.infinity),
    .method(
      "k", "for how many tasks an element must matter", .integer, default: 2,
      in: 0...Double.infinity),
  ]

  init(_ parameters: MethodParameters, _ tensor: MergeTensor) {
    threshold = parameters.number("threshold")
    leastCount = parameters.integer("k")
    factor = parameters.scale(tensor)
  }

  /// Zeroes what does not matter in a merged task vector, and scales the rest; what is NaN stays.
  func apply<S: Scalar>(
    to merged: UnsafeMutablePointer<S>, _ vectors: UnsafePointer<UnsafePointer<S>>,
    vectorCount: Int, count: Int
  ) {
    Self.apply(merged, vectors, vectorCount, S(threshold), leastCount, S(factor), count)
  }

  @specialized(where S == Float)
  @specialized(where S == Double)
  private static func apply<S: Scalar>(
    _ merged: UnsafeMutablePointer<S>, _ vectors: UnsafePointer<UnsafePointer<S>>,
    _ vectorCount: Int, _ threshold: S, _ leastCount: Int, _ factor: S, _ count: Int
  ) {
    for index in 0..<count {
      let sum = merged[index]
      var taskCount = 0
      for vector in 0..<vectorCount {
        let value = vectors[vector][index]
        if value.magnitude > threshold * (sum - value).magnitude { taskCount += 1 }
      }
      merged[index] = taskCount >= leastCount || sum.isNaN ? factor * sum : 0
    }
  }
}
