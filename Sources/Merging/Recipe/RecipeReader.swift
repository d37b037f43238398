// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Storage
package import SystemPackage
internal import Weights

extension Recipe {
  /// Reads a recipe file.
  ///
  /// - Parameter keepsErrors: Whether what is wrong becomes one of the recipe's `findings`, so that the planner can
  ///   look for more and tell all at once.
  /// - Throws: `RecipeError` with everything that is wrong with it.
  package init(contentsOf path: FilePath, keepsErrors: Bool = false) throws {
    let bytes = try FileSystem.read(path)
    try self.init(parsing: bytes, file: path.string, keepsErrors: keepsErrors)
  }

  /// Reads a recipe; of several YAML documents those with a name are merged first and used by it.
  package init(
    parsing bytes: [UInt8], file: String, keepsErrors: Bool = false
  ) throws(RecipeError) {
    let text = String(decoding: bytes, as: UTF8.self)
    let documents: [YAMLNode]
    do throws(YAMLError) { documents = try YAML.parse(bytes) } catch {
      throw RecipeError(
        [Diagnostic(.error, error.message, location: error.location)], file: file, text: text)
    }
    var reader = RecipeReader(file: file, text: text)
    let recipe: Recipe?
    if documents.count > 1 {
      recipe = reader.stages(documents)
    } else if let document = documents.first {
      recipe = reader.recipe(document)
    } else {
      reader.findings.error(
        "the recipe is empty", advice: "begin with \"merge_method:\"", at: nil)
      recipe = nil
    }
    guard var recipe, keepsErrors || !reader.findings.hasErrors else {
      throw RecipeError(reader.findings.sorted, file: file, text: text)
    }
    recipe.findings = reader.findings.all
    self = recipe
  }
}

/// Turns the YAML tree of a recipe into a `Recipe`, noting everything that is wrong on the way.
struct RecipeReader {
  let file: String
  let text: String
  var findings = Findings()

  init(file: String, text: String) {
    self.file = file
    self.text = text
  }

  mutating func recipe(_ node: YAMLNode) -> Recipe? {
    guard node.mapping != nil else {
      findings.error("a recipe is a mapping that begins with \"merge_method:\"", at: node)
      return nil
    }
    checkKeys(
      node, "recipe",
      [
        "merge_method", "models", "slices", "modules", "base_model", "dtype", "out_dtype",
        "parameters", "tokenizer_source", "tokenizer", "chat_template", "random_seed",
      ], tolerated: ["name"])
    if node["merge_method"] == nil {
      findings.error(
        "there is no \"merge_method\"", advice: "for example: merge_method: linear", at: nil)
    }
    let method = node["merge_method"].flatMap { text($0, "merge_method") }
    let base = node["base_model"].flatMap { isAbsent($0) ? nil : reference($0) }
    let recipe = Recipe(
      file: file, text: text, method: method ?? "", methodNode: node["merge_method"] ?? node,
      body: body(node) ?? .models([]), base: base, baseNode: node["base_model"],
      dtype: dtype(node["dtype"]), outputDType: dtype(node["out_dtype"]),
      parameters: parameters(node["parameters"]), tokenizer: tokenizer(node),
      chatTemplate: node["chat_template"].flatMap { isAbsent($0) ? nil : chatTemplate($0) },
      seed: node["random_seed"].flatMap { seed($0) }, findings: [])
    return method == nil ? nil : recipe
  }

  // MARK: What is merged

