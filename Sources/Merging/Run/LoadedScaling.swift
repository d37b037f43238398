// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Weights

/// The factors of a tensor's blocks, in memory.
struct LoadedScaling: Sendable {
  private let scales: BlockScales
  private let shape: [Int]
  private let factors: [Float]

  init(_ scales: BlockScales, shape: [Int], factors: [Float]) {
    self.scales = scales
    self.shape = shape
    self.factors = factors
  }

  /// Multiplies elements, counted in the tensor, by their factors.
  func apply<S: Scalar>(to values: UnsafeMutablePointer<S>, _ elements: Range<Int>) {
    scales.apply(factors, to: values, elements, of: shape)
  }
}
