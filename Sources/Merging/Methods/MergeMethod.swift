// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// How the tensors of several models become one.
///
/// A method sees blocks of numbers, never a file: the engine reads, converts, spreads the work over threads and
/// writes. First come as many *surveys* as the method asks for, each a pass over all blocks that gathers
/// statistics; then the *blend*, one pass that turns the block of every input into a block of the output.
///
/// Surveys may be about several tensors (`SurveyScope`): then all their methods learn the same.
///
/// A value is made for each tensor while the merge is planned, so that a wrong parameter is found before a
/// weight is read. Results do not depend on the number of threads: blocks are cut at the same places always
/// and statistics are put together in the order of the blocks.
package protocol MergeMethod: Sendable {
  associatedtype Statistics: Survey = NoSurvey

  static var spec: MethodSpec { get }

  init(_ parameters: MethodParameters, _ tensor: MergeTensor) throws(MethodFault)

  /// What a block is made of.
  var granularity: Granularity { get }

  /// How many blocks of working memory `observe` and `blend` need.
  var scratchCount: Int { get }

  /// The input of which the output is an unchanged copy, if it is.
  var copiedInput: Int? { get }

  /// The statistics to gather in the next pass, empty; nil when the method is ready to blend.
  func survey() -> Statistics?

  /// Takes in what a pass has found.
  mutating func learn(_ statistics: Statistics)

  /// Bytes that `blend` allocates for the time of a call, beside the blocks.
  var workspaceSize: Int { get }

  /// Fills `block.output` from `block`'s inputs.
  func blend<S: Scalar>(_ block: Block<S>) throws(LinearAlgebraError)
}

extension MergeMethod {
  package var granularity: Granularity { .elements }
  package var scratchCount: Int { 0 }
  package var copiedInput: Int? { nil }
  package var workspaceSize: Int { 0 }
}

extension MergeMethod where Statistics == NoSurvey {
  package func survey() -> NoSurvey? { nil }
  package mutating func learn(_ statistics: NoSurvey) {}
}

/// The pieces in which a tensor is shown to a method.
package enum Granularity: Sendable {
  /// Runs of up to `Block.capacity` elements, whatever the shape.
  case elements
  /// Whole rows (runs along the last axis), several to a block if they are short.
  case rows
  /// A whole matrix, or one after the other where the tensor is a pile of them: the last two axes.
  case matrices
  /// The whole tensor at once.
  case tensor
}

/// Statistics of a tensor in the making.
package protocol Survey: Sendable {
  /// Adds a block; blocks of a chunk come in order.
  mutating func observe<S: Scalar>(_ block: Block<S>)

  /// Adds what was seen in the chunk after this one.
  mutating func append(_ next: Self)

  /// Whether `append` gives the same in any order, as it does for counts; then one value serves many chunks.
  var isOrderFree: Bool { get }

  /// Which elements are shown to it; nil for all. Not for methods of granularity `.tensor`.
  var sample: BlockSample? { get }
}

extension Survey {
  package var isOrderFree: Bool { false }
  package var sample: BlockSample? { nil }
}

/// A sample of a tensor's elements: short runs of them, one in each stretch of a certain length, at a place that
/// only the number of the stretch decides.
package struct BlockSample: Hashable, Sendable {
  /// Elements in a run: few enough for many places, enough for reading them to be worth it.
  package let unit = 128
  /// Elements in a stretch.
  package let stretch: Int

  /// A sample of about 512 runs, or a sixteenth of all.
  package init(of total: Int) { stretch = max(16 * unit, total / 512) }

  /// How many runs a tensor gives.
  package func runCount(of elementCount: Int) -> Int { elementCount / stretch }

  /// The elements of a run.
  package func run(_ index: Int) -> Range<Int> {
    let mixed = UInt64(truncatingIfNeeded: index) &* 0x9e37_79b9_7f4a_7c15
    let start = index * stretch + Int((mixed >> 32) % UInt64(stretch - unit + 1))
    return start..<start + unit
  }
}

/// The statistics of a method that needs none.
package struct NoSurvey: Survey {
  package mutating func observe<S: Scalar>(_ block: Block<S>) {}
  package mutating func append(_ next: NoSurvey) {}
}

/// The tensor that a method is prepared for.
package struct MergeTensor: Sendable {
  package let name: TensorName
  package let shape: [Int]
  /// The inputs, in the recipe's order, by their model's name.
  package let models: [String]
  /// Which input is the base; nil for methods without one.
  package let base: Int?
  package let seed: UInt64
  /// Whether the merge is computed in fp64, because an input is stored so, instead of fp32.
  package let isDouble: Bool
  /// The place of its layer among all layers of the output: 0 for the first, 1 for the last; 0 if it has none.
  package let depth: Double
  /// The tensors that are surveyed together with this one; nil if it is surveyed by itself.
  package var group: SurveyGroup?

  package init(
    name: TensorName, shape: [Int], models: [String], base: Int? = nil, seed: UInt64 = 0,
    isDouble: Bool = false, depth: Double = 0
  ) {
    self.name = name
    self.shape = shape
    self.models = models
    self.base = base
    self.seed = seed
    self.isDouble = isDouble
    self.depth = depth
  }

  package var elementCount: Int { shape.reduce(1, *) }

  /// How many elements the statistics of surveys are about.
  package var surveyedCount: Int { group?.elementCount ?? elementCount }

  /// How many digits of 16 bits the magnitudes have that are computed with.
  package var magnitudeDigits: Int { isDouble ? 4 : 2 }

  /// The inputs other than the base.
  package var others: [Int] { models.indices.filter { $0 != base } }
}

/// Why a method cannot be used with the values it was given.
package struct MethodFault: Error, Hashable {
  /// The parameter at fault; nil if it is the inputs.
  package let parameter: String?
  /// The input whose parameter it is; nil for a parameter of the method.
  package let input: Int?
  package let message: String

  package init(_ message: String, parameter: String? = nil, input: Int? = nil) {
    self.message = message
    self.parameter = parameter
    self.input = input
  }
}
