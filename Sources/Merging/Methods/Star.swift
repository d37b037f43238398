// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// STAR: averages task vectors without their small singular values.
package struct Star: SpectralMethod {
  package static let spec = MethodSpec(
    id: "star", title: "STAR",
    summary: """
      Keeps of each task vector's matrix as many of the largest singular values as make up the share `eta` of \
      their sum, and scales them up to that sum, so that the nuclear norm stays what it was. The task vectors are \
      then averaged, scaled by `lambda` and added to the base.
      """,
    paper: .init(
      "STAR: Spectral Truncation and Rescale for Model Merging",
      "https://arxiv.org/abs/2502.10339"),
    base: .required,
    parameters: [
      .method(
        "eta", "the share of the sum of the singular values that is kept", default: 0.4, in: 0...1)
    ] + DepthScaling.parameters(),
    differences: MethodSpec.notInMergekit,
    deviations: deviations + "; the authors write `eta` in percent, and have no `lambda`",
    needsWholeMatrices: true)

  package let merge: SpectralMerge
  private let factor: Double
  private let eta: Double

  package init(_ parameters: MethodParameters, _ tensor: MergeTensor) throws(MethodFault) {
    let count = tensor.others.count
    let factor = parameters.scale(tensor) / Double(count)
    self.factor = factor
    eta = parameters.number("eta")
    merge = try SpectralMerge(
      tensor, Offsets(tensor), rest: tensor.coefficients(base: 1) { _ in 0 },
      terms: tensor.taskVectors, average: factor, squareCount: count + 3)
  }

  package func operators<S: Scalar>(_ panels: MatrixPanels<S>) throws(LinearAlgebraError)
    -> [DenseMatrix]
  {
    var operators: [DenseMatrix] = []
    for term in merge.terms {
      let spectrum = try Spectrum(term, panels)
      let total = spectrum.values.reduce(0, +)
      var (sum, count) = (0.0, 0)
      while count < spectrum.rank, count == 0 || sum < eta * total {
        sum += spectrum.values[count]
        count += 1
      }
      operators.append(
        try spectrum.filter(Array(repeating: factor * total / sum, count: count)))
    }
    return operators
  }
}
