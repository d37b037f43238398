// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents

/// The part of adapter_config.json that decides what the adapter's numbers mean.
package struct AdapterConfig: Sendable {
  /// The columns of the matrices where no pattern says otherwise; nil if it is not stated.
  package let rank: Int?
  /// What products are scaled by, times their rank (or its root).
  package let alpha: Double
  private let ranks: [(pattern: ModulePattern, value: Double)]
  private let alphas: [(pattern: ModulePattern, value: Double)]
  /// Whether the scale is alpha ÷ √rank instead of alpha ÷ rank.
  private let isRankStabilized: Bool
  package let usesMagnitudes: Bool
  /// Whether weights are stored `[in, out]`.
  package let isFanInFanOut: Bool
  /// How the matrices were initialised if that may have changed the model's own weights too.
  package let initialization: String?
  private let tokenIndices: JSON?

  package init(_ bytes: [UInt8]) throws(AdapterFault) {
    let json: JSON
    do throws(JSONError) { json = try JSON.parse(bytes) } catch { throw .notJSON("\(error)") }
    guard let kind = json["peft_type"]?.string else { throw .setting("peft_type") }
    guard kind == "LORA" else { throw .kind(kind) }
    try Self.checkFeatures(json)
    rank = json["r"]?.int
    guard let alpha = json["lora_alpha"]?.double ?? rank.map(Double.init), alpha.isFinite else {
      throw .setting("lora_alpha")
    }
    self.alpha = alpha
    ranks = try Self.patterns(json, "rank_pattern")
    alphas = try Self.patterns(json, "alpha_pattern")
    isRankStabilized = json["use_rslora"]?.bool ?? false
    usesMagnitudes = json["use_dora"]?.bool ?? false
    isFanInFanOut = json["fan_in_fan_out"]?.bool ?? false
    initialization = json["init_lora_weights"]?.string.flatMap { text in
      ["pissa", "olora", "corda", "loftq", "lora_ga"].contains { text.lowercased().hasPrefix($0) }
        ? text : nil
    }
    tokenIndices = json["trainable_token_indices"]
  }

  /// Settings that do not change what the stored matrices mean once they are trained.
  private static let harmless: Set<String> = [
    "use_rslora", "use_dora", "loftq_config", "eva_config", "corda_config", "lora_ga_config",
    "megatron_config", "runtime_config",
  ]

  private static func checkFeatures(_ json: JSON) throws(AdapterFault) {
    let refused = ["alora_invocation_tokens", "layer_replication", "use_qalora"]
    for member in json.members ?? [] where member.value.isTruthy {
      let isFeature =
        member.key.hasPrefix("use_") || member.key.hasSuffix("_config")
        || refused.contains(member.key)
      if isFeature, !harmless.contains(member.key) { throw .feature(member.key) }
    }
  }

  private static func patterns(_ json: JSON, _ key: String) throws(AdapterFault)
    -> [(pattern: ModulePattern, value: Double)]
  {
    var patterns: [(pattern: ModulePattern, value: Double)] = []
    for member in json[key]?.members ?? [] {
      guard let value = member.value.double, value.isFinite else { throw .setting(key) }
      patterns.append((try ModulePattern(member.key), value))
    }
    return patterns
  }

  /// What the product of a module's matrices is multiplied by.
  ///
  /// - Parameter actual: The rank that the matrices have.
  func scale(of module: String, rank actual: Int) throws(AdapterFault) -> Double {
    let own = ranks.first { $0.pattern.matches(module) }.map { Int($0.value) }
    if let stated = own ?? rank, stated != actual {
      throw .rank(module: module, stated: stated, actual: actual)
    }
    let alpha = alphas.first { $0.pattern.matches(module) }?.value ?? self.alpha
    return alpha / (isRankStabilized ? Double(actual).squareRoot() : Double(actual))
  }

  /// The numbers of the tokens whose rows were trained by themselves in a module.
  func tokens(of module: String) -> [Int]? {
    let list =
      tokenIndices?.array
      ?? tokenIndices?.members?.first { module == $0.key || module.hasSuffix("." + $0.key) }?
      .value.array
    guard let indices = list?.map(\.int), !indices.contains(nil) else { return nil }
    return indices.compactMap(\.self)
  }
}

extension JSON {
  /// Whether Python takes the value for true.
  fileprivate var isTruthy: Bool {
    switch self {
    case .null: false
    case .bool(let value): value
    case .number: double != 0
    case .string(let text): !text.isEmpty
    case .array(let items): !items.isEmpty
    case .object(let members): !members.isEmpty
    }
  }
}
