// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// Iso-C: gives the sum of the task vectors a flat spectrum.
package struct IsoC: SpectralMethod {
  package static let spec = MethodSpec(
    id: "iso_c", title: "Iso-C",
    summary: """
      Adds up the task vectors of each matrix and makes all singular values of the sum equal to their mean, so \
      that directions which few tasks use count as much as those that all share. The result is scaled by `lambda` \
      and added to the base.
      """,
    paper: .init(
      "No Task Left Behind: Isotropic Model Merging with Common and Task-Specific Subspaces",
      "https://arxiv.org/abs/2502.04959"),
    base: .required, parameters: DepthScaling.parameters(),
    differences: MethodSpec.notInMergekit,
    deviations: deviations + """
      ; the mean is taken over the values that are not zero, where the paper also raises the arbitrary directions \
      that a sum of low rank leaves undetermined
      """,
    needsWholeMatrices: true)

  package let merge: SpectralMerge
  private let lambda: Double

  package init(_ parameters: MethodParameters, _ tensor: MergeTensor) throws(MethodFault) {
    let lambda = parameters.scale(tensor)
    self.lambda = lambda
    let count = Double(tensor.others.count)
    merge = try SpectralMerge(
      tensor, Offsets(tensor), rest: tensor.coefficients(base: 1) { _ in 0 },
      terms: [tensor.coefficients(base: -count) { _ in 1 }], average: lambda / count,
      squareCount: 4)
  }

  package func operators<S: Scalar>(_ panels: MatrixPanels<S>) throws(LinearAlgebraError)
    -> [DenseMatrix]
  {
    let spectrum = try Spectrum(merge.terms[0], panels)
    let values = spectrum.values.prefix(spectrum.rank)
    let mean = values.reduce(0, +) / Double(max(1, values.count))
    return [try spectrum.filter(values.map { lambda * mean / $0 })]
  }
}
