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
      if let fault = parameter.fault(of: value) {
        findings.error(fault, at: entry.value)
        return (nil, entry.value, true)
      }
      return (value.converted(to: parameter.kind), entry.value, false)
    }
    return (nil, nil, false)
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
