// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import CKernels

/// An element type that merges are computed in: `Float` for everything stored in up to 32 bits,
/// `Double` for `F64`.
///
/// The kernels work on blocks of a few thousand elements that stay in the processor's cache, and
/// give the same bits on every processor. An output may be one of the inputs, but must not overlap
/// it otherwise. Products and sums are rounded one by one: nothing is fused.
package protocol Scalar: BinaryFloatingPoint, Sendable {
  /// The stored type with the same bits.
  static var dtype: DType { get }
}

extension Float: Scalar {
  package static var dtype: DType { .f32 }
}

extension Double: Scalar {
  package static var dtype: DType { .f64 }
}

/// The instruction sets that the kernels are compiled for.
package enum InstructionSet {
  /// Names of those that this processor has, from the plainest to the widest, which is the one used.
  package static var available: [String] {
    sequence(state: 0) { index in
      defer { index += 1 }
      return ck_variant(index)
    }.map { String(cString: $0.pointee.name) }
  }

  /// Makes all kernels use one of the `available` instruction sets; for tests, to compare them.
  package static func use(_ index: Int) {
    guard let kernels = ck_variant(index) else { return }
    ck_use(kernels)
  }
}

extension Scalar {
  static var kernels: ck_scalar_kernels {
    Self.self == Double.self ? ck_current().pointee.f64 : ck_current().pointee.f32
  }

  // MARK: Stored elements

  /// Converts stored elements, exactly; only `F64` as `Float` is rounded.
  ///
  /// - Parameters:
  ///   - source: stored elements, at any alignment.
  ///   - dtype: a type that `isFloat`.
  package static func load(
    _ source: UnsafeRawPointer, _ dtype: DType, into out: UnsafeMutablePointer<Self>, count: Int
  ) {
    kernels.load(source, dtype.format, out, count)
  }

  /// Rounds to the stored type, to nearest with ties to even, and once only.
  ///
  /// NaN is stored as the type's positive quiet NaN.
  ///
  /// - Parameters:
  ///   - dtype: a type that `isFloat`.
  ///   - out: where to store, at any alignment.
  /// - Returns: How many stored elements are not finite, those that overflowed among them.
  package static func store(
    _ x: UnsafePointer<Self>, as dtype: DType, to out: UnsafeMutableRawPointer, count: Int
  ) -> Int {
    kernels.store(x, dtype.format, out, count)
  }

  package static func countNonFinite(_ x: UnsafePointer<Self>, count: Int) -> Int {
    kernels.count_non_finite(x, count)
  }

  // MARK: Element by element

  /// out = x + y
  package static func add(
    _ x: UnsafePointer<Self>, _ y: UnsafePointer<Self>, into out: UnsafeMutablePointer<Self>,
    count: Int
  ) {
    kernels.add(x, y, out, count)
  }

  /// out += factor · x
  package static func add(
    _ x: UnsafePointer<Self>, scaledBy factor: Self, to out: UnsafeMutablePointer<Self>, count: Int
  ) {
    kernels.add_scaled(x, Double(factor), out, count)
  }

  /// out = x − y
  package static func subtract(
    _ x: UnsafePointer<Self>, _ y: UnsafePointer<Self>, into out: UnsafeMutablePointer<Self>,
    count: Int
  ) {
    kernels.subtract(x, y, out, count)
  }

  /// out = x · y
  package static func multiply(
    _ x: UnsafePointer<Self>, _ y: UnsafePointer<Self>, into out: UnsafeMutablePointer<Self>,
    count: Int
  ) {
    kernels.multiply(x, y, out, count)
  }

  /// out = factor · x
  package static func scale(
    _ x: UnsafePointer<Self>, by factor: Self, into out: UnsafeMutablePointer<Self>, count: Int
  ) {
    kernels.scale(x, Double(factor), out, count)
  }

  /// out = Σ coefficients[i] · inputs[i], added from left to right, beginning with the first
  /// product; zeros if there are no inputs.
  package static func combine(
    _ inputs: UnsafePointer<UnsafePointer<Self>>, _ coefficients: UnsafePointer<Self>,
    inputCount: Int, into out: UnsafeMutablePointer<Self>, count: Int
  ) {
    inputs.withMemoryRebound(to: UnsafeRawPointer.self, capacity: inputCount) {
      kernels.combine($0, coefficients, inputCount, out, count)
    }
  }

  /// out = (1 − s) · x + s · y with s = t ÷ max(|x − y|, 10⁻⁶), limited to 0...1.
  package static func nearSwap(
    _ x: UnsafePointer<Self>, toward y: UnsafePointer<Self>, t: Self,
    into out: UnsafeMutablePointer<Self>, count: Int
  ) {
    kernels.near_swap(x, y, Double(t), out, count)
  }

