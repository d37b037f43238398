// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// Series of values, computed from the blocks of a tensor, whose magnitudes decide what a method keeps.
package protocol MagnitudeSource: Sendable {
  /// The values of a series for a block: in scratch memory, valid until the next call.
  func values<S: Scalar>(_ series: Int, of block: Block<S>) -> UnsafePointer<S>
}

/// The statistics that find bounds of magnitudes: a radix search over their bits, one digit in a pass.
///
/// Of a small tensor, where clearing and scanning histograms would be most of the work, the magnitudes
/// themselves are gathered, with the same result.
package struct MagnitudeSurvey<Source: MagnitudeSource>: Survey {
  private enum Finding: Sendable {
    case magnitudes, histogram, ties
  }

  /// What is counted: a digit of the magnitudes that have certain higher digits, or one magnitude.
  private struct Target: Hashable, Sendable {
    let series: Int
    let digit: Int
    let prefix: UInt64
  }

  private let source: Source
  private let finding: Finding
  private let targets: [Target]
  /// For each target the magnitudes, the bins of a histogram, or the number in each block.
  private var counts: [[UInt64]]

  /// The most elements whose magnitudes are gathered.
  private static var gatheredCount: Int { 1 << 16 }

  /// What the bounds have to know next; nil if nothing.
  init?(_ source: Source, _ bounds: [MagnitudeBound], elementCount: Int) {
    self.source = source
    let isMagnitudeOpen = bounds.contains { $0.need == .magnitude }
    guard isMagnitudeOpen || bounds.contains(where: { $0.need == .ties }) else { return nil }
    finding =
      !isMagnitudeOpen ? .ties : elementCount <= Self.gatheredCount ? .magnitudes : .histogram
    var targets: [Target] = []
    for bound in bounds where bound.need == (isMagnitudeOpen ? .magnitude : .ties) {
      let target = Self.target(finding, bound)
      if !targets.contains(target) { targets.append(target) }
    }
    self.targets = targets
    counts = targets.map { [finding] _ in
      finding == .histogram ? [UInt64](repeating: 0, count: Float.binCount) : []
    }
  }

  private static func target(_ finding: Finding, _ bound: MagnitudeBound) -> Target {
    switch finding {
    case .magnitudes: Target(series: bound.series, digit: 0, prefix: 0)
    case .histogram:
      Target(series: bound.series, digit: bound.search.digit, prefix: bound.search.prefix)
    case .ties: Target(series: bound.series, digit: bound.digitCount, prefix: bound.threshold)
    }
  }

  package var isOrderFree: Bool { finding == .histogram }

  package mutating func observe<S: Scalar>(_ block: Block<S>) {
    var values: (series: Int, start: UnsafePointer<S>)?
    for (index, target) in targets.enumerated() {
      let start =
        values?.series == target.series
        ? values?.start ?? block[0] : source.values(target.series, of: block)
      values = (target.series, start)
      switch finding {
      case .magnitudes: S.appendMagnitudes(of: start, count: block.count, to: &counts[index])
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
    for index in bounds.indices where bounds[index].need == (finding == .ties ? .ties : .magnitude)
    {
      let target = Self.target(finding, bounds[index])
      guard let place = targets.firstIndex(of: target) else { continue }
      switch finding {
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
