// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Storage
import SystemPackage
import Weights

/// A tensor's content, for comparing element by element.
struct GoldenTensor {
  let info: TensorInfo
  var bytes: [UInt8]

  var shape: [Int] { info.shape }
  var count: Int { info.elementCount }

  /// All tensors of a model folder, or of one file.
  static func tensors(at path: FilePath) throws -> [TensorName: GoldenTensor] {
    let checkpoint =
      FileSystem.kind(path) == .folder
      ? try Checkpoint(folder: path) : try Checkpoint(file: path)
    let shards = try checkpoint.shards.map { try FileSystem.read(checkpoint.path(of: $0)) }
    return checkpoint.tensors.mapValues { tensor in
      let bytes = Array(shards[tensor.shard][tensor.range])
      return GoldenTensor(
        info: tensor.info, bytes: tensor.strides.map { gathered(bytes, tensor.info, $0) } ?? bytes)
    }
  }

  /// The elements of a strided tensor, side by side.
  private static func gathered(_ bytes: [UInt8], _ info: TensorInfo, _ strides: [Int]) -> [UInt8] {
    let width = info.dtype.byteWidth
    return (0..<info.elementCount).flatMap { index -> ArraySlice<UInt8> in
      var rest = index
      var place = 0
      for (length, stride) in zip(info.shape, strides).reversed() {
        place += rest % length * stride
        rest /= length
      }
      return bytes[place * width..<(place + 1) * width]
    }
  }

  /// The bits of an element.
  func bits(_ index: Int) -> UInt64 {
    bytes.withUnsafeBytes { bytes in
      switch info.dtype.byteWidth {
      case 1: UInt64(bytes[index])
      case 2: UInt64(bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self))
      case 4: UInt64(bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self))
      default: bytes.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self)
      }
    }
  }

  /// An element as a number; elements of no floating-point type as the integers they are.
  func value(_ index: Int) -> Double {
    let bits = bits(index)
    return switch info.dtype {
    case .f64: Double(bitPattern: bits)
    case .f32: Double(Float(bitPattern: UInt32(bits)))
    case .bf16: Double(Float(bitPattern: UInt32(bits) << 16))
    case .f16: Self.half(UInt16(bits))
    default: Double(bits)
    }
  }

  /// All elements as numbers.
  var values: [Double] {
    guard info.dtype == .f32 else { return (0..<count).map { value($0) } }
    return bytes.withUnsafeBytes { $0.bindMemory(to: Float.self).map(Double.init) }
  }

  /// The element as an integer that grows with the number: neighbours differ by one.
  func order(_ index: Int) -> Int {
    let bits = bits(index)
    let sign = UInt64(1) << (8 * info.dtype.byteWidth - 1)
    let magnitude = Int(truncatingIfNeeded: bits & (sign - 1))
    return bits & sign == 0 ? magnitude : -magnitude
  }

  /// The distance to the next number of the dtype, away from zero.
  func ulp(_ index: Int) -> Double {
    let mantissa = info.dtype == .bf16 ? 7 : info.dtype == .f16 ? 10 : 23
    let least = info.dtype == .f16 ? -14 : -126
    let exponent = max(Int(abs(value(index)).exponent(orZero: least)), least)
    return Double(sign: .plus, exponent: exponent - mantissa, significand: 1)
  }

  /// Written out because not every machine's Swift has `Float16`.
  private static func half(_ bits: UInt16) -> Double {
    let sign: Double = bits >> 15 == 0 ? 1 : -1
    let exponent = Int(bits >> 10 & 31)
    let mantissa = Double(bits & 1023)
    switch exponent {
    case 0: return sign * mantissa * 0x1p-24
    case 31: return mantissa == 0 ? sign * .infinity : .nan
    default:
      return sign * Double(sign: .plus, exponent: exponent - 25, significand: mantissa + 1024)
    }
  }

  /// The rows in another order: row `i` of the result is row `rows[i]` of this.
  func arranged(_ rows: [Int]) -> GoldenTensor {
    let width = shape.first.map { $0 == 0 ? 0 : bytes.count / $0 } ?? 0
    return GoldenTensor(
      info: info, bytes: rows.flatMap { bytes[$0 * width..<($0 + 1) * width] })
  }
}

extension Double {
  fileprivate func exponent(orZero least: Int) -> Int { self == 0 ? least : Int(exponent) }
}