  /// Adds up, element by element, the scaled vectors whose sign wins.
  ///
  /// With vᵢ = coefficients[i] · vectors[i] and the vote's sign σ (of a sum of zero: +), the result
  /// is the sum of those vᵢ that have sign σ, divided as `division` says. A zero has neither sign;
  /// a NaN agrees with both, so that it is not lost.
  ///
  /// - Parameters:
  ///   - coefficients: one per vector.
  ///   - weights: one per vector: what it adds to the divisor where it agrees.
  package static func elect(
    _ vectors: UnsafePointer<UnsafePointer<Self>>, coefficients: UnsafePointer<Self>,
    weights: UnsafePointer<Self>, vectorCount: Int, vote: Vote,
    division: Division, into out: UnsafeMutablePointer<Self>, count: Int
  ) {
    vectors.withMemoryRebound(to: UnsafeRawPointer.self, capacity: vectorCount) {
      kernels.elect(
        $0, coefficients, weights, vectorCount, vote.code, division.code, division.floor, out,
        count)
    }
  }

  /// Merges vectors by their active elements, those with |x| > `epsilon`: where one vector alone is
  /// active its element times its factor, where several are the mean of theirs, else zero.
  ///
  /// A NaN is active.
  package static func combineActive(
    _ vectors: UnsafePointer<UnsafePointer<Self>>, factors: UnsafePointer<Self>, vectorCount: Int,
    epsilon: Self, into out: UnsafeMutablePointer<Self>, count: Int
  ) {
    vectors.withMemoryRebound(to: UnsafeRawPointer.self, capacity: vectorCount) {
      kernels.combine_active($0, factors, vectorCount, Double(epsilon), out, count)
    }
  }

  /// Adds, for each vector, how many elements are active (|x| > `epsilon`) in it alone, and how many
  /// in it and in others.
  package static func countActive(
    _ vectors: UnsafePointer<UnsafePointer<Self>>, vectorCount: Int, epsilon: Self,
    alone: UnsafeMutablePointer<Int>, shared: UnsafeMutablePointer<Int>, count: Int
  ) {
    vectors.withMemoryRebound(to: UnsafeRawPointer.self, capacity: vectorCount) {
      kernels.count_active($0, vectorCount, Double(epsilon), alone, shared, count)
    }
  }

  // MARK: Reductions

  /// Σ x · y, products and sums in double precision.
  ///
  /// Element i is added to lane i % 16, and the lanes pairwise at the end: the same bits everywhere,
  /// as long as a tensor is always cut into the same blocks.
  package static func dot(_ x: UnsafePointer<Self>, _ y: UnsafePointer<Self>, count: Int) -> Double
  {
    kernels.dot(x, y, count)
  }

  /// Σ x, in double precision and the order of `dot`.
  package static func sum(_ x: UnsafePointer<Self>, count: Int) -> Double {
    kernels.sum(x, count)
  }

  /// Σ |x|, in double precision and the order of `dot`.
  package static func sumOfMagnitudes(_ x: UnsafePointer<Self>, count: Int) -> Double {
    kernels.sum_of_magnitudes(x, count)
  }
}

/// What decides the sign that wins in `Scalar.elect`.
package enum Vote: Sendable {
  /// The sign of Σ coefficients[i] · vectors[i].
  case scaledSum
  /// The sign of Σ vectors[i].
  case plainSum
  /// The sign that more of the coefficients[i] · vectors[i] have.
  case count

  fileprivate var code: ck_vote {
    switch self {
    case .scaledSum: ck_vote_scaled
    case .plainSum: ck_vote_plain
    case .count: ck_vote_count
    }
  }
}

/// What the sum of `Scalar.elect` is divided by.
package enum Division: Sendable {
  case none
  /// The sum of the weights that agree, or 1 where that is zero.
  case agreeingWeights
  /// The sum of the weights that agree, but no less than `floor`.
  case agreeingWeightsAtLeast(_ floor: Double)

  fileprivate var code: ck_division {
    switch self {
    case .none: ck_divide_by_one
    case .agreeingWeights: ck_divide_by_agreeing
    case .agreeingWeightsAtLeast: ck_divide_by_floored
    }
  }

  fileprivate var floor: Double {
    if case .agreeingWeightsAtLeast(let floor) = self { floor } else { 0 }
  }
}

extension DType {
  fileprivate var format: ck_format {
    switch self {
    case .f8E4M3: ck_f8_e4m3
    case .f8E5M2: ck_f8_e5m2
    case .f16: ck_f16
    case .bf16: ck_bf16
    case .f32: ck_f32
    case .f64: ck_f64
    default: preconditionFailure("\(rawValue) is not a type to compute with")
    }
  }
}
