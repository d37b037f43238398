// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

extension DType {
  /// Bits of exponent and of mantissa of a dtype that numbers are computed with.
  private var bits: (exponent: Int, mantissa: Int) {
    switch self {
    case .f8E4M3: (4, 3)
    case .f8E5M2: (5, 2)
    case .f16: (5, 10)
    case .bf16: (8, 7)
    case .f32: (8, 23)
    case .f64: (11, 52)
    default: (0, 0)
    }
  }

  /// Whether some value of this dtype is not a value of `other`.
  package func holdsMore(than other: DType) -> Bool {
    bits.exponent > other.bits.exponent || bits.mantissa > other.bits.mantissa
  }

  /// The narrowest dtype that holds the values of both; as in PyTorch bf16 and f16 make f32.
  package func promoted(with other: DType) -> DType {
    if !other.holdsMore(than: self) { return self }
    if !holdsMore(than: other) { return other }
    let candidates: [DType] = [.f16, .bf16, .f32, .f64]
    return candidates.first { !self.holdsMore(than: $0) && !other.holdsMore(than: $0) } ?? .f64
  }

  /// A dtype by the name that recipes use: `bfloat16`, `float16`, `float32`, `float64`, with or without `torch.`;
  /// the short names people write (`bf16`, `fp16`, `fp32`) count too.
  package init?(recipeName name: String) {
    switch name {
    case "bf16": self = .bf16
    case "fp16", "f16": self = .f16
    case "fp32", "f32": self = .f32
    case "fp64", "f64": self = .f64
    default:
      guard let dtype = DType(torchName: name), dtype.isFloat else { return nil }
      self = dtype
    }
  }
}
