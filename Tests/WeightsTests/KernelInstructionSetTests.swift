// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Testing
import Weights

/// The choice of an instruction set is the process's. Other suites may run at the same time, which
/// does no harm as long as what is tested here holds.
@Suite(.serialized) struct KernelInstructionSetTests {
  @Test("all instruction sets give the same bits", arguments: [0, 1, 3, 15, 17, 32, 63, 200, 1031])
  func agree(count: Int) {
    defer { InstructionSet.use(InstructionSet.available.count - 1) }
    InstructionSet.use(0)
    let float = everything(count, as: Float.self)
    let double = everything(count, as: Double.self)
    for (index, name) in InstructionSet.available.enumerated().dropFirst() {
      InstructionSet.use(index)
      for (plain, other) in zip(float, everything(count, as: Float.self)) {
        let difference = firstDifference(plain.bits, other.bits)
        #expect(difference == nil, "\(plain.kernel) of Float with \(name)")
      }
      for (plain, other) in zip(double, everything(count, as: Double.self)) {
        let difference = firstDifference(plain.bits, other.bits)
        #expect(difference == nil, "\(plain.kernel) of Double with \(name)")
      }
    }
  }

  @Test func `the plainest instruction set comes first`() {
    let names = InstructionSet.available
    #expect(!names.isEmpty && Set(names).count == names.count)
    #if arch(x86_64)
      #expect(names.first == "x86-64")
    #endif
  }

  private struct Result {
    let kernel: String
    let bits: [UInt64]
  }

  /// What every kernel makes of the same awkward numbers, none of them at an aligned address.
  private func everything<S: Scalar>(_ count: Int, as: S.Type) -> [Result] {
    var numbers = AwkwardNumbers(seed: UInt64(count))
    let arrays = (0..<4).map { _ in numbers.awkward(count + 1, as: S.self) }
    let coefficients = numbers.everyday(4, as: S.self)
    let bytes = (0..<count * 8 + 1).map { _ in UInt8(truncatingIfNeeded: numbers.next()) }
    let threshold = S.magnitudeBits(0.03125)
    let shift = MemoryLayout<S>.size * 8 - 16
    var results: [Result] = []

    withPointers(arrays) { aligned in
      let inputs = (0..<4).map { aligned[$0] + 1 }
      let x = inputs[0]
      let y = inputs[1]
      func record(_ kernel: String, _ body: (UnsafeMutablePointer<S>) -> Void) {
        var out = arrays[2]
        out.withUnsafeMutableBufferPointer { body($0.baseAddress! + 1) }
        results.append(Result(kernel: kernel, bits: out.map(bits)))
      }
      func record(_ kernel: String, _ value: Double) {
        results.append(Result(kernel: kernel, bits: [value.isNaN ? 1 : value.bitPattern]))
      }
      for dtype in DType.allCases where dtype.isFloat {
        record("load \(dtype)") { out in
          bytes.withUnsafeBytes { S.load($0.baseAddress! + 1, dtype, into: out, count: count) }
        }
        var stored = [UInt8](repeating: 0, count: count * dtype.byteWidth + 1)
        let bad = stored.withUnsafeMutableBytes {
          S.store(x, as: dtype, to: $0.baseAddress! + 1, count: count)
        }
        results.append(Result(kernel: "store \(dtype)", bits: stored.map(UInt64.init)))
        record("store \(dtype), not finite", Double(bad))
      }
      record("countNonFinite", Double(S.countNonFinite(x, count: count)))
      record("add") { S.add(x, y, into: $0, count: count) }
      record("subtract") { S.subtract(x, y, into: $0, count: count) }
      record("multiply") { S.multiply(x, y, into: $0, count: count) }
      record("scale") { S.scale(x, by: 0.7, into: $0, count: count) }
      record("add scaled") { S.add(x, scaledBy: 0.7, to: $0, count: count) }
      record("combine") { S.combine(inputs, coefficients, inputCount: 4, into: $0, count: count) }
      record("nearSwap") { S.nearSwap(x, toward: y, t: 0.01, into: $0, count: count) }
      for vote in [Vote.scaledSum, .plainSum, .count] {
        for division in [Division.none, .agreeingWeights, .agreeingWeightsAtLeast(0.01)] {
          record("elect \(vote) \(division)") {
            S.elect(
              inputs, coefficients: coefficients, weights: coefficients, vectorCount: 4,
              vote: vote, division: division, into: $0, count: count)
          }
        }
      }
      record("combineActive") {
        S.combineActive(
          inputs, factors: coefficients, vectorCount: 4, epsilon: 0.03, into: $0, count: count)
      }
      var alone = [Int](repeating: 0, count: 4)
      var shared = alone
      S.countActive(
        inputs, vectorCount: 4, epsilon: 0.03, alone: &alone, shared: &shared, count: count)
      results.append(Result(kernel: "countActive", bits: (alone + shared).map(UInt64.init)))
      record("dot", S.dot(x, y, count: count))
      record("sum", S.sum(x, count: count))
      record("sumOfMagnitudes", S.sumOfMagnitudes(x, count: count))
      for digit in 0..<S.digitCount {
        var bins = [UInt64](repeating: 0, count: S.binCount)
        let prefix = digit == 0 ? 0 : threshold >> UInt64(shift + 16 - 16 * digit)
        S.histogram(x, count: count, digit: digit, prefix: prefix, into: &bins)
        // Only the bins that some element falls into, to be quick.
        let places = (0..<count).map { S.magnitudeBits(x[$0]) >> UInt64(shift - 16 * digit) }
        let counted = places.flatMap {
          [bins[2 * Int($0 & 0xffff)], bins[2 * Int($0 & 0xffff) + 1]]
        }
        results.append(Result(kernel: "histogram", bits: counted))
      }
      for quota in [0, 1, 1 << 40] {
        var lower = quota
        var upper = quota / 2
        record("keep") {
          S.keep(
            x, above: threshold, quota: &lower, below: S.magnitudeBits(0.5), quota: &upper,
            into: $0, count: count)
        }
        record("keep, quotas left", Double(lower) + Double(upper))
      }
      record("countEqual", Double(S.countEqual(x, magnitude: 0, count: count)))
      record("keepRandomly") {
        S.keepRandomly(
          $0, key: RandomKey(bits: 5), firstIndex: 3, probability32: 1 << 31, count: count)
      }
    }
    return results
  }

  private func bits<S: Scalar>(_ x: S) -> UInt64 {
    x.isNaN ? .max : S.magnitudeBits(x) ^ (x.sign == .minus ? 1 << 63 : 0)
  }
}
