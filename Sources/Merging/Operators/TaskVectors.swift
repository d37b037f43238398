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
    /// Keeps each element with a probability that grows with its rank in its row, from `density` − `epsilon` to
    /// `density` + `epsilon`.
    case ranked
  }

  /// How a sparse task vector makes up for what was dropped.
  package enum Rescaling: String, Hashable, Sendable {
    case none = "false"
    /// The whole vector is scaled to the L1 norm that it had.
    case l1 = "true"
    /// Each kept element is divided by the probability with which it was kept.
    case expectation
  }

  package enum Consensus: String, Hashable, Sendable {
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
    package var rescale = Rescaling.none

    package init(
      _ sparsifier: Sparsifier = .none, consensus: Consensus = .none, normalize: Bool = false,
      rescale: Rescaling = .none
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
    /// Half the spread of the probabilities with which elements are kept.
    var epsilon = 0.0
    /// Which of the bounds sparsification keeps the magnitudes above, and below which.
    var lower: Int?
    var upper: Int?
    /// Factor that makes up for what was dropped.
    var rescale = 1.0
  }

  let algebra: Algebra
  let base: Int
  /// How many elements the task vectors' bounds are about.
  private let surveyedCount: Int
  private let lambda: Double
  private(set) var vectors: [Vector]
  /// The bounds of magnitude between what is kept and what is dropped, of all task vectors.
  private(set) var bounds: [MagnitudeBound] = []
  /// Whether the factors that restore the L1 norms are known.
  private(set) var isRescaled: Bool

  package init(_ algebra: Algebra, _ parameters: MethodParameters, _ tensor: MergeTensor)
    throws(MethodFault)
  {
    guard let base = tensor.base else { throw MethodFault("there is no base model") }
    var algebra = algebra
    algebra.normalize = parameters.flag("normalize")
    if algebra.consensus != .none {
      algebra.consensus = Consensus(rawValue: parameters.choice("consensus")) ?? algebra.consensus
    }
    let rescale = parameters.choice("rescale")
    algebra.rescale =
      algebra.sparsifier == .none
      ? .none : rescale == "l1" ? .l1 : .init(rawValue: rescale) ?? .none
    self.algebra = algebra
    self.base = base
    lambda = parameters.number("lambda")
    surveyedCount = tensor.surveyedCount
    vectors = tensor.others.map { input in
      Vector(
        input: input, weight: parameters.number("weight", of: input) ?? 1,
        density: parameters.number("density", of: input) ?? 1,
        key: RandomKey(seed: tensor.seed, name: tensor.name.text.utf8, stream: input))
    }
    isRescaled = algebra.rescale != .l1 || vectors.allSatisfy { $0.density >= 1 }
    for index in vectors.indices where vectors[index].density < 1 {
      try prepare(index, parameters, tensor)
    }
  }

  private mutating func prepare(
    _ index: Int, _ parameters: MethodParameters, _ tensor: MergeTensor
  ) throws(MethodFault) {
    let vector = vectors[index]
    let density = vector.density
    func bound(_ count: Int, _ side: MagnitudeBound.Side) -> MagnitudeBound {
      MagnitudeBound(
        min(count, surveyedCount), of: surveyedCount, series: index, kept: side,
        digitCount: tensor.magnitudeDigits, firstBlock: tensor.group?.firstBlock ?? 0)
    }
    let share = Int(max(0, density) * Double(surveyedCount))
    switch algebra.sparsifier {
    case .none: break
    case .magnitude:
      // At least one element is kept unless none is wanted.
      vectors[index].lower = bounds.count
      bounds.append(bound(density <= 0 ? 0 : max(1, share), .above))
    case .outliers:
      let gamma = max(0, parameters.number("gamma", of: vector.input) ?? 0)
      let outliers = min(Int(gamma * Double(surveyedCount)), surveyedCount - share)
      vectors[index].lower = bounds.count
      bounds.append(bound(share + outliers, .above))
      vectors[index].upper = bounds.count
      bounds.append(bound(outliers, .below))
    case .ranked where density > 0:
      let epsilon = parameters.number("epsilon", of: vector.input) ?? 0
      guard density - epsilon > 0, density + epsilon < 1 else {
        throw MethodFault(
          "density \(density) and epsilon \(epsilon) give probabilities outside 0...1",
          parameter: "density", input: vector.input)
      }
      vectors[index].epsilon = epsilon
    case .random, .ranked:
      if algebra.rescale == .expectation, density > 0 { vectors[index].rescale = 1 / density }
    }
  }

  /// The base, if nothing is merged into it.
  var copiedInput: Int? { vectors.isEmpty ? base : nil }

  var scratchCount: Int { vectors.count }

  var granularity: Granularity { algebra.sparsifier == .ranked ? .rows : .elements }

  // MARK: What is learned

  mutating func learn(_ survey: MagnitudeSurvey<TaskVectors>) {
    survey.teach(&bounds)
    for vector in vectors {
      guard let lower = vector.lower, let upper = vector.upper else { continue }
      bounds[lower].exclude(bounds[upper])
    }
  }

  /// Takes in the L1 norm of each task vector before and after it was made sparse.
  mutating func learn(norms: [(all: Double, kept: Double)]) {
    for (index, norm) in norms.enumerated() {
      let factor = norm.all / norm.kept
      if norm.kept > 0, factor.isFinite { vectors[index].rescale = factor }
    }
    isRescaled = true
  }

  // MARK: Blending

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
}
