// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// SCE: selects the elements in which models vary, calculates their weights, and erases minority signs.
package struct Sce: MergeMethod {
  package static let spec = MethodSpec(
    id: "sce", title: "SCE",
    summary: """
      Selects the share `select_topk` of the elements whose task vectors vary most between the models, \
      calculates a weight for each model and tensor from the mean square of what was selected, and erases \
      the elements whose sign is against the sum of all. What is left is averaged by weight and added to \
      the base.
      """,
    paper: .init(
      "FuseChat: Knowledge Fusion of Chat Models", "https://arxiv.org/abs/2408.07990"),
    base: .required,
    parameters: [
      .method(
        "select_topk", "the share of the elements with any variance that is selected", default: 1.0,
        in: 0...1),
      .scope(
        "what is selected from and weighted as one: each tensor, all of a layer, or the model"),
      .method("int8_mask", "accepted, has no effect on the result", .flag, default: false),
    ],
    differences: """
      weights are calculated for task vectors of any scale, where mergekit gives all models the same weight \
      if the mean squares add up to less than 1e-6, as they mostly do; of elements that vary equally at the \
      threshold those with the lower index are selected
      """)

  fileprivate let deviations: Deviations
  /// How many elements the bound is about, and how many blocks of other tensors precede them.
  private let surveyedCount: Int
  private let firstBlock: Int
  private let digitCount: Int
  private let selectedShare: Double
  /// The bound of the variances that are selected; empty if all are, or before the first pass.
  private var bounds: [MagnitudeBound] = []
  /// Whether it is known how many elements vary at all.
  fileprivate var isCounted: Bool
  private var weights: [Double]?

  package init(_ parameters: MethodParameters, _ tensor: MergeTensor) throws(MethodFault) {
    deviations = Deviations(offsets: Offsets(tensor))
    surveyedCount = tensor.surveyedCount
    firstBlock = tensor.group?.firstBlock ?? 0
    digitCount = tensor.magnitudeDigits
    selectedShare = parameters.number("select_topk")
    isCounted = selectedShare >= 1
  }

  package var copiedInput: Int? {
    selectedShare <= 0 || deviations.offsets.count == 0 ? deviations.offsets.base : nil
  }

  package var scratchCount: Int { deviations.offsets.scratchCount + 1 }

  package func survey() -> SceSurvey? {
    let search = MagnitudeSurvey(deviations, bounds)
    return search == nil && weights != nil ? nil : SceSurvey(self, search)
  }

  package mutating func learn(_ statistics: SceSurvey) {
    if let search = statistics.search {
      search.teach(&bounds)
    } else if !isCounted {
      let count = Int(Double(statistics.varyingCount) * selectedShare)
      bounds = [
        MagnitudeBound(
          count, of: surveyedCount, kept: .above, digitCount: digitCount, firstBlock: firstBlock)
      ]
      isCounted = true
    } else {
      let energies = statistics.energies
      let sum = energies.reduce(0, +)
      let equal = 1 / Double(energies.count)
      weights = energies.map { sum > 0 && sum.isFinite ? $0 / sum : equal }
    }
  }

  /// Calls `body` with the task vectors, made zero where nothing was selected.
  fileprivate func select<S: Scalar>(
    _ block: Block<S>, _ body: (UnsafePointer<UnsafePointer<S>>) -> Void
  ) {
    let count = deviations.offsets.count
    deviations.offsets.load(block) { vectors in
      if let bound = bounds.first {
        let variances = block.scratch(count)
        deviations.variances(vectors, into: variances, count: block.count)
        for index in 0..<count {
          var quota = bound.quota(block)
          S.keep(
            vectors[index], by: variances, above: bound.threshold, quota: &quota,
            into: block.scratch(index), count: block.count)
        }
      }
      body(vectors)
    }
  }

  package func blend<S: Scalar>(_ block: Block<S>) {
    let weights = weights ?? []
    select(block) { vectors in
      withUnsafeTemporaryAllocation(of: S.self, capacity: weights.count) { factors in
        for index in weights.indices { factors[index] = S(weights[index]) }
        guard let start = factors.baseAddress else { return }
        S.elect(
          vectors, coefficients: start, weights: start, vectorCount: weights.count,
          vote: .plainSum, division: .agreeingWeightsAtLeast(1e-6), into: block.output,
          count: block.count)
      }
    }
    deviations.offsets.addBase(block)
  }
}

/// The variances of task vectors between models, element by element.
struct Deviations: MagnitudeSource {
  fileprivate let offsets: Offsets

  func values<S: Scalar>(_ series: Int, of block: Block<S>) -> UnsafePointer<S> {
    let result = block.scratch(offsets.count)
    offsets.load(block) { variances($0, into: result, count: block.count) }
    return UnsafePointer(result)
  }

  func variances<S: Scalar>(
    _ vectors: UnsafePointer<UnsafePointer<S>>, into out: UnsafeMutablePointer<S>, count: Int
  ) {
    Self.variances(vectors, offsets.count, into: out, count)
  }

  /// In fp64, so that the variance of equal numbers is zero.
  @specialized(where S == Float)
  @specialized(where S == Double)
  private static func variances<S: Scalar>(
    _ vectors: UnsafePointer<UnsafePointer<S>>, _ vectorCount: Int,
    into out: UnsafeMutablePointer<S>, _ count: Int
  ) {
    let number = Double(vectorCount)
    for index in 0..<count {
      var sum = 0.0
      for vector in 0..<vectorCount { sum += Double(vectors[vector][index]) }
      let mean = sum / number
      var squares = 0.0
      for vector in 0..<vectorCount {
        let deviation = Double(vectors[vector][index]) - mean
        squares += deviation * deviation
      }
      out[index] = S(squares / number)
    }
  }
}

/// The statistics of SCE: how many elements vary, the bound of what is selected, and how large that is.
package struct SceSurvey: Survey {
  private let method: Sce
  fileprivate var search: MagnitudeSurvey<Deviations>?
  fileprivate var varyingCount = 0
  /// For each model the sum of squares of what was selected.
  fileprivate var energies: [Double]

  fileprivate init(_ method: Sce, _ search: MagnitudeSurvey<Deviations>?) {
    self.method = method
    self.search = search
    energies = [Double](repeating: 0, count: method.deviations.offsets.count)
  }

  package var isOrderFree: Bool { search?.isOrderFree ?? !method.isCounted }

  package var sample: BlockSample? { search?.sample }

  package mutating func observe<S: Scalar>(_ block: Block<S>) {
    if search != nil {
      search?.observe(block)
    } else if !method.isCounted {
      let variances = method.deviations.values(0, of: block)
      varyingCount += block.count - S.countEqual(variances, magnitude: 0, count: block.count)
    } else {
      method.select(block) { vectors in
        for index in energies.indices {
          energies[index] += S.dot(vectors[index], vectors[index], count: block.count)
        }
      }
    }
  }

  package mutating func append(_ next: SceSurvey) {
    if let theirs = next.search { search?.append(theirs) }
    varyingCount += next.varyingCount
    for index in energies.indices { energies[index] += next.energies[index] }
  }
}
