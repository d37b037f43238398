// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Documents
package import SystemPackage
package import Weights

/// Everything that a merge will do, known from headers alone: a value to print, to compare and to run.
package struct MergePlan: Sendable {
  /// A model that takes part.
  package struct Model: Sendable {
    package internal(set) var source: SourceModel
    /// Whether it is the base, or one of the bases.
    package let isBase: Bool

    package var name: String { source.reference.description }
    package var checkpoint: Checkpoint { source.checkpoint }
  }

  /// A tensor that is read.
  package struct Input: Hashable, Sendable {
    /// Index of the model in the plan.
    package let model: Int
    package let tensor: StoredTensor
    /// What the model's adapter does to it.
    package let update: TensorUpdate?
    /// What rows are read instead of its own; nil for all of its own in their order.
    package let view: RowView?

    package init(
      model: Int, tensor: StoredTensor, update: TensorUpdate? = nil, view: RowView? = nil
    ) {
      self.model = model
      self.tensor = tensor
      self.update = update
      self.view = view
    }

    /// The shape as it is read.
    package var shape: [Int] {
      view.map { [$0.map.count] + tensor.info.shape.dropFirst() } ?? tensor.info.shape
    }

    /// Whether its values are its stored bytes.
    var isPlain: Bool { update == nil && view == nil }

    /// Everything that is read for it, with the models.
    var reads: [(model: Int, tensor: StoredTensor)] {
      sources.map { (model, $0) } + (view?.sources ?? []).flatMap(\.reads)
    }

    /// Everything that is read for it.
    package var sources: [StoredTensor] { [tensor] + (update?.sources ?? []) }
  }

  /// Rows of several models' tensors as one tensor.
  package struct RowView: Hashable, Sendable {
    package let map: RowMap
    /// The tensors of all models that rows come from, none of them with a view.
    package let sources: [Input]
  }

  package enum Action: Sendable {
    case merge(any MergeMethod)
    /// The bytes of one input, as they are.
    case copy(input: Int)
  }

  /// The making of one output tensor.
  package struct Step: Sendable {
    package let output: TensorInfo
    package let inputs: [Input]
    package let action: Action
    /// The dtype that the recipe computes in; inputs that hold more are rounded to it.
    package let computing: DType
    /// The method's parameters as resolved for this tensor.
    package let parameters: MethodParameters
    /// Number of the tensors that are surveyed together with this one; nil if it is surveyed by itself.
    package private(set) var group: Int?

    package init(
      output: TensorInfo, inputs: [Input], action: Action, computing: DType,
      parameters: MethodParameters
    ) {
      self.output = output
      self.inputs = inputs
      self.action = action
      self.computing = computing
      self.parameters = parameters
    }

    /// The same step with another action, or for tensors that are surveyed together.
    func replacing(_ action: Action, group: Int?) -> Step {
      var step = Step(
        output: output, inputs: inputs, action: action, computing: computing,
        parameters: parameters)
      step.group = group
      return step
    }
  }

  /// A file that is taken over from a model.
  package struct CopiedFile: Hashable, Sendable {
    package let source: FilePath
    package let name: String
  }

  /// A file that is written as the plan has it.
  package struct WrittenFile: Hashable, Sendable {
    package let name: String
    package let bytes: [UInt8]
  }

  /// Where the layers of a stacked model come from, a run of layers each.
  package struct LayerRun: Hashable, Sendable {
    package let output: Range<Int>
    /// Model and first layer of each source.
    package let sources: [Source]

    package struct Source: Hashable, Sendable {
      package let model: Int
      package let layers: Range<Int>
    }
  }

  package let recipe: Recipe
  package let method: any MergeMethod.Type
  package internal(set) var models: [Model]
  /// The model whose configuration, tokenizer and other files the output takes.
  package let donor: Int
  package let steps: [Step]
  /// Place of each step's tensor, in the order of `steps`.
  package let layout: ShardLayout
  /// config.json of the output; nil if the donor has none.
  package let config: JSONDocument?
  package let files: [CopiedFile]
  /// Tokenizer files that no model has like this.
  package let writtenFiles: [WrittenFile]
  /// What becomes of the tokens; nil if rows are merged one by one as they are.
  package let vocabulary: VocabularyReport?
  /// Empty unless layers were stacked.
  package let layers: [LayerRun]
  /// The inputs' tensors that are not read, each with the reason.
  package let unused: [UnusedTensor]
  package let seed: UInt64
  /// What the user should know before the merge runs.
  package let warnings: [Diagnostic]
  /// Merges whose results this one reads, in the order in which they have to be made.
  package internal(set) var stages: [Stage] = []

  /// A merge that is made first, and whose result is removed when it has been used.
  package struct Stage: Sendable {
    /// The name by which later recipes use the result.
    package let name: String
    package internal(set) var plan: MergePlan
  }

  package var parameterCount: Int { steps.reduce(0) { $0 + $1.output.elementCount } }

  /// Bytes that will be read from all inputs, each counted once.
  package var inputBytes: Int {
    Set(steps.flatMap(\.inputs)).reduce(0) { total, input in
      input.sources.reduce(total) { $0 + $1.info.byteCount }
    }
  }
}
