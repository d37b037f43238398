// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Testing
import Weights

@Suite struct KernelArithmeticTests {
  @Test("each element is computed as written", arguments: [0, 1, 7, 32, 1000])
  func elementwise(count: Int) {
    func check<S: Scalar>(_: S.Type) {
      var numbers = AwkwardNumbers(seed: UInt64(count))
      let x = numbers.awkward(count, as: S.self)
      let y = numbers.awkward(count, as: S.self)
      let a: S = 0.3
      func expect(_ expected: (S, S) -> S, _ kernel: (UnsafeMutablePointer<S>) -> Void) {
        var out = x
        kernel(&out)
        #expect(same(out, zip(x, y).map(expected)))
      }
      expect(+, { S.add(x, y, into: $0, count: count) })
      expect(-, { S.subtract(x, y, into: $0, count: count) })
      expect(*, { S.multiply(x, y, into: $0, count: count) })
      expect({ x, _ in a * x }, { S.scale(x, by: a, into: $0, count: count) })
      // Here the output is x itself.
      expect({ x, y in x + a * y }, { S.add(y, scaledBy: a, to: $0, count: count) })
      expect(-, { S.subtract($0, y, into: $0, count: count) })
      expect({ x, y in y - x }, { S.subtract(y, $0, into: $0, count: count) })
    }
    check(Float.self)
    check(Double.self)
  }

  @Test("a combination adds from left to right, rounding every step", arguments: 0...9)
  func combines(inputCount: Int) {
    func check<S: Scalar>(_: S.Type) {
      var numbers = AwkwardNumbers(seed: UInt64(inputCount))
      for count in [0, 1, 31, 32, 33, 517] {
        let inputs = (0..<inputCount).map { _ in numbers.awkward(count, as: S.self) }
        let coefficients = numbers.everyday(inputCount, as: S.self)
        let expected = (0..<count).map { index -> S in
          guard inputCount > 0 else { return 0 }
          var sum = coefficients[0] * inputs[0][index]
          for k in 1..<inputCount { sum += coefficients[k] * inputs[k][index] }
          return sum
        }
        var out = [S](repeating: 9, count: count)
        withPointers(inputs) {
          S.combine($0, coefficients, inputCount: inputCount, into: &out, count: count)
        }
        #expect(same(out, expected))
      }
    }
    check(Float.self)
    check(Double.self)
  }

  @Test(
    "an election adds up those who agree with the vote", arguments: [1, 2, 3, 7],
    [Vote.scaledSum, .plainSum, .count])
  func elects(vectorCount: Int, vote: Vote) {
    func check<S: Scalar>(_: S.Type) {
      var numbers = AwkwardNumbers(seed: UInt64(vectorCount))
      for count in [1, 31, 33, 500] {
        let vectors = (0..<vectorCount).map { _ in numbers.everyday(count, as: S.self) }
        let coefficients = numbers.everyday(vectorCount, as: S.self)
        let weights = numbers.everyday(vectorCount, as: S.self)
        for division in [Division.none, .agreeingWeights, .agreeingWeightsAtLeast(0.01)] {
          let expected = (0..<count).map { index -> S in
            let plain = vectors.map { $0[index] }
            let scaled = zip(coefficients, plain).map { $0 * $1 }
            let votes: S =
              switch vote {
              case .scaledSum: scaled.reduce(0, +)
              case .plainSum: plain.reduce(0, +)
              case .count: S(scaled.count { $0 > 0 } - scaled.count { $0 < 0 })
              }
            let agree = scaled.indices.filter { votes >= 0 ? scaled[$0] > 0 : scaled[$0] < 0 }
            let sum = agree.reduce(S(0)) { $0 + scaled[$1] }
            let divisor = agree.reduce(S(0)) { $0 + weights[$1] }
            switch division {
            case .none: return sum
            case .agreeingWeights: return sum / (divisor == 0 ? 1 : divisor)
            case .agreeingWeightsAtLeast(let floor): return sum / max(divisor, S(floor))
            }
          }
          var out = [S](repeating: 9, count: count)
          withPointers(vectors) {
            S.elect(
              $0, coefficients: coefficients, weights: weights, vectorCount: vectorCount,
              vote: vote, division: division, into: &out, count: count)
          }
          #expect(same(out, expected))
        }
      }
    }
    check(Float.self)
    check(Double.self)
  }

