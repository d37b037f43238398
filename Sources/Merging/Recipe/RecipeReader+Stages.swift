// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents

extension RecipeReader {
  private struct Document {
    let node: YAMLNode
    let name: String?
    let recipe: Recipe
  }

  /// The recipe that the others of the file lead to, with them as its stages.
  ///
  /// It is the one without a name, or else the one that no other uses.
  mutating func stages(_ nodes: [YAMLNode]) -> Recipe? {
    var documents: [Document] = []
    for node in nodes {
      let name = node["name"].flatMap { isAbsent($0) ? nil : text($0, "name") }
      if let name, name.contains("/") || name.contains("+") || name.contains("@") || name.isEmpty {
        findings.error(
          "\"\(name)\" cannot be the name of a recipe",
          advice: "leave out \"/\", \"+\" and \"@\"", at: node["name"])
      }
      if let name, documents.contains(where: { $0.name == name }) {
        findings.error("there are two recipes named \"\(name)\"", at: node["name"])
      }
      if name == nil, documents.contains(where: { $0.name == nil }) {
        findings.error(
          "there is more than one recipe in the file",
          advice: "give all but the last one a \"name:\" by which it is used", at: node)
      }
      guard let recipe = recipe(node) else { continue }
      documents.append(Document(node: node, name: name, recipe: recipe))
    }
    guard !findings.hasErrors, let last = final(documents) else { return nil }
    var order: [Recipe.Stage] = []
    var open: Set<String> = []
    guard collect(last, documents, &order, &open) else { return nil }
    for document in documents {
      guard let name = document.name, name != last.name, !order.contains(where: { $0.name == name })
      else { continue }
      findings.warning(
        "nothing uses the recipe \"\(name)\"; it is not merged", at: document.node["name"])
    }
    var recipe = last.recipe
    recipe.stages = order
    return recipe
  }

  private mutating func final(_ documents: [Document]) -> Document? {
    if let unnamed = documents.first(where: { $0.name == nil }) { return unnamed }
    let used = Set(documents.flatMap { $0.recipe.models.map(\.path) })
    let unused = documents.filter { !used.contains($0.name ?? "") }
    guard unused.count == 1, let last = unused.first else {
      findings.error(
        unused.isEmpty
          ? "the recipes use one another in a circle"
          : "it is not clear which recipe is the result",
        advice: "leave out the \"name:\" of the one that is wanted",
        at: (unused.last ?? documents.last)?.node)
      return nil
    }
    return last
  }

  /// Notes the stages that a recipe needs, those that they need first.
  private mutating func collect(
    _ document: Document, _ documents: [Document], _ order: inout [Recipe.Stage],
    _ open: inout Set<String>
  ) -> Bool {
    for reference in document.recipe.models {
      guard let stage = documents.first(where: { $0.name == reference.path }),
        !order.contains(where: { $0.name == reference.path })
      else { continue }
      guard open.insert(reference.path).inserted, stage.name != document.name else {
        findings.error("the recipe \"\(reference.path)\" needs its own result", at: stage.node)
        return false
      }
      if reference.revision != nil || !reference.adapters.isEmpty {
        findings.error(
          "\(reference) is the result of a recipe, which has no revision or adapter",
          at: document.node)
        return false
      }
      guard collect(stage, documents, &order, &open) else { return false }
      order.append(Recipe.Stage(name: reference.path, recipe: stage.recipe))
    }
    return true
  }
}
