// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Testing
import Weights

/// Numbers that find mistakes: random bits (of any exponent, NaN and subnormal among them), special
/// values, and everyday ones with many ties.
struct AwkwardNumbers: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }

  mutating func awkward<S: Scalar>(_ count: Int, as type: S.Type = S.self) -> [S] {
    let special: [S] = [
      0, -0.0, .infinity, -.infinity, .nan, .leastNonzeroMagnitude, -.leastNonzeroMagnitude,
      .leastNormalMagnitude, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 1, -1,
    ]
    return (0..<count).map { _ in
      switch next() % 8 {
      case 0: special.randomElement(using: &self)!
      case 1:
        S.self == Float.self
          ? S(Float(bitPattern: UInt32(truncatingIfNeeded: next()))) : S(Double(bitPattern: next()))
      case 2: S(Float16(bitPattern: UInt16(truncatingIfNeeded: next())))
      default: everyday()
      }
    }
  }

  /// Small finite numbers, one in eight of them zero.
  mutating func everyday<S: Scalar>(_ count: Int, as type: S.Type = S.self) -> [S] {
    (0..<count).map { _ in everyday() }
  }

  private mutating func everyday<S: Scalar>() -> S {
    S(Int.random(in: -127...127, using: &self)) * S(next() % 8) / 4096
  }
}

/// The index and the elements where two arrays begin to differ; short to print and quick to find,
/// unlike the difference that a failed comparison of long arrays would show.
func firstDifference<Element: Equatable>(_ x: [Element], _ y: [Element]) -> String? {
  if x == y { return nil }
  guard x.count == y.count else { return "\(x.count) and \(y.count) elements" }
  return x.indices.first { x[$0] != y[$0] }.map { "at \($0): \(x[$0]) and \(y[$0])" }
}

/// A stored format from its definition, in plain arithmetic: what the kernels are compared with.
struct SlowFormat: Sendable, CustomTestStringConvertible {
  let dtype: DType
  let mantissa: Int
  let bias: Int
  /// The largest finite number; the code after it stands for overflow.
  let last: Int
  let nan: Int

  static let all = [
    SlowFormat(dtype: .bf16, mantissa: 7, bias: 127, last: 0x7f7f, nan: 0x7fc0),
    SlowFormat(dtype: .f16, mantissa: 10, bias: 15, last: 0x7bff, nan: 0x7e00),
    SlowFormat(dtype: .f8E5M2, mantissa: 2, bias: 15, last: 0x7b, nan: 0x7f),
    SlowFormat(dtype: .f8E4M3, mantissa: 3, bias: 7, last: 0x7e, nan: 0x7f),
  ]

  var testDescription: String { dtype.rawValue }
  var sign: Int { dtype.byteWidth == 1 ? 0x80 : 0x8000 }
  var hasInfinity: Bool { dtype != .f8E4M3 }

  /// The number with a code, continued above the largest finite one as if there were more.
  func value(_ code: Int) -> Double {
    let exponent = code >> mantissa
    let fraction = Double(code & (1 << mantissa - 1))
    let unit = Double(sign: .plus, exponent: -mantissa, significand: 1)
    return exponent == 0
      ? Double(sign: .plus, exponent: 1 - bias, significand: fraction * unit)
      : Double(sign: .plus, exponent: exponent - bias, significand: 1 + fraction * unit)
  }

  func load<S: Scalar>(_ codes: [Int], as type: S.Type) -> [S] {
    var bytes = [UInt8]()
    for code in codes {
      bytes.append(UInt8(code & 0xff))
      if dtype.byteWidth == 2 { bytes.append(UInt8(code >> 8)) }
    }
    return [S](unsafeUninitializedCapacity: codes.count) { buffer, count in
      if !codes.isEmpty { S.load(bytes, dtype, into: buffer.baseAddress!, count: codes.count) }
      count = codes.count
    }
  }

  func store<S: Scalar>(_ x: [S]) -> (codes: [Int], nonFinite: Int) {
    var bytes = [UInt8](repeating: 0, count: x.count * dtype.byteWidth)
    let nonFinite = S.store(x, as: dtype, to: &bytes, count: x.count)
    let codes = x.indices.map {
      dtype.byteWidth == 1 ? Int(bytes[$0]) : Int(bytes[2 * $0]) | Int(bytes[2 * $0 + 1]) << 8
    }
    return (codes, nonFinite)
  }
}

@Suite struct KernelConversionTests {
  @Test("every stored number is loaded as what it stands for", arguments: SlowFormat.all)
  func loads(format: SlowFormat) {
    func check<S: Scalar>(_: S.Type) {
      let codes = Array(0...(2 * format.sign - 1))
      let loaded = format.load(codes, as: S.self)
      let wrong = zip(codes, loaded).filter { code, x in
        let magnitude = code & (format.sign - 1)
        if magnitude <= format.last {
          let value = S(format.value(magnitude))
          return x.magnitude != value || (x.sign == .minus) != (code >= format.sign)
        } else if magnitude == format.last + 1 && format.hasInfinity {
          return x != (code >= format.sign ? -S.infinity : S.infinity)
        } else {
          return !x.isNaN
        }
      }
      #expect(wrong.isEmpty)
    }
    check(Float.self)
    check(Double.self)
  }

  @Test("every stored number comes back, and NaN as the canonical one", arguments: SlowFormat.all)
  func roundTrips(format: SlowFormat) {
    func check<S: Scalar>(_: S.Type) {
      let codes = Array(0...(2 * format.sign - 1))
      let (stored, nonFinite) = format.store(format.load(codes, as: S.self))
      let expected = codes.map { $0 & (format.sign - 1) > infinity ? format.nan : $0 }
      #expect(firstDifference(stored, expected) == nil)
      #expect(nonFinite == 2 * (format.sign - 1 - format.last))
    }
    let infinity = format.hasInfinity ? format.last + 1 : format.last
    check(Float.self)
    check(Double.self)
  }

