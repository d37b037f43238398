// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Weights

/// The tensors over which a method's surveys gather their statistics.
package enum SurveyScope: String, CaseIterable, Sendable {
  /// Each tensor by itself.
  case tensor
  /// All tensors of a layer; those of no layer by themselves.
  case layer
  /// All tensors.
  case model
}

/// The place of a tensor among those that are surveyed together.
package struct SurveyGroup: Hashable, Sendable {
  /// Number of the group in the plan.
  package let number: Int
  /// Elements of all its tensors.
  package let elementCount: Int
  /// Blocks of the tensors before this one, in the order of the plan.
  package let firstBlock: Int

  package init(number: Int, elementCount: Int, firstBlock: Int) {
    self.number = number
    self.elementCount = elementCount
    self.firstBlock = firstBlock
  }
}

extension Planner {
  /// What tensors have in common that are surveyed together.
  private struct Key: Hashable {
    let layer: LayeredName?
    let parameters: MethodParameters
    let models: [String]
    let base: Int?
    let isDouble: Bool
  }

  /// Prepares the methods of tensors that are surveyed together once more, now that it is known which these are.
  ///
  /// - Parameter tensors: What the methods of such steps were prepared for.
  mutating func groupSurveys(
    _ steps: inout [MergePlan.Step], _ tensors: [TensorName: (MergeTensor, SurveyScope)]
  ) {
    guard !tensors.isEmpty else { return }
    var groups: [Key: [Int]] = [:]
    var order: [Key] = []
    for (index, step) in steps.enumerated() {
      guard let (tensor, scope) = tensors[step.output.name] else { continue }
      let layer = LayeredName(step.output.name).map {
        LayeredName(LayeredName.name(stack: $0.stack, layer: $0.layer, suffix: ""))
      }
      if scope == .layer, layer == nil { continue }
      let key = Key(
        layer: scope == .layer ? layer ?? nil : nil, parameters: step.parameters,
        models: tensor.models, base: tensor.base, isDouble: tensor.isDouble)
      if groups[key] == nil { order.append(key) }
      groups[key, default: []].append(index)
    }
    for (number, key) in order.enumerated() {
      let members = groups[key] ?? []
      let count = members.reduce(0) { $0 + steps[$1].output.elementCount }
      var firstBlock = 0
      for index in members {
        guard case .merge(let method) = steps[index].action,
          var tensor = tensors[steps[index].output.name]?.0
        else { continue }
        tensor.group = SurveyGroup(number: number, elementCount: count, firstBlock: firstBlock)
        firstBlock += (steps[index].output.elementCount + blockCapacity - 1) / blockCapacity
        do throws(MethodFault) {
          let method = try type(of: method).init(steps[index].parameters, tensor)
          steps[index] = steps[index].replacing(.merge(method), group: number)
        } catch {
          findings.error(error.message, at: recipe.methodNode)
        }
      }
    }
  }
}
