// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The values that a method's parameters have had, over all tensors of a merge: defaults filled in, gradients
/// followed, filters applied.
package struct ResolvedParameters: Sendable {
  /// Those of the method, in the order of its specification.
  package let shared: [(name: String, value: String)]
  /// Those of each model of the plan.
  package let models: [[(name: String, value: String)]]

  package init(_ plan: MergePlan) {
    var shared: [String: Values] = [:]
    var models = [[String: Values]](repeating: [:], count: plan.models.count)
    for step in plan.steps {
      for (name, value) in step.parameters.shared { shared[name, default: Values()].add(value) }
      for (input, values) in zip(step.inputs, step.parameters.inputs) {
        for (name, value) in values { models[input.model][name, default: Values()].add(value) }
      }
    }
    func listed(_ found: [String: Values]) -> [(name: String, value: String)] {
      plan.method.spec.parameters.compactMap { spec in found[spec.name].map { (spec.name, $0.text) }
      }
    }
    self.shared = listed(shared)
    self.models = models.map(listed)
  }

  /// The values of one parameter.
  private struct Values {
    private var numbers: ClosedRange<Double>?
    /// In the order of appearance; a few are enough to show that there are many.
    private var others: [String] = []

    mutating func add(_ value: ParameterValue) {
      if case .bool = value {
      } else if case .double(let number)? = value.converted(to: .number) {
        numbers =
          min(numbers?.lowerBound ?? number, number)...max(numbers?.upperBound ?? number, number)
        return
      }
      let text = value.description
      if others.count < 4, !others.contains(text) { others.append(text) }
    }

    var text: String {
      var texts = others
      if let numbers {
        let (low, high) = (numbers.lowerBound.shortText, numbers.upperBound.shortText)
        texts.append(low == high ? low : "\(low) to \(high)")
      }
      return texts.joined(separator: ", ")
    }
  }
}

extension Double {
  /// Six digits behind the point at most, none that say nothing.
  package var shortText: String {
    guard abs(self) < 1e9, abs(self) >= 1e-6 || self == 0 else { return description }
    let rounded = (self * 1e6).rounded() / 1e6
    return rounded == rounded.rounded() ? String(Int(rounded)) : rounded.description
  }
}
