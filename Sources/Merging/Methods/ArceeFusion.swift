// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
package import Weights

/// Arcee Fusion: takes over the other model's changes where they matter most.
package struct ArceeFusion: MergeMethod {
  package static let spec = MethodSpec(
    id: "arcee_fusion", title: "Arcee Fusion",
    summary: """
      Rates each element of the other model by its difference from the base times the Kullback-Leibler \
      divergence between the softmaxes of its row in the two. The elements rated no less than the median \
      plus one and a half times the interquartile range of the tensor are taken over, the others stay \
      those of the base.
      """,
    base: .required, models: 1...1,
    differences: """
      quartiles are those of all elements, where mergekit draws a sample from large tensors; divergences are \
      computed in fp64, since those of nearly equal rows are rounding noise in less; the result has the \
      dtype that the recipe names, where mergekit's is always float32
      """)

  private var ratings: Ratings
  /// The quartiles of the ratings, the largest first.
  private var quartiles: [MagnitudeBound]

  package init(_ parameters: MethodParameters, _ tensor: MergeTensor) throws(MethodFault) {
    guard let base = tensor.base, let other = tensor.others.first else {
      throw MethodFault("arcee_fusion needs a base and one other model")
    }
    ratings = Ratings(base: base, other: other)
    let total = tensor.elementCount
    quartiles = [0.75, 0.5, 0.25].map { share in
      MagnitudeBound(
        total - Int(share * Double(total - 1)), of: total, kept: nil,
        digitCount: tensor.magnitudeDigits)
    }
  }

  package var granularity: Granularity { .rows }
  package var scratchCount: Int { 2 }

  package func survey() -> RatingSurvey? {
    guard ratings.divergences != nil else { return RatingSurvey(ratings, nil) }
    return MagnitudeSurvey(ratings, quartiles)
      .map { RatingSurvey(ratings, $0) }
  }

  package mutating func learn(_ statistics: RatingSurvey) {
    if let search = statistics.search {
      search.teach(&quartiles)
    } else {
      ratings.divergences = statistics.divergences
    }
  }

  package func blend<S: Scalar>(_ block: Block<S>) {
    let ratings = ratings.values(0, of: block)
    let quartile = quartiles.map { Double(S.magnitude(bits: $0.threshold)) }
    let least = S(quartile[1] + 1.5 * (quartile[0] - quartile[2]))
    let difference = block.scratch(1)
    self.ratings.subtract(block, into: difference)
    var quota = Int.max
    S.keep(
      UnsafePointer(difference), by: ratings, above: S.magnitudeBits(least), quota: &quota,
      into: difference, count: block.count)
    S.add(block[self.ratings.base], difference, into: block.output, count: block.count)
  }
}

/// How much each change of a model matters; its blocks are rows.
struct Ratings: MagnitudeSource {
  fileprivate let base: Int
  fileprivate let other: Int
  /// The divergence of each row of the tensor, once it is known.
  fileprivate var divergences: [Double]?

  fileprivate init(base: Int, other: Int) {
    self.base = base
    self.other = other
  }

  fileprivate func subtract<S: Scalar>(_ block: Block<S>, into out: UnsafeMutablePointer<S>) {
    S.subtract(block[other], block[base], into: out, count: block.count)
  }

  /// The differences times the divergence of their row.
  func values<S: Scalar>(_ series: Int, of block: Block<S>) -> UnsafePointer<S> {
    let result = block.scratch(0)
    subtract(block, into: result)
    block.forEachRow { row in
      let divergence = divergences?[row.offset / row.rowLength] ?? 0
      S.scale(row.scratch(0), by: S(divergence), into: row.scratch(0), count: row.count)
    }
    return UnsafePointer(result)
  }

  /// The Kullback-Leibler divergence of the base's softmax from the other model's.
  fileprivate func divergence<S: Scalar>(_ row: Block<S>) -> Double {
    Self.divergence(of: row[other], from: row[base], count: row.count)
  }

  @specialized(where S == Float)
  @specialized(where S == Double)
  private static func divergence<S: Scalar>(
    of x: UnsafePointer<S>, from y: UnsafePointer<S>, count: Int
  ) -> Double {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * count) { powers in
      var (most, sum) = ((-Double.infinity, -Double.infinity), (0.0, 0.0))
      for index in 0..<count {
        most.0 = max(most.0, Double(x[index]))
        most.1 = max(most.1, Double(y[index]))
      }
      for index in 0..<count {
        let power = (exp(Double(x[index]) - most.0), exp(Double(y[index]) - most.1))
        powers[2 * index] = power.0
        powers[2 * index + 1] = power.1
        sum.0 += power.0
        sum.1 += power.1
      }
      var result = 0.0
      for index in 0..<count {
        let p = powers[2 * index] / sum.0 + 1e-8
        let q = powers[2 * index + 1] / sum.1 + 1e-8
        result += p * log(p / q)
      }
      return result.isNaN ? result : max(0, result)
    }
  }
}

/// The statistics of Arcee Fusion: the divergence of each row, then the quartiles of the ratings.
package struct RatingSurvey: Survey {
  private let ratings: Ratings
  fileprivate var search: MagnitudeSurvey<Ratings>?
  fileprivate var divergences: [Double] = []

  fileprivate init(_ ratings: Ratings, _ search: MagnitudeSurvey<Ratings>?) {
    self.ratings = ratings
    self.search = search
  }

  package var isOrderFree: Bool { search?.isOrderFree ?? false }

  package var sample: BlockSample? { search?.sample }

  package mutating func observe<S: Scalar>(_ block: Block<S>) {
    if search != nil {
      search?.observe(block)
    } else {
      block.forEachRow { row in divergences.append(ratings.divergence(row)) }
    }
  }

  package mutating func append(_ next: RatingSurvey) {
    if let theirs = next.search { search?.append(theirs) }
    divergences += next.divergences
  }
}
