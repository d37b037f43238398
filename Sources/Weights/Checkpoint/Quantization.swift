// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents

/// Recognises weights that are numbers only together with a quantisation scheme's scales and tables.
enum Quantization {
  /// What the scheme is called; nil if the weights are plain numbers.
  ///
  /// The tensors decide: a configuration may still have a scheme that the weights were freed from.
  static func scheme(of tensors: [TensorName: TensorInfo], _ config: ModelConfig?) -> String? {
    let stated = config.flatMap(statedScheme)
    for name in tensors.keys.sorted() {
      guard let mark = marks.first(where: { name.text.hasSuffix($0.suffix) }) else { continue }
      let owner = String(name.text.dropLast(mark.suffix.count))
      let companions = mark.companions
      if companions.isEmpty
        || companions.contains(where: { tensors[TensorName(owner + $0)] != nil })
      {
        return mark.scheme ?? stated ?? "GPTQ or AWQ"
      }
    }
    guard let stated else { return nil }
    let hasWholeNumbers = tensors.values.contains {
      $0.name.text.hasSuffix(".weight") && !$0.dtype.isFloat && $0.shape.count >= 2
    }
    return hasWholeNumbers ? stated : nil
  }

  /// The end of a name that gives a scheme away, and what has to stand beside it.
  private struct Mark {
    let suffix: String
    let scheme: String?
    var companions: [String] = []
  }

  private static let marks: [Mark] = [
    Mark(suffix: ".weight.absmax", scheme: "bitsandbytes"),
    Mark(suffix: ".weight.quant_map", scheme: "bitsandbytes"),
    Mark(suffix: ".quant_state.bitsandbytes__nf4", scheme: "bitsandbytes"),
    Mark(suffix: ".quant_state.bitsandbytes__fp4", scheme: "bitsandbytes"),
    Mark(suffix: ".SCB", scheme: "bitsandbytes", companions: [".weight"]),
    Mark(suffix: ".g_idx", scheme: "GPTQ", companions: [".qweight"]),
    Mark(suffix: ".qweight", scheme: nil, companions: [".scales", ".qzeros"]),
    Mark(suffix: ".weight_packed", scheme: "compressed-tensors"),
    Mark(
      suffix: ".weight_scale_inv", scheme: "fp8 with scales of blocks", companions: [".weight"]),
    Mark(suffix: ".weight_scale", scheme: "fp8 with scales", companions: [".weight"]),
    Mark(suffix: "_blocks", scheme: "mxfp4", companions: ["_scales"]),
  ]

  private static func statedScheme(_ config: ModelConfig) -> String? {
    let scopes = config.textScopes.compactMap { config.value(at: $0 + ["quantization_config"]) }
    let settings = scopes + [config.json["compression_config"]].compactMap(\.self)
    return settings.lazy.compactMap { $0["quant_method"]?.string }.first
  }
}