  @Test func `an election never loses a NaN, and a tie goes to plus`() {
    let vectors: [[Float]] = [[.nan, 1, 2, 0], [1, .nan, -2, 0]]
    var out = [Float](repeating: 9, count: 4)
    withPointers(vectors) {
      Float.elect(
        $0, coefficients: [1, 1], weights: [1, 1], vectorCount: 2, vote: .scaledSum,
        division: .agreeingWeights, into: &out, count: 4)
    }
    #expect(out[0].isNaN && out[1].isNaN)
    #expect(out[2...] == [2, 0])
  }

  @Test("active elements are counted and merged as alone or shared", arguments: [1, 2, 5])
  func merges(vectorCount: Int) {
    func check<S: Scalar>(_: S.Type) {
      var numbers = AwkwardNumbers(seed: UInt64(vectorCount))
      let epsilon: S = 0.03
      for count in [1, 32, 45, 500] {
        let vectors = (0..<vectorCount).map { _ in numbers.awkward(count, as: S.self) }
        let factors = numbers.everyday(vectorCount, as: S.self)
        var alone = [Int](repeating: 1, count: vectorCount)
        var shared = alone
        var expectedAlone = alone
        var expectedShared = alone
        let expected = (0..<count).map { index -> S in
          let active = vectors.indices.filter { !(vectors[$0][index].magnitude <= epsilon) }
          for vector in active {
            if active.count == 1 { expectedAlone[vector] += 1 } else { expectedShared[vector] += 1 }
          }
          if active.count == 1 { return 0 + factors[active[0]] * vectors[active[0]][index] }
          return active.isEmpty ? 0 : active.reduce(0) { $0 + vectors[$1][index] } / S(active.count)
        }
        var out = [S](repeating: 9, count: count)
        withPointers(vectors) {
          S.combineActive(
            $0, factors: factors, vectorCount: vectorCount, epsilon: epsilon, into: &out,
            count: count)
          S.countActive(
            $0, vectorCount: vectorCount, epsilon: epsilon, alone: &alone, shared: &shared,
            count: count)
        }
        #expect(same(out, expected))
        #expect(alone == expectedAlone && shared == expectedShared)
      }
    }
    check(Float.self)
    check(Double.self)
  }

  @Test func `a near swap moves all the way when near and by a share when far`() {
    let x: [Double] = [1, 1, 1, 2, -3]
    let y: [Double] = [1, 1.25, 1.5, 4, 5]
    var out = [Double](repeating: 0, count: 5)
    Double.nearSwap(x, toward: y, t: 0.5, into: &out, count: 5)
    #expect(out == [1, 1.25, 1.5, 2.5, -2.5])
    Double.nearSwap(x, toward: y, t: -1, into: &out, count: 5)
    #expect(out == x)
  }

  @Test("sums run in sixteen lanes and a tree", arguments: [0, 1, 15, 16, 17, 40, 1000, 8192])
  func reduces(count: Int) {
    func check<S: Scalar>(_: S.Type) {
      var numbers = AwkwardNumbers(seed: UInt64(count))
      let x = numbers.everyday(count, as: S.self)
      let y = numbers.everyday(count, as: S.self)
      func lanes(_ term: (Double, Double) -> Double) -> Double {
        var lane = [Double](repeating: 0, count: 16)
        for i in 0..<count { lane[i % 16] += term(Double(x[i]), Double(y[i])) }
        for half in [8, 4, 2, 1] { for l in 0..<half { lane[l] += lane[l + half] } }
        return lane[0]
      }
      #expect(S.dot(x, y, count: count) == lanes(*))
      #expect(S.sum(x, count: count) == lanes { x, _ in x })
      #expect(S.sumOfMagnitudes(x, count: count) == lanes { x, _ in x.magnitude })
    }
    check(Float.self)
    check(Double.self)
  }

  /// Whether all bits are equal, where one NaN is as good as another.
  private func same<S: Scalar>(_ x: [S], _ y: [S]) -> Bool {
    x.count == y.count
      && zip(x, y).allSatisfy { $0.isNaN ? $1.isNaN : $0 == $1 && $0.sign == $1.sign }
  }
}

/// Calls `body` with pointers to all the arrays.
func withPointers<S>(_ arrays: [[S]], _ body: (UnsafePointer<UnsafePointer<S>>) -> Void) {
  func hold(_ rest: ArraySlice<[S]>, _ held: [UnsafePointer<S>]) {
    guard let first = rest.first else { return body(held) }
    first.withUnsafeBufferPointer { buffer in
      let empty = UnsafePointer<S>(bitPattern: MemoryLayout<S>.alignment)!
      hold(rest.dropFirst(), held + [buffer.baseAddress ?? empty])
    }
  }
  hold(arrays[...], [])
}
