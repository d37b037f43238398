// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// What is remembered of a merge to draw pictures of it: for each tensor where it came from, with which parameters,
/// and how far it moved.
package struct MergeRecord: Hashable, Sendable {
  /// The name of the file that it is kept in, beside the pictures.
  package static let fileName = "record.json"

  package struct Tensor: Hashable, Sendable {
    package let name: TensorName
    package let elementCount: Int
    /// Indices of the models that it is made of.
    package let models: [Int]
    /// Which of them is the base.
    package let base: Int?
    /// The numbers among the method's parameters, and among those of each input.
    package let shared: [String: Double]
    package let inputs: [[String: Double]]
    /// Nil if nobody looked at the numbers.
    package internal(set) var sums: TensorSums?
  }

  package let title: String
  package let method: String
  /// What to call the models.
  package let models: [String]
  package internal(set) var tensors: [Tensor]
}

extension MergeRecord {
  /// The record of a plan, without sums.
  package init(_ plan: MergePlan, title: String) {
    let links = HubLinks(endpoint: HubLinks.publicAddress)
    self.init(
      title: title, method: plan.method.spec.title,
      models: plan.models.map { CardFacts.Model($0, links).displayName },
      tensors: plan.steps.map { step in
        Tensor(
          name: step.output.name, elementCount: step.output.elementCount,
          models: step.inputs.map(\.model), base: plan.base(of: step),
          shared: Self.numbers(step.parameters.shared),
          inputs: step.parameters.inputs.map(Self.numbers), sums: nil)
      })
  }

  private static func numbers(_ parameters: [String: ParameterValue]) -> [String: Double] {
    parameters.compactMapValues { value in
      switch value {
      case .double(let number): number
      case .int(let number): Double(number)
      case .bool, .string: nil
      }
    }
  }
}

extension MergePlan {
  /// Which input of a step is the base; nil if none is, or nothing but it.
  func base(of step: Step) -> Int? {
    guard step.inputs.count > 1 else { return nil }
    return step.inputs.firstIndex { models[$0.model].isBase }
  }
}