  private mutating func body(_ node: YAMLNode) -> Recipe.Body? {
    let forms = ["models", "slices", "modules"].filter { key in
      node[key].map { !isEmpty($0) } ?? false
    }
    guard forms.count == 1, let form = forms.first, let content = node[form] else {
      findings.error(
        forms.isEmpty
          ? "one of \"models\", \"slices\" and \"modules\" has to say what is merged"
          : "\"\(forms.joined(separator: "\" and \""))\" cannot be used together",
        at: forms.dropFirst().first.flatMap { node[$0] })
      return nil
    }
    return switch form {
    case "models": .models(sources(content, "models", hasLayers: false))
    case "slices": .slices(slices(content))
    default: modules(content)
    }
  }

  private mutating func modules(_ node: YAMLNode) -> Recipe.Body? {
    guard let members = node.mapping else {
      findings.error("\"modules\" is a mapping from names to what they are made of", at: node)
      return nil
    }
    return .modules(
      members.compactMap { member in
        checkKeys(member.value, "module", ["slices", "models", "parameters"])
        let models = member.value["models"].flatMap { isEmpty($0) ? nil : $0 }
        let slices = member.value["slices"].flatMap { isEmpty($0) ? nil : $0 }
        let body: Recipe.Module.Body
        switch (models, slices) {
        case (let models?, nil): body = .models(sources(models, "models", hasLayers: false))
        case (nil, let slices?): body = .slices(self.slices(slices))
        default:
          findings.error(
            "module \"\(member.name)\" needs either \"models\" or \"slices\"", at: member.key)
          return nil
        }
        return Recipe.Module(
          name: member.name, body: body, parameters: parameters(member.value["parameters"]),
          node: member.key)
      })
  }

  private mutating func slices(_ node: YAMLNode) -> [Recipe.Slice] {
    guard let items = node.sequence else {
      findings.error("\"slices\" is a list", at: node)
      return []
    }
    return items.map { item in
      checkKeys(
        item, "slice", ["sources", "base_model", "parameters", "residual_weight"])
      if let weight = item["residual_weight"], !isAbsent(weight) {
        findings.warning("\"residual_weight\" has no effect in any version of mergekit", at: weight)
      }
      if item["sources"] == nil {
        findings.error("a slice needs \"sources\"", at: item)
      }
      let sources = item["sources"].map { self.sources($0, "sources", hasLayers: true) } ?? []
      let counts = Set(sources.compactMap(\.layers?.count))
      if counts.count > 1 {
        findings.error(
          "all sources of a slice must have the same number of layers, not "
            + counts.sorted().map(String.init).joined(separator: " and "), at: item["sources"])
      }
      let base = item["base_model"].flatMap { isAbsent($0) ? nil : reference($0) }
      return Recipe.Slice(
        sources: sources, base: base, parameters: parameters(item["parameters"]), node: item)
    }
  }

  private mutating func sources(_ node: YAMLNode, _ key: String, hasLayers: Bool)
    -> [Recipe.Source]
  {
    guard let items = node.sequence, !items.isEmpty else {
      findings.error("\"\(key)\" is a list of models", at: node)
      return []
    }
    return items.compactMap { item in
      guard item.mapping != nil else {
        findings.error("each entry is a mapping", advice: "write \"- model: NAME\"", at: item)
        return nil
      }
      checkKeys(
        item, key == "models" ? "model" : "source",
        ["model", "parameters"] + (hasLayers ? ["layer_range"] : []))
      guard let name = item["model"] else {
        findings.error("\"model\" is missing", at: item)
        return nil
      }
      var layers: Range<Int>?
      if hasLayers {
        guard let node = item["layer_range"] else {
          findings.error(
            "\"layer_range\" is missing", advice: "for example: layer_range: [0, 16]", at: item)
          return nil
        }
        guard let range = layerRange(node) else { return nil }
        layers = range
      }
      guard let model = reference(name) else { return nil }
      return Recipe.Source(
        model: model, layers: layers, parameters: parameters(item["parameters"]), node: item)
    }
  }

  private mutating func layerRange(_ node: YAMLNode) -> Range<Int>? {
    let ends = node.sequence?.compactMap { $0.int ?? $0.string.flatMap { Int($0) } } ?? []
    guard ends.count == 2, node.sequence?.count == 2 else {
      findings.error(
        "\"layer_range\" is two whole numbers", advice: "for example: layer_range: [0, 16]",
        at: node)
      return nil
    }
    guard ends[0] >= 0, ends[0] < ends[1] else {
      findings.error(
        "layers \(ends[0]) to \(ends[1]) are no layers",
        advice: "the first number is the first layer, the second the one after the last", at: node)
      return nil
    }
    return ends[0]..<ends[1]
  }
}
