// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// Model Stock: moves from the base towards the mean of its fine-tunes as far as they agree.
package struct ModelStock: MergeMethod {
  package static let spec = MethodSpec(
    id: "model_stock", title: "Model Stock",
    summary: """
      Moves from the base towards the average of models that were fine-tuned from it, the further the more \
      their task vectors point the same way: the mean of the cosines between them decides. Each tensor is \
      one vector, or with `filter_wise` each row of it.
      """,
    paper: .init(
      "Model Stock: All we need is just a few fine-tuned models",
      "https://arxiv.org/abs/2403.19522"),
    base: .required, models: 2...Int.max,
    parameters: [
      .method(
        "filter_wise", "take each row of a tensor as a vector of its own", .flag, default: false),
      .method(
        "floor",
        "the least that a product of two task vectors' lengths counts in their cosine; mergekit's value "
          + "gives tensors of small changes back to the base, 0 treats all scales alike",
        default: 1e-6, in: 0...1),
    ],
    differences: "the floor of the lengths is a parameter",
    deviations: """
      as in mergekit, the angle is the mean of those of all pairs, of the whole tensor unless `filter_wise`
      """)

  private let offsets: Offsets
  private let isFilterWise: Bool
  private let floor: Double
  private var share: Double?

  package init(_ parameters: MethodParameters, _ tensor: MergeTensor) throws(MethodFault) {
    offsets = Offsets(tensor)
    guard offsets.count > 1, offsets.base != nil else {
      throw MethodFault("model_stock needs a base and two models")
    }
    isFilterWise = parameters.flag("filter_wise")
    floor = parameters.number("floor")
  }

  package var granularity: Granularity { isFilterWise ? .rows : .elements }
  package var scratchCount: Int { offsets.scratchCount }

  package func survey() -> DotProducts? {
    isFilterWise || share != nil ? nil : DotProducts(offsets)
  }

  package mutating func learn(_ statistics: DotProducts) { share = share(statistics) }

  /// How far to move from the base to the mean of the models.
  private func share(_ dots: DotProducts) -> Double {
    let count = offsets.count
    var sum = 0.0
    for first in 0..<count {
      for second in first + 1..<count { sum += dots.cosine(first, second, floor: floor) }
    }
    let cosine = sum / Double(count * (count - 1) / 2)
    let divisor = 1 + Double(count - 1) * cosine
    return divisor < 1e-6 ? 0 : Double(count) * cosine / divisor
  }

  package func blend<S: Scalar>(_ block: Block<S>) {
    guard isFilterWise else { return combine(block, share ?? 1) }
    block.forEachRow { row in
      var dots = DotProducts(offsets)
      dots.observe(row)
      combine(row, share(dots))
    }
  }

  private func combine<S: Scalar>(_ block: Block<S>, _ share: Double) {
    let count = offsets.count
    offsets.combine(block, Array(repeating: share / Double(count), count: count))
  }
}
