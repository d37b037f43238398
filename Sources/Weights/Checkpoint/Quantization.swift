// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents

/// Recognises weights that are numbers only together with a quantisation scheme's scales and tables.
///
/// Where the scheme is simple and exact, eight-bit floats with factors, it is undone as weights are read; what is
/// left is refused.
struct Quantization {
  private let stated: String?
  private let config: ModelConfig?

  init(_ config: ModelConfig?) {
    self.config = config
    stated = config?.quantization?["quant_method"]?.string
  }

  // MARK: What is undone

  /// Gives weights of eight bits their factors.
  ///
  /// - Returns: The tensors that belong to the scheme and are no weights, taken out of `tensors`.
  func undo(_ tensors: inout [TensorName: StoredTensor]) -> [TensorName] {
    let narrow = tensors.values.filter { [.f8E4M3, .f8E5M2].contains($0.info.dtype) }
    guard !narrow.isEmpty else { return [] }
    var companions: [TensorName] = []
    for tensor in narrow {
      let name = tensor.info.name
      for ending in Self.factorEndings {
        guard let factors = tensors[TensorName(name.text + ending)],
          let scales = BlockScales(factors, of: tensor, stated: blockLengths)
        else { continue }
        tensors[name] = tensor.scaled(by: scales, as: dtype(factors))
        companions.append(factors.info.name)
        break
      }
    }
    guard !companions.isEmpty else { return [] }
    // What activations are multiplied by where the weights are used in eight bits.
    companions += tensors.values.filter { tensor in
      tensor.info.elementCount == 1 && Self.activations.contains(where: tensor.info.name.hasSuffix)
    }.map(\.info.name)
    for name in companions { tensors[name] = nil }
    return companions.sorted()
  }

  private static let factorEndings = ["_scale_inv", "_scale"]
  private static let activations = [
    ".input_scale", ".input_scale_ub", ".activation_scale", ".output_scale", ".k_scale", ".v_scale",
    ".q_scale",
  ]

  /// The dtype that the weights had before.
  private func dtype(_ factors: StoredTensor) -> DType {
    if let dtype = config?.weightDType, [.bf16, .f16, .f32].contains(dtype) { return dtype }
    return factors.info.dtype.byteWidth == 2 ? factors.info.dtype : .bf16
  }

  private var blockLengths: [Int] {
    let settings = config?.quantization
    let groups = settings?["config_groups"]?.members?.compactMap { group in
      group.value["weights"]?["block_structure"]
    }
    let lengths = (settings?["weight_block_size"] ?? groups?.first)?.array?.compactMap(\.int)
    return lengths ?? []
  }

  // MARK: What is refused

  /// The scheme of weights that are no numbers; nil if they are.
  ///
  /// The tensors decide: a configuration may still have a scheme that the weights were freed from.
  func scheme(of tensors: [TensorName: StoredTensor]) -> QuantizationScheme? {
    let found = tensors.keys.lazy.filter { !$0.hasSuffix(".weight") }.compactMap { name in
      Self.marks.firstIndex { mark in
        guard name.hasSuffix(mark.suffix) else { return false }
        let owner = String(name.text.dropLast(mark.suffix.count))
        return mark.companions.isEmpty
          || mark.companions.contains { tensors[TensorName(owner + $0)] != nil }
      }
    }
    if let mark = found.min() {
      return Self.marks[mark].scheme ?? stated.map(QuantizationScheme.init) ?? .gptq
    }
    guard let stated else { return nil }
    let hasWholeNumbers = tensors.values.contains {
      $0.info.name.hasSuffix(".weight") && !$0.info.dtype.isFloat && $0.info.shape.count >= 2
    }
    return hasWholeNumbers ? QuantizationScheme(stated) : nil
  }

  /// The end of a name that gives a scheme away, and what has to stand beside it.
  private struct Mark {
    let suffix: String
    let scheme: QuantizationScheme?
    var companions: [String] = []
  }

  private static let marks: [Mark] = [
    Mark(suffix: ".weight.absmax", scheme: .bitsandbytes),
    Mark(suffix: ".weight.quant_map", scheme: .bitsandbytes),
    Mark(suffix: ".quant_state.bitsandbytes__nf4", scheme: .bitsandbytes),
    Mark(suffix: ".quant_state.bitsandbytes__fp4", scheme: .bitsandbytes),
    Mark(suffix: ".SCB", scheme: .bitsandbytes, companions: [".weight"]),
    Mark(suffix: ".g_idx", scheme: .gptq, companions: [".qweight"]),
    Mark(suffix: ".qweight", scheme: nil, companions: [".scales", ".qzeros"]),
    Mark(suffix: ".weight_packed", scheme: .compressedTensors),
    Mark(suffix: "_scale_2", scheme: .nvfp4, companions: [""]),
    Mark(suffix: "_scale_inv", scheme: .scaled, companions: [""]),
    Mark(suffix: ".weight_scale", scheme: .scaled, companions: [".weight"]),
    Mark(suffix: "_blocks", scheme: .mxfp4, companions: ["_scales"]),
  ]
}

/// How the weights of a checkpoint were made smaller, in a way that is not undone here.
package enum QuantizationScheme: Hashable, Sendable {
  case bitsandbytes
  case gptq
  case awq
  case compressedTensors
  case mxfp4
  case nvfp4
  /// Numbers with factors that do not fit them, or that are no eight-bit floats.
  case scaled
  /// What config.json calls it.
  case other(String)

  /// - Parameter name: The `quant_method` of config.json.
  init(_ name: String) {
    switch name.lowercased() {
    case "bitsandbytes", "bitsandbytes_4bit", "bitsandbytes_8bit": self = .bitsandbytes
    case "gptq": self = .gptq
    case "awq": self = .awq
    case "compressed-tensors": self = .compressedTensors
    case "mxfp4": self = .mxfp4
    default: self = .other(name)
    }
  }
}

extension QuantizationScheme: CustomStringConvertible {
  package var description: String {
    switch self {
    case .bitsandbytes: "bitsandbytes"
    case .gptq: "GPTQ"
    case .awq: "AWQ"
    case .compressedTensors: "compressed-tensors"
    case .mxfp4: "MXFP4"
    case .nvfp4: "NVFP4"
    case .scaled: "numbers with scales that are not understood"
    case .other(let name): name
    }
  }
}
