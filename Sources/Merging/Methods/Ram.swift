// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// RAM: averages task vectors where they overlap and keeps them whole where they do not.
package struct Ram: MergeMethod {
  package static let spec = MethodSpec(
    id: "ram", title: "RAM",
    summary: """
      An element of a task vector is active if it is larger than `epsilon`. Where one model alone is active \
      its change is added to the base in full, where several are the mean of theirs. Made for models that \
      were trained by reinforcement learning, whose changes are sparse.
      """,
    paper: .init(
      "Behavior Knowledge Merge in Reinforced Agentic Models", "https://arxiv.org/abs/2601.13572"),
    base: .required,
    parameters: [.method("epsilon", "the magnitude above which a change counts", default: 1e-5)],
    differences:
      "the result has the dtype that the recipe names, where mergekit's is always float32")

  private let offsets: Offsets
  private let epsilon: Double

  package init(_ parameters: MethodParameters, _ tensor: MergeTensor) throws(MethodFault) {
    offsets = Offsets(tensor)
    epsilon = parameters.number("epsilon")
  }

  package var scratchCount: Int { offsets.scratchCount }

  package func blend<S: Scalar>(_ block: Block<S>) {
    offsets.combineActive(block, Array(repeating: 1, count: offsets.count), epsilon)
  }
}

extension Offsets {
  /// Writes the base plus the vectors' active elements: the mean of several, a single one times its factor.
  func combineActive<S: Scalar>(_ block: Block<S>, _ factors: [Double], _ epsilon: Double) {
    load(block) { vectors in
      withUnsafeTemporaryAllocation(of: S.self, capacity: count) { numbers in
        for index in 0..<count { numbers[index] = S(factors[index]) }
        guard let start = numbers.baseAddress else { return }
        S.combineActive(
          vectors, factors: start, vectorCount: count, epsilon: S(epsilon), into: block.output,
          count: block.count)
      }
    }
    addBase(block)
  }
}
