// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents

/// The tables in which a parameter is looked up, nearest first, and what they stand beside.
struct ParameterScope {
  /// Slice, module and recipe, in this order.
  let levels: [ParameterTable]
  /// For each source of the slice its own table.
  let sources: [ParameterTable]
}

extension Planner {
  /// The parameters of a method for one tensor.
  ///
  /// A method's parameter is looked up in slice, module and recipe, filters being compared with the output's name;
  /// a model's parameter first in the source itself, filters being compared with the input's name. A level where
  /// no filter matches is passed over.
  ///
  /// - Parameters:
  ///   - inputs: Index of the source and name of the tensor in it, for each input.
  ///   - base: Which input has the role of the base and so no parameters of its own.
  mutating func parameters(
    _ spec: MethodSpec, _ scope: ParameterScope, output: String,
    inputs: [(source: Int, name: String)], base: Int?, position: Double
  ) -> (values: MethodParameters, nodes: ParameterNodes) {
    var values = MethodParameters(inputs: inputs.map { _ in [:] })
    var nodes = ParameterNodes()
    for parameter in spec.parameters {
      switch parameter.scope {
      case .method:
        let found = lookUp(parameter, scope.levels, name: output, position: position)
        values.shared[parameter.name] = found.value ?? parameter.defaultValue
        nodes.shared[parameter.name] = found.node
        if found.value == nil, !found.isBroken, parameter.isRequired {
          findings.error(
            "\(spec.id) needs \"\(parameter.name)\": \(parameter.summary)",
            advice: "add it to the recipe's \"parameters\"", at: recipe.methodNode)
        }
      case .model:
        for (index, input) in inputs.enumerated() where index != base {
          let found = lookUp(
            parameter, [scope.sources[input.source]] + scope.levels, name: input.name,
            position: position)
          values.inputs[index][parameter.name] = found.value ?? parameter.defaultValue
          nodes.inputs[index, default: [:]][parameter.name] = found.node
          if found.value == nil, !found.isBroken, parameter.isRequired {
            missing(parameter, spec, scope, input.source)
          }
        }
      }
    }
    return (values, nodes)
  }

  private mutating func missing(
    _ parameter: ParameterSpec, _ spec: MethodSpec, _ scope: ParameterScope, _ source: Int
  ) {
    let model = sourceModels[source]
    findings.error(
      "\(spec.id) needs \"\(parameter.name)\" for \(model): \(parameter.summary)",
      advice: "add \"parameters: {\(parameter.name): …}\" to the model, or to the recipe for all",
      at: node(of: model) ?? recipe.methodNode)
  }

  private mutating func lookUp(
    _ parameter: ParameterSpec, _ levels: [ParameterTable], name: String, position: Double
  ) -> (value: ParameterValue?, node: YAMLNode?, isBroken: Bool) {
    for level in levels {
      guard let entry = level[parameter.name],
        let value = entry.setting.evaluated(
          name: name, position: position, kind: parameter.kind)
      else { continue }
      guard let converted = value.converted(to: parameter.kind) else {
        findings.error(
          "\"\(parameter.name)\" is \(parameter.kind.description), not \"\(value)\"",
          at: entry.value)
        return (nil, entry.value, true)
      }
      if let range = parameter.range, let number = converted.number, !range.contains(number) {
        findings.error(
          "\"\(parameter.name)\" \(converted) is outside \(range.text)", at: entry.value)
        return (nil, entry.value, true)
      }
      return (converted, entry.value, false)
    }
    return (nil, nil, false)
  }

  // MARK: Names

  /// Notes parameters that the method does not have, or that stand where they have no effect.
  mutating func checkParameterNames(_ spec: MethodSpec) {
    check(recipe.parameters, spec, isModel: false)
    switch recipe.body {
    case .models(let sources): check(sources, spec, base: recipe.base)
    case .slices(let slices): check(slices, spec)
    case .modules(let modules):
      for module in modules {
        check(module.parameters, spec, isModel: false)
        switch module.body {
        case .models(let sources): check(sources, spec, base: recipe.base)
        case .slices(let slices): check(slices, spec)
        }
      }
    }
  }

  private mutating func check(_ slices: [Recipe.Slice], _ spec: MethodSpec) {
    for slice in slices {
      check(slice.parameters, spec, isModel: false)
      check(slice.sources, spec, base: slice.base ?? recipe.base)
    }
  }

  private mutating func check(
    _ sources: [Recipe.Source], _ spec: MethodSpec, base: ModelReference?
  ) {
    for source in sources {
      check(source.parameters, spec, isModel: true)
      guard spec.base != .ordinary, source.model == base else { continue }
      for entry in source.parameters.entries where spec.parameter(entry.name)?.scope == .model {
        findings.warning("\"\(entry.name)\" has no effect on the base model", at: entry.key)
      }
    }
  }

  private mutating func check(_ table: ParameterTable, _ spec: MethodSpec, isModel: Bool) {
    for entry in table.entries {
      if let parameter = spec.parameter(entry.name) {
        if isModel, parameter.scope == .method {
          findings.warning(
            "\"\(entry.name)\" is a parameter of the method and has no effect on a single model",
            advice: "move it to the recipe's \"parameters\"", at: entry.key)
        }
      } else if MergeMethods.parameterNames.contains(entry.name) {
        findings.warning(
          "\"\(entry.name)\" is no parameter of \(spec.id) and has no effect", at: entry.key)
      } else if let meant = Suggestion.closest(
        to: entry.name, among: spec.parameters.map(\.name).filter { $0.count > 1 })
      {
        findings.error(
          "unknown parameter \"\(entry.name)\"", advice: "did you mean \"\(meant)\"?",
          at: entry.key)
      } else {
        findings.warning(
          "\"\(entry.name)\" is no parameter of \(spec.id) and has no effect",
          advice: "its parameters: " + spec.parameters.map(\.name).joined(separator: ", "),
          at: entry.key)
      }
    }
  }
}

/// Where the values of a tensor's parameters stand in the recipe.
struct ParameterNodes {
  var shared: [String: YAMLNode] = [:]
  var inputs: [Int: [String: YAMLNode]] = [:]

  func node(_ fault: MethodFault) -> YAMLNode? {
    guard let parameter = fault.parameter else { return nil }
    return fault.input.flatMap { inputs[$0]?[parameter] } ?? shared[parameter]
  }
}

extension ParameterSpec.Kind {
  package var description: String {
    switch self {
    case .number: "a number"
    case .integer: "a whole number"
    case .flag: "true or false"
    case .choice(let names): "one of " + names.joined(separator: ", ")
    }
  }
}

extension ClosedRange<Double> {
  /// As `0...1`, or `0...` without an upper bound.
  package var text: String {
    func spell(_ bound: Double) -> String { Int(exactly: bound).map(String.init) ?? "\(bound)" }
    return "\(spell(lowerBound))..." + (upperBound.isFinite ? spell(upperBound) : "")
  }
}
