// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Weights

/// The algebra of task vectors: what eight merge methods are points of.
///
/// A task vector is a model's difference from the base. Each is made sparse and perhaps rescaled, they are
/// weighted and added up, perhaps only where they agree on the sign, and the sum is added to the base.
/// All tensors have the base's shape.
package struct TaskVectors: Sendable {
  package enum Sparsifier: Hashable, Sendable {
    case none
    /// Keeps the share `density` that is largest in magnitude.
    case magnitude
    /// Drops the share `gamma` that is largest, and the smallest, so that `density` remains.
    case outliers
    /// Keeps each element with probability `density`.
    case random
  }

  package enum Consensus: Hashable, Sendable {
    case none
    /// Per element only the task vectors that have the sign of the weighted sum count.
    case sum
    /// Per element only the task vectors that have the sign of the majority count.
    case count
  }

  /// A merge method as a point of the algebra, with the defaults that mergekit has.
  package struct Algebra: Hashable, Sendable {
    package var sparsifier = Sparsifier.none
    package var consensus = Consensus.none
    package var normalize = false
    package var rescale = false

    package init(
      _ sparsifier: Sparsifier = .none, consensus: Consensus = .none, normalize: Bool = false,
      rescale: Bool = false
    ) {
      self.sparsifier = sparsifier
      self.consensus = consensus
      self.normalize = normalize
      self.rescale = rescale
    }
  }

  /// One model's task vector.
  struct Vector: Sendable {
    let input: Int
    let weight: Double
    let density: Double
    /// Key of the random numbers that decide what is kept.
    let key: RandomKey
    /// Sparsification keeps the magnitudes above `lower` and below `upper`.
    var lower: MagnitudeBound?
    var upper: MagnitudeBound?
    /// Factor that restores the L1 norm after sparsification.
    var rescale = 1.0
  }

  let algebra: Algebra
  let base: Int
  let lambda: Double
  var vectors: [Vector]
  /// Whether the factors that restore the L1 norms are known.
  private(set) var isRescaled: Bool

  package init(_ algebra: Algebra, _ parameters: MethodParameters, _ tensor: MergeTensor)
    throws(MethodFault)
  {
    guard let base = tensor.base else { throw MethodFault("there is no base model") }
    var algebra = algebra
    algebra.normalize = parameters.flag("normalize")
    algebra.rescale = parameters.flag("rescale") && algebra.sparsifier != .none
    self.algebra = algebra
    self.base = base
    lambda = parameters.number("lambda")
    let total = tensor.elementCount
    let digits = tensor.magnitudeDigits
    vectors = tensor.others.map { input in
      let density = parameters.number("density", of: input) ?? 1
      var vector = Vector(
        input: input, weight: parameters.number("weight", of: input) ?? 1, density: density,
        key: RandomKey(seed: tensor.seed, name: tensor.name.text.utf8, stream: input))
      switch algebra.sparsifier {
      case .magnitude where density < 1:
        // At least one element is kept unless none is wanted.
        let count = density <= 0 ? 0 : max(1, Int(density * Double(total)))
        vector.lower = MagnitudeBound(
          min(count, total), of: total, kept: .above, digitCount: digits)
      case .outliers where density < 1:
        let count = Int(density * Double(total))
        let outliers = min(
          Int((parameters.number("gamma", of: input) ?? 0) * Double(total)), total - count)
        vector.lower = MagnitudeBound(
          count + outliers, of: total, kept: .above, digitCount: digits)
        vector.upper = MagnitudeBound(outliers, of: total, kept: .below, digitCount: digits)
      default: break
      }
      return vector
    }
    isRescaled = !algebra.rescale || vectors.allSatisfy { $0.density >= 1 }
  }

  /// The base, if nothing is merged into it.
  var copiedInput: Int? { vectors.isEmpty ? base : nil }

  var scratchCount: Int { vectors.count }

  /// Computes the task vector number `index`, made sparse, into its scratch block.
  func sparsify<S: Scalar>(_ index: Int, _ block: Block<S>) {
    let vector = vectors[index]
    let delta = block.scratch(index)
    S.subtract(block[vector.input], block[base], into: delta, count: block.count)
    mask(vector, delta, block)
  }

  /// Zeroes what sparsification drops.
  private func mask<S: Scalar>(
    _ vector: Vector, _ delta: UnsafeMutablePointer<S>, _ block: Block<S>
  ) {
    switch algebra.sparsifier {
    case .none: break
    case .magnitude, .outliers:
      guard let lower = vector.lower else { break }
      let number = block.offset / blockCapacity
      let isEmpty = lower.count == 0
      var lowerQuota = isEmpty ? 0 : lower.quota(block: number)
      let hasUpper = (vector.upper?.count ?? 0) > 0
      var upperQuota = hasUpper ? vector.upper?.quota(block: number) ?? Int.max : Int.max
      S.keep(
        UnsafePointer(delta), above: isEmpty ? .max : lower.threshold, quota: &lowerQuota,
        below: hasUpper ? vector.upper?.threshold ?? .max : .max, quota: &upperQuota,
        into: delta, count: block.count)
    case .random:
      guard vector.density < 1 else { break }
      S.keepRandomly(
        delta, key: vector.key, firstIndex: UInt64(block.offset),
        probability32: UInt64((vector.density * 4_294_967_296).rounded()), count: block.count)
    }
  }

  func blend<S: Scalar>(_ block: Block<S>) {
    for index in vectors.indices { sparsify(index, block) }
    switch algebra.consensus {
    case .none: addAll(block)
    case .sum, .count: addAgreeing(block)
    }
  }

  /// base + λ · Σ wᵢ δᵢ, divided by Σ wᵢ if normalized.
  private func addAll<S: Scalar>(_ block: Block<S>) {
    let sum = vectors.reduce(0) { $0 + $1.weight }
    let divisor = algebra.normalize && abs(sum) >= 1e-8 ? sum : 1
    withDeltas(block) { deltas, factors, _ in
      for (index, vector) in vectors.enumerated() {
        factors[index] = S(vector.weight * vector.rescale * lambda / divisor)
      }
      S.combine(
        deltas, factors, inputCount: vectors.count, into: block.output, count: block.count)
    }
    S.add(block[base], block.output, into: block.output, count: block.count)
  }

  /// base + λ · Σ wᵢ δᵢ over the vectors that have the elected sign, divided by the sum of their weights if
  /// normalized.
  private func addAgreeing<S: Scalar>(_ block: Block<S>) {
    withDeltas(block) { deltas, factors, weights in
      for (index, vector) in vectors.enumerated() {
        factors[index] = S(vector.weight * vector.rescale)
        weights[index] = S(vector.weight)
      }
      S.elect(
        deltas, coefficients: factors, weights: weights, vectorCount: vectors.count,
        vote: algebra.consensus == .count ? .count : .scaledSum,
        division: algebra.normalize ? .agreeingWeights : .none, into: block.output,
        count: block.count)
    }
    if lambda != 1 {
      S.scale(block.output, by: S(lambda), into: block.output, count: block.count)
    }
    S.add(block[base], block.output, into: block.output, count: block.count)
  }

  /// Calls `body` with the scratch blocks of all vectors and room for two numbers for each.
  private func withDeltas<S: Scalar>(
    _ block: Block<S>,
    _ body: (UnsafePointer<UnsafePointer<S>>, UnsafeMutablePointer<S>, UnsafeMutablePointer<S>) ->
      Void
  ) {
    let count = vectors.count
    withUnsafeTemporaryAllocation(of: UnsafePointer<S>.self, capacity: count) { deltas in
      withUnsafeTemporaryAllocation(of: S.self, capacity: 2 * count) { numbers in
        for index in vectors.indices { deltas[index] = UnsafePointer(block.scratch(index)) }
        guard let first = deltas.baseAddress, let number = numbers.baseAddress else { return }
        body(first, number, number + count)
      }
    }
  }

  mutating func learn(sums: [(all: Double, kept: Double)]) {
    for (index, sum) in sums.enumerated() where sum.all >= 1e-7 && sum.kept >= 1e-7 {
      vectors[index].rescale = sum.all / sum.kept
    }
    isRescaled = true
  }
}