  @Test("storing rounds to nearest, ties to even, once", arguments: SlowFormat.all)
  func rounds(format: SlowFormat) {
    func check<S: Scalar>(_: S.Type) {
      var x = [S]()
      var expected = [Int]()
      var overflows = 0
      for code in 0...format.last {
        let middle = S((format.value(code) + format.value(code + 1)) / 2)
        let even = code % 2 == 0 ? code : code + 1
        for (value, nearest) in [
          (middle, even), (middle.nextDown, code), (middle.nextUp, code + 1),
        ] {
          x += [value, -value]
          let overflow = nearest > format.last
          overflows += overflow ? 2 : 0
          let positive = nearest
          let negative = overflow && !format.hasInfinity ? nearest : nearest | format.sign
          expected += [positive, negative]
        }
      }
      let (stored, nonFinite) = format.store(x)
      #expect(firstDifference(stored, expected) == nil)
      #expect(nonFinite == overflows)
    }
    check(Float.self)
    check(Double.self)
  }

  @Test(
    "what is far too large overflows, what is far too small vanishes", arguments: SlowFormat.all)
  func extremes(format: SlowFormat) {
    func check<S: Scalar>(_: S.Type) {
      let over = format.last + 1
      let minus = format.hasInfinity ? format.sign : 0
      let large: [S] = [.greatestFiniteMagnitude, -.greatestFiniteMagnitude, .infinity, -.infinity]
      #expect(format.store(large).codes == [over, over | minus, over, over | minus])
      #expect(format.store(large).nonFinite == 4)
      let small: [S] = [.leastNonzeroMagnitude, -.leastNonzeroMagnitude, 0, -0.0]
      #expect(format.store(small).codes == [0, format.sign, 0, format.sign])
      #expect(format.store(small).nonFinite == 0)
      #expect(format.store([-S.nan, S.signalingNaN]).codes == [format.nan, format.nan])
    }
    check(Float.self)
    check(Double.self)
  }

  @Test func `32 and 64 bits convert as the language does`() {
    var numbers = AwkwardNumbers(seed: 1)
    let doubles = numbers.awkward(10_007, as: Double.self)
    let floats = numbers.awkward(10_007, as: Float.self)
    var stored32 = [UInt32](repeating: 0, count: doubles.count)
    var stored64 = [UInt64](repeating: 0, count: doubles.count)
    let canonical32: (Float) -> UInt32 = { $0.isNaN ? 0x7fc0_0000 : $0.bitPattern }
    let canonical64: (Double) -> UInt64 = { $0.isNaN ? 0x7ff8_0000_0000_0000 : $0.bitPattern }

    let lost = Double.store(doubles, as: .f32, to: &stored32, count: doubles.count)
    #expect(firstDifference(stored32, doubles.map { canonical32(Float($0)) }) == nil)
    #expect(lost == doubles.count { !Float($0).isFinite })
    _ = Float.store(floats, as: .f32, to: &stored32, count: floats.count)
    #expect(firstDifference(stored32, floats.map(canonical32)) == nil)
    _ = Float.store(floats, as: .f64, to: &stored64, count: floats.count)
    #expect(firstDifference(stored64, floats.map { canonical64(Double($0)) }) == nil)
    let bad = Double.store(doubles, as: .f64, to: &stored64, count: doubles.count)
    #expect(firstDifference(stored64, doubles.map(canonical64)) == nil)
    #expect(bad == doubles.count { !$0.isFinite })
    #expect(bad == Double.countNonFinite(doubles, count: doubles.count))
  }

  @Test("stored elements may lie at any address", arguments: DType.allCases.filter(\.isFloat))
  func unaligned(dtype: DType) {
    var numbers = AwkwardNumbers(seed: 2)
    let x = numbers.everyday(1003, as: Float.self)
    var aligned = [UInt8](repeating: 0, count: 1003 * dtype.byteWidth)
    _ = Float.store(x, as: dtype, to: &aligned, count: 1003)
    for offset in 1...7 {
      var bytes = [UInt8](repeating: 0xaa, count: 1003 * dtype.byteWidth + 16)
      var back = [Float](repeating: 0, count: 1003)
      var expected = back
      bytes.withUnsafeMutableBytes {
        _ = Float.store(x, as: dtype, to: $0.baseAddress! + offset, count: 1003)
        Float.load($0.baseAddress! + offset, dtype, into: &back, count: 1003)
      }
      Float.load(aligned, dtype, into: &expected, count: 1003)
      #expect(Array(bytes[offset..<offset + aligned.count]) == aligned)
      #expect(bytes[..<offset].allSatisfy { $0 == 0xaa })
      #expect(bytes[(offset + aligned.count)...].allSatisfy { $0 == 0xaa })
      #expect(back == expected)
    }
  }

  @Test func `a type is found by its names`() {
    for dtype in DType.allCases {
      #expect(DType(rawValue: dtype.rawValue) == dtype)
      #expect(DType(torchName: dtype.torchName) == dtype)
      #expect(DType(torchName: "torch." + dtype.torchName) == dtype)
    }
    #expect(DType(torchName: "half") == .f16)
    #expect(DType(torchName: "float8_e4m3fn") == .f8E4M3)
    #expect(DType(torchName: "torch.torch.half") == nil)
    #expect(DType(torchName: "") == nil)
  }
}
