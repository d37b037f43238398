// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Weights

extension RecipeReader {
  // MARK: Keys

  /// Notes keys that mean nothing: errors where a known key was misspelt, warnings otherwise.
  mutating func checkKeys(
    _ node: YAMLNode, _ place: String, _ known: [String], tolerated: [String] = []
  ) {
    guard let members = node.mapping else {
      findings.error("a \(place) is a mapping", at: node)
      return
    }
    for member in members where !known.contains(member.name) && !tolerated.contains(member.name) {
      if let meant = Suggestion.closest(to: member.name, among: known) {
        findings.error(
          "unknown key \"\(member.name)\"", advice: "did you mean \"\(meant)\"?", at: member.key)
      } else {
        findings.warning(
          "\"\(member.name)\" means nothing in a \(place) and has no effect",
          advice: "known keys: " + known.joined(separator: ", "), at: member.key)
      }
    }
  }

  /// Whether a value counts as not given.
  func isAbsent(_ node: YAMLNode) -> Bool { node.isNull }

  func isEmpty(_ node: YAMLNode) -> Bool {
    node.isNull || node.sequence?.isEmpty == true || node.mapping?.isEmpty == true
  }

  mutating func text(_ node: YAMLNode, _ key: String) -> String? {
    if let text = node.string { return text }
    findings.error("\"\(key)\" is a text", at: node)
    return nil
  }

  // MARK: Values

  mutating func dtype(_ node: YAMLNode?) -> DType? {
    guard let node, !isAbsent(node) else { return nil }
    guard let name = node.string, let dtype = DType(recipeName: name) else {
      findings.error(
        "unknown dtype \"\(node.scalar?.text ?? "")\"",
        advice: "use bfloat16, float16, float32 or float64", at: node)
      return nil
    }
    return dtype
  }

  mutating func seed(_ node: YAMLNode) -> UInt64? {
    guard let value = node.int, value >= 0 else {
      findings.error("\"random_seed\" is a whole number from 0 on", at: node)
      return nil
    }
    return UInt64(value)
  }

  mutating func reference(_ node: YAMLNode) -> ModelReference? {
    do throws(ModelReference.Malformed) {
      if let text = node.string { return try ModelReference(parsing: text) }
      guard let inner = node["model"] else {
        findings.error(
          "a model is named by a text, or by a mapping with \"model\"",
          advice: node.scalar.map { "put quotes around it: \"\($0.text)\"" }, at: node)
        return nil
      }
      checkKeys(node, "model reference", ["model", "lora", "override_architecture"])
      guard let model = try part(inner) else { return nil }
      var adapters: [ModelReference.Adapter] = []
      if let lora = node["lora"], !isAbsent(lora) {
        for item in lora.sequence ?? [lora] {
          if let adapter = try part(item) { adapters.append(adapter) }
        }
      }
      return ModelReference(
        path: model.path, revision: model.revision, adapters: adapters,
        architecture: node["override_architecture"]?.string)
    } catch {
      findings.error(error.reason, at: node)
      return nil
    }
  }

  private mutating func part(_ node: YAMLNode) throws(ModelReference.Malformed)
    -> ModelReference.Adapter?
  {
    if let text = node.string { return try ModelReference.part(text, of: text) }
    guard let path = node["path"]?.string else {
      findings.error("\"path\" is missing", at: node)
      return nil
    }
    checkKeys(node, "model path", ["path", "revision"])
    return ModelReference.Adapter(path: path, revision: node["revision"]?.string)
  }

  /// A chat template: `auto`, the name of one, or the template itself.
  mutating func chatTemplate(_ node: YAMLNode) -> String? {
    guard let text = text(node, "chat_template") else { return nil }
    let names = ["auto", "alpaca", "chatml", "exaone", "llama3", "mistral"]
    if names.contains(text) || (text.contains("{") && text.count >= 20) { return text }
    findings.error(
      "\"\(text.prefix(40))\" is neither the name of a chat template nor a template",
      advice: "use one of " + names.joined(separator: ", ") + ", or write the Jinja text", at: node)
    return nil
  }

  // MARK: Parameters

  mutating func parameters(_ node: YAMLNode?) -> ParameterTable {
    guard let node, !isAbsent(node) else { return ParameterTable() }
    guard let members = node.mapping else {
      findings.error("\"parameters\" is a mapping", at: node)
      return ParameterTable()
    }
    return ParameterTable(
      members.compactMap { member in
        setting(member.value).map {
          .init(name: member.name, setting: $0, key: member.key, value: member.value)
        }
      })
  }

