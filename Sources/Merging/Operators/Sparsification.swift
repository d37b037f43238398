// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

extension TaskVectors: MagnitudeSource {
  /// The task vector number `series`, as it is before sparsification.
  package func values<S: Scalar>(_ series: Int, of block: Block<S>) -> UnsafePointer<S> {
    let delta = block.scratch(series)
    S.subtract(block[vectors[series].input], block[base], into: delta, count: block.count)
    return UnsafePointer(delta)
  }

  /// Computes the task vector number `index`, made sparse, into its scratch block.
  func sparsify<S: Scalar>(_ index: Int, _ block: Block<S>) {
    let vector = vectors[index]
    _ = values(index, of: block)
    let delta = block.scratch(index)
    guard vector.density < 1 else { return }
    switch algebra.sparsifier {
    case .none: break
    case .magnitude, .outliers: keepBand(vector, delta, block)
    case .random:
      S.keepRandomly(
        delta, key: vector.key, firstIndex: UInt64(block.offset),
        probability32: UInt64((max(0, vector.density) * 4_294_967_296).rounded()),
        count: block.count)
    case .ranked:
      let dropout = RankedDropout(
        density: max(0, vector.density), epsilon: vector.epsilon, key: vector.key,
        isUnbiased: algebra.rescale == .expectation)
      block.forEachRow { row in dropout.apply(to: row.scratch(index), row) }
    }
  }

  /// Zeroes all magnitudes but those between a vector's bounds.
  private func keepBand<S: Scalar>(
    _ vector: Vector, _ delta: UnsafeMutablePointer<S>, _ block: Block<S>
  ) {
    guard let lower = vector.lower.map({ bounds[$0] }) else { return }
    let upper = vector.upper.map { bounds[$0] }
    var lowerQuota = lower.quota(block)
    var upperQuota = upper?.quota(block) ?? Int.max
    S.keep(
      UnsafePointer(delta), above: lower.threshold, quota: &lowerQuota,
      below: upper?.threshold ?? .max, quota: &upperQuota, into: delta, count: block.count)
  }
}
