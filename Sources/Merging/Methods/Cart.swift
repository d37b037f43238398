// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// CART: adds to the average of the models what is most their own.
package struct Cart: SpectralMethod {
  package static let spec = MethodSpec(
    id: "cart", title: "CART",
    summary: """
      Takes the average of the models as the base, keeps of each model's difference from it the share `rank` of \
      the singular directions, the strongest, and adds them all, scaled by `lambda`, to the average. It takes three \
      models at least: with two, the differences are each other's opposite and cancel.
      """,
    paper: .init(
      "Revisiting Weight Averaging for Model Merging", "https://arxiv.org/abs/2412.12153"),
    base: .ordinary, models: 3...Int.max,
    parameters: [
      .method(
        "rank", "the share of the singular directions that is kept, at least one unless 0",
        default: 0.08, in: 0...1)
    ] + DepthScaling.parameters("factor of what is added to the average"),
    differences: MethodSpec.notInMergekit,
    deviations: deviations + "; the authors choose `lambda` with validation data",
    needsWholeMatrices: true)

  package let merge: SpectralMerge
  private let factor: Double
  private let rank: Double

  package init(_ parameters: MethodParameters, _ tensor: MergeTensor) throws(MethodFault) {
    let lambda = parameters.scale(tensor)
    rank = parameters.number("rank")
    let count = tensor.models.count
    let share = 1 / Double(count)
    // Differences are taken `count` times: in whole coefficients those of equal models are zero.
    factor = lambda * share
    merge = try SpectralMerge(
      tensor, Offsets(Array(tensor.models.indices)), rest: Array(repeating: share, count: count),
      terms: tensor.models.indices.map { model in
        tensor.models.indices.map { $0 == model ? Double(count) - 1 : -1 }
      }, average: share, squareCount: count + 3)
  }

  package func operators<S: Scalar>(_ panels: MatrixPanels<S>) throws(LinearAlgebraError)
    -> [DenseMatrix]
  {
    let kept = rank > 0 ? max(1, Int(rank * Double(panels.order))) : 0
    var operators: [DenseMatrix] = []
    for term in merge.terms {
      let spectrum = try Spectrum(term, panels)
      operators.append(
        try spectrum.filter(Array(repeating: factor, count: min(kept, spectrum.rank))))
    }
    return operators
  }
}
