// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// The statistics that sparsification needs: bounds of magnitudes and L1 norms.
package struct TaskVectorSurvey: Survey {
  private enum Findings: Sendable {
    /// For each search that is still open, counts by digit.
    case histograms([[UInt64]])
    /// For each search with ties at its bound, their number in each block.
    case ties([[UInt32]])
    /// For each task vector its L1 norm before and after sparsification.
    case norms([(all: Double, kept: Double)])
  }

  private let vectors: TaskVectors
  private let searches: [Search]
  private var findings: Findings

  /// A bound of a task vector's magnitudes that is not known yet.
  struct Search: Hashable, Sendable {
    let vector: Int
    let isUpper: Bool
  }

  /// What `vectors` has to know next; nil if nothing.
  init?(_ vectors: TaskVectors) {
    self.vectors = vectors
    let open = vectors.openSearches
    if let need = open.first?.need {
      searches = open.filter { $0.need == need }.map(\.search)
      switch need {
      case .histogram:
        findings = .histograms(searches.map { _ in [UInt64](repeating: 0, count: Float.binCount) })
      case .ties: findings = .ties(searches.map { _ in [] })
      }
    } else if !vectors.isRescaled {
      searches = []
      findings = .norms(vectors.vectors.map { _ in (0, 0) })
    } else {
      return nil
    }
  }

  package var isOrderFree: Bool { if case .histograms = findings { true } else { false } }

  package mutating func observe<S: Scalar>(_ block: Block<S>) {
    switch findings {
    case .histograms(var bins):
      findings = .histograms([])
      observe(block) { index, delta, bound in
        bins[index].withUnsafeMutableBufferPointer {
          guard let start = $0.baseAddress else { return }
          S.histogram(
            delta, count: block.count, digit: bound.digit, prefix: bound.prefix, into: start)
        }
      }
      findings = .histograms(bins)
    case .ties(var counts):
      findings = .ties([])
      observe(block) { index, delta, bound in
        counts[index].append(
          UInt32(S.countEqual(delta, magnitude: bound.threshold, count: block.count)))
      }
      findings = .ties(counts)
    case .norms(var norms):
      for index in vectors.vectors.indices {
        let delta = block.scratch(index)
        S.subtract(
          block[vectors.vectors[index].input], block[vectors.base], into: delta,
          count: block.count)
        norms[index].all += S.sumOfMagnitudes(delta, count: block.count)
        vectors.sparsify(index, block)
        norms[index].kept += S.sumOfMagnitudes(delta, count: block.count)
      }
      findings = .norms(norms)
    }
  }

  private func observe<S: Scalar>(
    _ block: Block<S>, _ body: (Int, UnsafePointer<S>, MagnitudeBound) -> Void
  ) {
    var computed: Int?
    for (index, search) in searches.enumerated() {
      let delta = block.scratch(0)
      if computed != search.vector {
        let input = vectors.vectors[search.vector].input
        S.subtract(block[input], block[vectors.base], into: delta, count: block.count)
        computed = search.vector
      }
      guard let bound = vectors.bound(search) else { continue }
      body(index, UnsafePointer(delta), bound)
    }
  }

  package mutating func append(_ next: TaskVectorSurvey) {
    switch (findings, next.findings) {
    case (.histograms(var mine), .histograms(let theirs)):
      findings = .histograms([])
      for index in mine.indices {
        for bin in mine[index].indices { mine[index][bin] += theirs[index][bin] }
      }
      findings = .histograms(mine)
    case (.ties(let mine), .ties(let theirs)):
      findings = .ties(zip(mine, theirs).map { $0 + $1 })
    case (.norms(let mine), .norms(let theirs)):
      findings = .norms(zip(mine, theirs).map { ($0.all + $1.all, $0.kept + $1.kept) })
    default: preconditionFailure("statistics of different passes")
    }
  }

  /// Hands the findings to the task vectors that wait for them.
  func teach(_ vectors: inout TaskVectors) {
    switch findings {
    case .histograms(let bins):
      for (search, bins) in zip(searches, bins) {
        vectors.update(search) { $0.learn(bins) }
      }
    case .ties(let counts):
      for (search, counts) in zip(searches, counts) {
        vectors.update(search) { $0.learn(ties: counts) }
      }
    case .norms(let norms): vectors.learn(sums: norms)
    }
  }
}

extension TaskVectors {
  var openSearches: [(search: TaskVectorSurvey.Search, need: MagnitudeBound.Need)] {
    vectors.indices.flatMap { index in
      [false, true].compactMap { isUpper in
        let search = TaskVectorSurvey.Search(vector: index, isUpper: isUpper)
        return bound(search)?.need.map { (search, $0) }
      }
    }
  }

  func bound(_ search: TaskVectorSurvey.Search) -> MagnitudeBound? {
    search.isUpper ? vectors[search.vector].upper : vectors[search.vector].lower
  }

  mutating func update(_ search: TaskVectorSurvey.Search, _ body: (inout MagnitudeBound) -> Void) {
    if search.isUpper {
      if vectors[search.vector].upper != nil { body(&vectors[search.vector].upper!) }
    } else if vectors[search.vector].lower != nil {
      body(&vectors[search.vector].lower!)
    }
  }
}
