// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The type of a tensor's elements; the raw value is its name in safetensors headers.
package enum DType: String, Sendable, CaseIterable {
  case bool = "BOOL"
  case u8 = "U8"
  case i8 = "I8"
  /// Five bits of exponent, two of mantissa; has infinities.
  case f8E5M2 = "F8_E5M2"
  /// Four bits of exponent, three of mantissa; has no infinities, one NaN, and reaches 448.
  case f8E4M3 = "F8_E4M3"
  /// A power of two, as the scale of a block; no arithmetic.
  case f8E8M0 = "F8_E8M0"
  case i16 = "I16"
  case u16 = "U16"
  case f16 = "F16"
  case bf16 = "BF16"
  case i32 = "I32"
  case u32 = "U32"
  case f32 = "F32"
  case i64 = "I64"
  case u64 = "U64"
  case f64 = "F64"
  /// Two F32, the real part first; no arithmetic.
  case c64 = "C64"

  /// Bytes per element.
  package var byteWidth: Int {
    switch self {
    case .bool, .u8, .i8, .f8E5M2, .f8E4M3, .f8E8M0: 1
    case .i16, .u16, .f16, .bf16: 2
    case .i32, .u32, .f32: 4
    case .i64, .u64, .f64, .c64: 8
    }
  }

  /// Whether tensors of this type take part in merge arithmetic; all others are only copied.
  package var isFloat: Bool {
    switch self {
    case .f8E5M2, .f8E4M3, .f16, .bf16, .f32, .f64: true
    default: false
    }
  }

  /// The name that PyTorch, `config.json` and recipes use, without `torch.`.
  package var torchName: String {
    switch self {
    case .bool: "bool"
    case .u8: "uint8"
    case .i8: "int8"
    case .f8E5M2: "float8_e5m2"
    case .f8E4M3: "float8_e4m3fn"
    case .f8E8M0: "float8_e8m0fnu"
    case .i16: "int16"
    case .u16: "uint16"
    case .f16: "float16"
    case .bf16: "bfloat16"
    case .i32: "int32"
    case .u32: "uint32"
    case .f32: "float32"
    case .i64: "int64"
    case .u64: "uint64"
    case .f64: "float64"
    case .c64: "complex64"
    }
  }

  /// The type with a PyTorch name: `bfloat16`, `torch.bfloat16`, or one of PyTorch's other
  /// spellings (`half`, `float`, `double`, `short`, `int`, `long`, `cfloat`).
  package init?(torchName: some StringProtocol) {
    let name = torchName.hasPrefix("torch.") ? torchName.dropFirst(6) : torchName[...]
    let alias: DType? =
      switch name {
      case "half": .f16
      case "float": .f32
      case "double": .f64
      case "short": .i16
      case "int": .i32
      case "long": .i64
      case "cfloat": .c64
      default: nil
      }
    guard let type = alias ?? DType.allCases.first(where: { $0.torchName == name }) else {
      return nil
    }
    self = type
  }
}