  private mutating func setting(_ node: YAMLNode) -> Setting? {
    if node.mapping != nil { return condition(node).map { .conditional([$0]) } }
    guard let items = node.sequence else { return value(node).map(Setting.value) }
    if items.contains(where: { $0.mapping != nil }) {
      guard items.allSatisfy({ $0.mapping != nil }) else {
        findings.error(
          "values with and without a filter are mixed",
          advice: "write the value for all others as \"- value: …\" at the end", at: node)
        return nil
      }
      let cases = items.compactMap { condition($0) }
      return cases.count == items.count ? .conditional(cases) : nil
    }
    let values = items.compactMap { value($0) }
    return values.count == items.count ? .gradient(values) : nil
  }

  private mutating func condition(_ node: YAMLNode) -> Setting.Case? {
    checkKeys(node, "conditional value", ["filter", "value"])
    guard let content = node["value"] else {
      findings.error("\"value\" is missing", at: node)
      return nil
    }
    guard content.mapping == nil, content.sequence?.contains(where: { $0.mapping != nil }) != true
    else {
      findings.error("a value is a number or a list", at: content)
      return nil
    }
    guard let setting = setting(content) else { return nil }
    let filter = node["filter"].flatMap { isAbsent($0) ? nil : $0.scalar?.text }
    return .init(filter: filter, setting: setting)
  }

  private mutating func value(_ node: YAMLNode) -> ParameterValue? {
    switch node.scalar?.value {
    case .bool(let value): return .bool(value)
    case .int(let value): return .int(value)
    case .float(let value): return .double(value)
    case .string(let text): return .string(text)
    default:
      findings.error("a parameter is a number, a truth value or a list of such", at: node)
      return nil
    }
  }

  // MARK: Tokenizer

  mutating func tokenizer(_ node: YAMLNode) -> TokenizerSettings? {
    let old = node["tokenizer_source"].flatMap { isAbsent($0) ? nil : $0 }
    let new = node["tokenizer"].flatMap { isAbsent($0) ? nil : $0 }
    if let old, new != nil {
      findings.error("\"tokenizer\" and \"tokenizer_source\" cannot be used together", at: old)
      return nil
    }
    if let old {
      guard let source = tokenizerSource(old) else { return nil }
      return TokenizerSettings(
        source: source, tokens: [], padToMultipleOf: nil, keepsPadding: false, node: old)
    }
    guard let new else { return nil }
    checkKeys(new, "tokenizer", ["source", "tokens", "pad_to_multiple_of"])
    let source = new["source"].flatMap { isAbsent($0) ? nil : tokenizerSource($0) } ?? .union
    var padding: Int?
    var keepsPadding = false
    if let node = new["pad_to_multiple_of"], !isAbsent(node) {
      if node.string == "keep" {
        keepsPadding = true
      } else if let value = node.int, 1...1 << 20 ~= value {
        padding = value
      } else {
        findings.error(
          "\"pad_to_multiple_of\" is a whole number from 1 on, or \"keep\"", at: node)
        return nil
      }
    }
    return TokenizerSettings(
      source: source, tokens: tokens(new["tokens"]), padToMultipleOf: padding,
      keepsPadding: keepsPadding, node: new)
  }

  private mutating func tokenizerSource(_ node: YAMLNode) -> TokenizerSettings.Source? {
    switch node.string {
    case "union": .union
    case "base": .base
    default: reference(node).map(TokenizerSettings.Source.model)
    }
  }

  private mutating func tokens(_ node: YAMLNode?) -> [TokenizerSettings.Token] {
    guard let node, !isAbsent(node) else { return [] }
    guard let members = node.mapping else {
      findings.error("\"tokens\" is a mapping from tokens to their sources", at: node)
      return []
    }
    return members.compactMap { member in
      checkKeys(member.value, "token", ["source", "force"])
      let source = member.value["source"].flatMap { isAbsent($0) ? nil : $0 }
      return TokenizerSettings.Token(
        text: member.name, source: source.flatMap { tokenSource($0) },
        isForced: member.value["force"]?.bool ?? false)
    }
  }

  private mutating func tokenSource(_ node: YAMLNode) -> TokenizerSettings.Token.Source? {
    guard let kind = node["kind"]?.string else { return reference(node).map { .model($0) } }
    switch kind {
    case "zero": return .zero
    case "model_token":
      checkKeys(node, "token source", ["kind", "model", "token", "token_id"])
      guard let name = node["model"], let model = reference(name) else {
        findings.error("\"model\" is missing", at: node)
        return nil
      }
      switch (node["token"]?.string, node["token_id"]?.int) {
      case (let token?, nil): return .token(token, of: model)
      case (nil, let id?): return .tokenID(id, of: model)
      default:
        findings.error("a model token needs either \"token\" or \"token_id\"", at: node)
        return nil
      }
    default:
      findings.error("unknown kind \"\(kind)\"", advice: "use zero or model_token", at: node)
      return nil
    }
  }
}
