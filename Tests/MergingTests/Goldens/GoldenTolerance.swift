// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Weights

/// How far an element may be from the reference.
///
/// An element passes by its absolute and relative error or by its distance in units of the last place.
struct GoldenTolerance {
  var absolute = 0.0
  var relative = 0.0
  var ulps = 0
  /// The same for 16-bit floats.
  var shortUlps = 0
  /// Absolute errors of single tensors, in place of `absolute`.
  var tensors: [String: Double] = [:]

  static let exact = GoldenTolerance()

  init() {}

  /// From the section of a `case.json`; nil means that nothing may differ.
  init(_ json: JSON?) {
    absolute = json?["atol"]?.double ?? 0
    relative = json?["rtol"]?.double ?? 0
    ulps = json?["ulps"]?.int ?? 0
    shortUlps = json?["ulps_bf16"]?.int ?? ulps
    for member in json?["tensor_atol"]?.members ?? [] {
      tensors[member.key] = member.value.double
    }
  }

  /// What differs between a tensor and its reference, equal shapes and dtypes given.
  ///
  /// - Parameter free: Elements that are not compared.
  func difference(
    _ actual: GoldenTensor, _ expected: GoldenTensor, free: Set<Int> = []
  ) -> GoldenDifference {
    var found = GoldenDifference()
    guard actual.bytes != expected.bytes else { return found }
    let isFloat = expected.info.dtype.isFloat
    let limit = tensors[expected.info.name.text] ?? absolute
    let ulps = expected.info.dtype.byteWidth == 2 ? shortUlps : ulps
    for index in 0..<expected.count where !free.contains(index) {
      guard actual.bits(index) != expected.bits(index) else { continue }
      guard isFloat else {
        found.note(isFailing: true, error: 1, ulp: 1)
        continue
      }
      let (a, e) = (actual.value(index), expected.value(index))
      if a == e || (a.isNaN && e.isNaN) { continue }
      guard !a.isNaN, !e.isNaN, a.isFinite, e.isFinite else {
        found.note(isFailing: true, error: .infinity, ulp: .max)
        continue
      }
      let ulp = abs(actual.order(index) - expected.order(index))
      let error = abs(a - e)
      found.note(
        isFailing: error > limit + relative * abs(e) && ulp > ulps, error: error, ulp: ulp)
    }
    return found
  }
}

/// The sum of what differs.
struct GoldenDifference {
  /// Elements that are not the reference's, and of these the ones outside the tolerance.
  var differing = 0
  var failing = 0
  var worstError = 0.0
  var worstUlp = 0

  mutating func note(isFailing: Bool, error: Double, ulp: Int) {
    differing += 1
    if isFailing { failing += 1 }
    worstError = max(worstError, error)
    worstUlp = max(worstUlp, ulp)
  }

  mutating func add(_ other: GoldenDifference) {
    differing += other.differing
    failing += other.failing
    worstError = max(worstError, other.worstError)
    worstUlp = max(worstUlp, other.worstUlp)
  }
}
