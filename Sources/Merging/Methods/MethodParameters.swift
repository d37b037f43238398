// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The values of a method's parameters for one tensor: checked against its spec, defaults filled in.
package struct MethodParameters: Hashable, Sendable {
  /// The parameters of the method.
  package var shared: [String: ParameterValue]
  /// The parameters of each input, in the order of the tensor's inputs; those of a base are empty.
  package var inputs: [[String: ParameterValue]]

  package init(
    shared: [String: ParameterValue] = [:], inputs: [[String: ParameterValue]] = []
  ) {
    self.shared = shared
    self.inputs = inputs
  }

  package func number(_ name: String) -> Double { Self.number(shared[name]) ?? .nan }
  package func flag(_ name: String) -> Bool { shared[name] == .bool(true) }
  package func choice(_ name: String) -> String { shared[name]?.description ?? "" }

  /// What the recipe says of the tensors that are surveyed together, if the method lets it.
  package var surveyScope: SurveyScope? {
    shared["scope"].flatMap { .init(rawValue: $0.description) }
  }

  package func integer(_ name: String) -> Int {
    if case .int(let value)? = shared[name] { value } else { 0 }
  }

  /// The number that an input has for a parameter; nil if it is optional and was left out.
  package func number(_ name: String, of input: Int) -> Double? {
    Self.number(inputs[input][name])
  }

  private static func number(_ value: ParameterValue?) -> Double? {
    switch value {
    case .double(let value): value
    case .int(let value): Double(value)
    default: nil
    }
  }
}
