// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// Series of values, computed from the blocks of a tensor, whose magnitudes decide what a method keeps.
package protocol MagnitudeSource: Sendable {
  /// The values of a series for a block: in scratch memory, valid until the next call.
  func values<S: Scalar>(_ series: Int, of block: Block<S>) -> UnsafePointer<S>
}

/// The statistics that find bounds of magnitudes, exactly and without sorting.
///
/// A sample tells between which two magnitudes a bound lies, a pass over everything what is there. Should the
/// sample have been wrong, a radix search over the magnitudes' bits follows, one digit in a pass. Of a small
/// tensor the magnitudes themselves are gathered, with the same result.
package struct MagnitudeSurvey<Source: MagnitudeSource>: Survey {
  /// What one pass gathers; all bounds that wait for it are served.
  private enum Finding: Hashable, Sendable {
    case sample, bracket, magnitudes, histogram, ties
  }

  /// What is looked for in a series.
  private struct Target: Hashable, Sendable {
    let series: Int
    var digit = 0
    /// The higher digits, or the whole magnitude.
    var prefix: UInt64 = 0
    var bracket: MagnitudeBracket?
  }

  private let source: Source
  private let finding: Finding
  private let targets: [Target]
  private let total: Int
  /// For each target the magnitudes, the bins of a histogram, or the number in each block.
  private var counts: [[UInt64]]
  /// For each target what there is about its bracket.
  private var findings: [MagnitudeBracket.Findings]

  /// What the bounds have to know next; nil if nothing.
  init?(_ source: Source, _ bounds: [MagnitudeBound]) {
    let findings = Set(bounds.compactMap(Self.finding))
    let order: [Finding] = [.sample, .bracket, .magnitudes, .histogram, .ties]
    guard let finding = order.first(where: findings.contains) else { return nil }
    self.source = source
    self.finding = finding
    total = bounds.map(\.total).max() ?? 0
    var targets: [Target] = []
    for bound in bounds where Self.finding(bound) == finding {
      let target = Self.target(finding, bound)
      if !targets.contains(target) { targets.append(target) }
    }
    self.targets = targets
    counts = targets.map { _ in
      finding == .histogram ? [UInt64](repeating: 0, count: Float.binCount) : []
    }
    self.findings = targets.map { _ in MagnitudeBracket.Findings() }
  }

  private static func finding(_ bound: MagnitudeBound) -> Finding? {
    switch bound.need {
    case nil: nil
    case .bracket: .sample
    case .ties: .ties
    case .magnitude where bound.bracket != nil: .bracket
    case .magnitude: bound.total <= MagnitudeBound.gatheredCount ? .magnitudes : .histogram
    }
  }

  private static func target(_ finding: Finding, _ bound: MagnitudeBound) -> Target {
    switch finding {
    case .sample, .magnitudes: Target(series: bound.series)
    case .bracket: Target(series: bound.series, bracket: bound.bracket)
    case .histogram:
      Target(series: bound.series, digit: bound.search.digit, prefix: bound.search.prefix)
    case .ties: Target(series: bound.series, prefix: bound.threshold)
    }
  }

  package var isOrderFree: Bool { finding == .histogram }

  package var sample: BlockSample? { finding == .sample ? BlockSample(of: total) : nil }

  package mutating func observe<S: Scalar>(_ block: Block<S>) {
    var values: (series: Int, start: UnsafePointer<S>)?
    for (index, target) in targets.enumerated() {
      let start =
        values?.series == target.series
        ? values?.start ?? block[0] : source.values(target.series, of: block)
      values = (target.series, start)
      switch finding {
      case .sample, .magnitudes:
        S.appendMagnitudes(of: start, count: block.count, to: &counts[index])
      case .bracket:
        if let bracket = target.bracket {
          findings[index].add(start, count: block.count, bracket)
        }
      case .histogram:
        counts[index].withUnsafeMutableBufferPointer { bins in
          guard let bins = bins.baseAddress else { return }
          S.histogram(
            start, count: block.count, digit: target.digit, prefix: target.prefix, into: bins)
        }
      case .ties:
        let number = S.countEqual(start, magnitude: target.prefix, count: block.count)
        counts[index].append(UInt64(number))
      }
    }
  }

  package mutating func append(_ next: MagnitudeSurvey) {
    for index in counts.indices {
      findings[index].append(next.findings[index])
      guard finding == .histogram else {
        counts[index] += next.counts[index]
        continue
      }
      counts[index].withUnsafeMutableBufferPointer { mine in
        next.counts[index].withUnsafeBufferPointer { theirs in
          for bin in 0..<min(mine.count, theirs.count) { mine[bin] &+= theirs[bin] }
        }
      }
    }
  }

  /// Hands the findings to the bounds that wait for them.
  func teach(_ bounds: inout [MagnitudeBound]) {
    for index in bounds.indices where Self.finding(bounds[index]) == finding {
      let target = Self.target(finding, bounds[index])
      guard let place = targets.firstIndex(of: target) else { continue }
      switch finding {
      case .sample:
        bounds[index].learn(sample: counts[place], unit: BlockSample(of: total).unit)
      case .bracket: bounds[index].learn(findings[place])
      case .magnitudes: bounds[index].learn(magnitudes: counts[place])
      case .histogram:
        counts[place].withUnsafeBufferPointer { bins in
          if let bins = bins.baseAddress { bounds[index].learn(histogram: bins) }
        }
      case .ties: bounds[index].learn(ties: counts[place])
      }
    }
  }
}

extension MagnitudeBracket.Findings {
  /// Adds a block of values.
  fileprivate mutating func add<S: Scalar>(
    _ values: UnsafePointer<S>, count: Int, _ bracket: MagnitudeBracket
  ) {
    let known = between.count
    let found = S.findBetween(
      bracket.lower, bracket.upper, in: values, count: count, appendingTo: &between)
    above += found.above
    blocks.append((between.count - known, found.atUpper, found.atLower))
  }
}

extension Scalar {
  /// Appends the bits of each element without its sign.
  static func appendMagnitudes(
    of x: UnsafePointer<Self>, count: Int, to magnitudes: inout [UInt64]
  ) {
    let source = UnsafeRawPointer(x)
    if Self.self == Double.self {
      for index in 0..<count {
        let bits = source.load(fromByteOffset: 8 * index, as: UInt64.self)
        magnitudes.append(bits & .max >> 1)
      }
    } else {
      for index in 0..<count {
        let bits = source.load(fromByteOffset: 4 * index, as: UInt32.self)
        magnitudes.append(UInt64(bits & .max >> 1))
      }
    }
  }
}
