// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Documents
package import SystemPackage
package import Weights

/// Everything that a merge will do, known from headers alone: a value to print, to compare and to run.
package struct MergePlan: Sendable {
  /// A model that takes part.
  package struct Model: Sendable {
    package let source: SourceModel
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
  }

  /// A file that is taken over from a model.
  package struct CopiedFile: Hashable, Sendable {
    package let source: FilePath
    package let name: String
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
  package let models: [Model]
  /// The model whose configuration, tokenizer and other files the output takes.
  package let donor: Int
  package let steps: [Step]
  /// Place of each step's tensor, in the order of `steps`.
  package let layout: ShardLayout
  /// config.json of the output; nil if the donor has none.
  package let config: JSONDocument?
  package let files: [CopiedFile]
  /// Empty unless layers were stacked.
  package let layers: [LayerRun]
  package let seed: UInt64
  /// What the user should know before the merge runs.
  package let warnings: [Diagnostic]

  package var parameterCount: Int { steps.reduce(0) { $0 + $1.output.elementCount } }

  /// Bytes that will be read from all inputs, each counted once.
  package var inputBytes: Int {
    Set(steps.flatMap(\.inputs)).reduce(0) { $0 + $1.tensor.range.count }
  }
}
