// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// RAM+ (tensor level): RAM with changes of one model alone amplified.
package struct RamplusTl: MergeMethod {
  package static let spec = MethodSpec(
    id: "ramplus_tl", title: "RAM+",
    summary: """
      As `ram`, but changes that one model alone makes are amplified, since averaging weakens those that it \
      shares with others: by 1 + `r` · (shared ÷ unique), where the ratio of the counts of a model's shared \
      and unique changes in the tensor is limited to `alpha`.
      """,
    paper: Ram.spec.paper,
    base: .required,
    parameters: [
      .method("epsilon", "the magnitude above which a change counts", default: 1e-5),
      .method("r", "how strongly unique changes are amplified", default: 0.1),
      .method("alpha", "the most that the ratio of shared to unique changes counts", default: 0.2),
    ],
    differences: Ram.spec.differences)

  private let offsets: Offsets
  private let epsilon: Double
  private let r: Double
  private let alpha: Double
  private var factors: [Double]?

  package init(_ parameters: MethodParameters, _ tensor: MergeTensor) throws(MethodFault) {
    offsets = Offsets(tensor)
    epsilon = parameters.number("epsilon")
    r = parameters.number("r")
    alpha = parameters.number("alpha")
  }

  package var scratchCount: Int { offsets.scratchCount }

  package func survey() -> ActivityCounts? {
    factors == nil ? ActivityCounts(offsets, epsilon: epsilon) : nil
  }

  package mutating func learn(_ statistics: ActivityCounts) {
    factors = zip(statistics.alone, statistics.shared).map { alone, shared in
      let ratio = shared == 0 ? 0 : Double(shared) / max(Double(alone), epsilon)
      return 1 + r * max(0, min(ratio, alpha))
    }
  }

  package func blend<S: Scalar>(_ block: Block<S>) {
    offsets.combineActive(block, factors ?? [], epsilon)
  }
}

/// For each model, how many elements it changes alone, and how many others change too.
package struct ActivityCounts: Survey {
  private let offsets: Offsets
  private let epsilon: Double
  private(set) var alone: [Int]
  private(set) var shared: [Int]

  init(_ offsets: Offsets, epsilon: Double) {
    self.offsets = offsets
    self.epsilon = epsilon
    alone = [Int](repeating: 0, count: offsets.count)
    shared = alone
  }

  package var isOrderFree: Bool { true }

  package mutating func observe<S: Scalar>(_ block: Block<S>) {
    offsets.load(block) { vectors in
      alone.withUnsafeMutableBufferPointer { alone in
        shared.withUnsafeMutableBufferPointer { shared in
          guard let one = alone.baseAddress, let several = shared.baseAddress else { return }
          S.countActive(
            vectors, vectorCount: alone.count, epsilon: S(epsilon), alone: one, shared: several,
            count: block.count)
        }
      }
    }
  }

  package mutating func append(_ next: ActivityCounts) {
    for index in alone.indices {
      alone[index] += next.alone[index]
      shared[index] += next.shared[index]
    }
  }
}
