// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// What can be said about a merge method without running it: the source of the checks while planning, of
/// `hubmerge methods` and of the documentation.
package struct MethodSpec: Sendable {
  package enum BaseRule: Sendable {
    /// There must be a base model, and it is not one of the models that are merged into it.
    case required
    /// A base model changes what is merged: differences from it.
    case optional
    /// A base model is an input like the others.
    case ordinary
  }

  /// The name in the recipe.
  package let id: String
  package let title: String
  /// What it does, in a few sentences.
  package let summary: String
  package let paper: Paper?
  package let base: BaseRule
  /// How many models it takes, the base not counted where it has a role of its own.
  package let models: ClosedRange<Int>
  package let parameters: [ParameterSpec]
  /// The tensors that are surveyed together unless a parameter `scope` says otherwise.
  package let surveyScope: SurveyScope
  /// Whether the result depends on the seed.
  package let isRandom: Bool
  /// Where results differ from mergekit's, and why; nil if they do not.
  package let differences: String?

  package struct Paper: Sendable {
    package let title: String
    package let url: String
    package init(_ title: String, _ url: String) {
      self.title = title
      self.url = url
    }
  }

  package init(
    id: String, title: String, summary: String, paper: Paper? = nil, base: BaseRule,
    models: ClosedRange<Int> = 1...Int.max, parameters: [ParameterSpec] = [],
    surveyScope: SurveyScope = .tensor, isRandom: Bool = false, differences: String? = nil
  ) {
    self.id = id
    self.title = title
    self.summary = summary
    self.paper = paper
    self.base = base
    self.models = models
    self.parameters = parameters
    self.surveyScope = surveyScope
    self.isRandom = isRandom
    self.differences = differences
  }

  package func parameter(_ name: String) -> ParameterSpec? {
    parameters.first { $0.name == name }
  }
}

/// A parameter of a merge method.
package struct ParameterSpec: Sendable {
  package enum Kind: Hashable, Sendable {
    case number, integer, flag
    /// One of some names; `true` and `false` may be among them.
    case choice([String])
  }

  package enum Scope: Sendable {
    /// One value for the tensor.
    case method
    /// One value for each model, the base excepted.
    case model
  }

  package let name: String
  package let kind: Kind
  package let scope: Scope
  /// The value where the recipe gives none; nil if it must.
  package let defaultValue: ParameterValue?
  /// Whether it may be left out although there is no default.
  package let isOptional: Bool
  package let range: ClosedRange<Double>?
  package let summary: String

  package static func model(
    _ name: String, _ summary: String, _ kind: Kind = .number,
    default value: ParameterValue? = nil, optional: Bool = false,
    in range: ClosedRange<Double>? = nil
  ) -> ParameterSpec {
    ParameterSpec(
      name: name, kind: kind, scope: .model, defaultValue: value, isOptional: optional,
      range: range, summary: summary)
  }

  package static func method(
    _ name: String, _ summary: String, _ kind: Kind = .number,
    default value: ParameterValue? = nil, optional: Bool = false,
    in range: ClosedRange<Double>? = nil
  ) -> ParameterSpec {
    ParameterSpec(
      name: name, kind: kind, scope: .method, defaultValue: value, isOptional: optional,
      range: range, summary: summary)
  }

  package var isRequired: Bool { defaultValue == nil && !isOptional }
}

/// A parameter's value as the recipe has it.
package enum ParameterValue: Hashable, Sendable {
  case bool(Bool)
  case int(Int)
  case double(Double)
  case string(String)
}

extension ParameterValue: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByStringLiteral
{
  package init(floatLiteral value: Double) { self = .double(value) }
  package init(integerLiteral value: Int) { self = .int(value) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(stringLiteral value: String) { self = .string(value) }
}

extension ParameterValue: CustomStringConvertible {
  package var description: String {
    switch self {
    case .bool(let value): String(value)
    case .int(let value): String(value)
    case .double(let value): String(value)
    case .string(let value): value
    }
  }
}

extension ParameterValue {
  /// The value as a parameter of this kind; nil if it cannot be one.
  ///
  /// Texts that spell a number or a truth value count as such: YAML 1.1 reads `1e-5` as a text.
  package func converted(to kind: ParameterSpec.Kind) -> ParameterValue? {
    switch (kind, self) {
    case (.number, .double), (.integer, .int), (.flag, .bool): self
    case (.number, .int(let value)): .double(Double(value))
    case (.number, .bool(let value)): .double(value ? 1 : 0)
    case (.number, .string(let text)): Double(text).map(ParameterValue.double)
    case (.integer, .double(let value)): Int(exactly: value).map(ParameterValue.int)
    case (.integer, .bool(let value)): .int(value ? 1 : 0)
    case (.integer, .string(let text)): Int(text).map(ParameterValue.int)
    case (.flag, .int(let value)): value == 0 ? false : value == 1 ? true : nil
    case (.flag, .double(let value)): value == 0 ? false : value == 1 ? true : nil
    case (.flag, .string(let text)): Self.flag(text)
    case (.choice(let names), .string(let text)):
      names.contains(text) ? self : Self.flag(text).flatMap { $0.converted(to: kind) }
    case (.choice(let names), .bool(let value)):
      names.contains(String(value)) ? .string(String(value)) : nil
    default: nil
    }
  }

  private static func flag(_ text: String) -> ParameterValue? {
    switch text.lowercased() {
    case "true", "yes", "on", "t", "y", "1": true
    case "false", "no", "off", "f", "n", "0": false
    default: nil
    }
  }
}
