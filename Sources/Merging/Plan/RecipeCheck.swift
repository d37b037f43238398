// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents

/// What is wrong with a recipe by itself: all that can be told without its models.
struct RecipeCheck {
  /// Nil if there is no such method.
  let method: (any MergeMethod.Type)?
  private(set) var findings = Findings()

  init(_ recipe: Recipe) {
    method = MergeMethods.method(recipe.method)
    for finding in recipe.findings { findings.add(finding) }
    let isSound = !findings.hasErrors
    guard let spec = method?.spec else {
      let names = MergeMethods.all.map { $0.spec.id }
      let meant = Suggestion.closest(to: recipe.method, among: names)
      findings.error(
        "unknown merge method \"\(recipe.method)\"",
        advice: meant.map { "did you mean \"\($0)\"?" }
          ?? "methods: \(names.joined(separator: ", "))",
        at: recipe.methodNode)
      return
    }
    // A misspelt key may be the base's.
    if isSound, recipe.lacksBase(spec) {
      findings.error(
        "\(spec.id) needs a base model", advice: "add \"base_model: NAME\"", at: recipe.methodNode)
    }
    check(recipe.parameters, spec, isModel: false)
    switch recipe.body {
    case .models(let sources): check(sources, spec, base: recipe.base)
    case .slices(let slices): check(slices, spec, recipe)
    case .modules(let modules):
      for module in modules {
        check(module.parameters, spec, isModel: false)
        switch module.body {
        case .models(let sources): check(sources, spec, base: recipe.base)
        case .slices(let slices): check(slices, spec, recipe)
        }
      }
    }
  }

  private mutating func check(_ slices: [Recipe.Slice], _ spec: MethodSpec, _ recipe: Recipe) {
    for slice in slices {
      check(slice.parameters, spec, isModel: false)
      check(slice.sources, spec, base: slice.base ?? recipe.base)
    }
  }

  private mutating func check(
    _ sources: [Recipe.Source], _ spec: MethodSpec, base: ModelReference?
  ) {
    for source in sources {
      let isBase = spec.base != .ordinary && source.model == base
      check(source.parameters, spec, isModel: true, isBase: isBase)
    }
  }

  /// Notes parameters that the method does not have or that stand where they have no effect, and values that they
  /// cannot have.
  private mutating func check(
    _ table: ParameterTable, _ spec: MethodSpec, isModel: Bool, isBase: Bool = false
  ) {
    for entry in table.entries {
      guard let parameter = spec.parameter(entry.name) else {
        unknown(entry, spec)
        continue
      }
      if isBase, parameter.scope == .model {
        findings.warning("\"\(entry.name)\" has no effect on the base model", at: entry.key)
      } else if isModel, parameter.scope == .method {
        findings.warning(
          "\"\(entry.name)\" is a parameter of the method and has no effect on a single model",
          advice: "move it to the recipe's \"parameters\"", at: entry.key)
      } else {
        for fault in entry.setting.values.compactMap({ parameter.fault(of: $0) }) {
          findings.error(fault, at: entry.value)
        }
      }
    }
  }

  private mutating func unknown(_ entry: ParameterTable.Entry, _ spec: MethodSpec) {
    if MergeMethods.parameterNames.contains(entry.name) {
      findings.warning(
        "\"\(entry.name)\" is no parameter of \(spec.id) and has no effect", at: entry.key)
    } else if let meant = Suggestion.closest(
      to: entry.name, among: spec.parameters.map(\.name).filter { $0.count > 1 })
    {
      findings.error(
        "unknown parameter \"\(entry.name)\"", advice: "did you mean \"\(meant)\"?", at: entry.key)
    } else {
      findings.warning(
        "\"\(entry.name)\" is no parameter of \(spec.id) and has no effect",
        advice: "its parameters: " + spec.parameters.map(\.name).joined(separator: ", "),
        at: entry.key)
    }
  }
}

extension Recipe {
  /// Whether there is no base although the method needs one.
  func lacksBase(_ spec: MethodSpec) -> Bool {
    guard spec.base == .required, base == nil else { return false }
    if case .slices(let slices) = body { return !slices.allSatisfy { $0.base != nil } }
    return true
  }
}

extension ParameterSpec {
  /// Why a value cannot be this parameter's; nil if it can.
  func fault(of value: ParameterValue) -> String? {
    guard let converted = value.converted(to: kind) else {
      return "\"\(name)\" is \(kind.description), not \"\(value)\""
    }
    if let range, let number = converted.number, !range.contains(number) {
      return "\"\(name)\" \(converted) is outside \(range.text)"
    }
    return nil
  }
}
