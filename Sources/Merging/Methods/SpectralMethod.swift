// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// A merge method that works on the singular values of whole matrices.
///
/// Its result is Σ cᵢ xᵢ + Σ Mⱼ Aⱼ: some of the inputs xᵢ, and matrices Aⱼ made of them, each multiplied along its
/// shorter side with a square matrix Mⱼ that the method finds. Tensors that are no matrices are averaged.
package protocol SpectralMethod: MergeMethod where Statistics == NoSurvey {
  var merge: SpectralMerge { get }

  /// The matrices Mⱼ, one for each of `merge.terms`.
  func operators<S: Scalar>(_ panels: MatrixPanels<S>) throws(LinearAlgebraError) -> [DenseMatrix]
}

/// What a spectral method does with one tensor.
package struct SpectralMerge: Sendable {
  /// The length of the matrices' rows and of their shorter side; nil if the tensor is averaged.
  private let matrix: (columns: Int, order: Int)?
  private let vectors: Offsets
  /// The coefficients cᵢ of the inputs.
  private let rest: [Double]
  /// For each matrix Aⱼ the coefficients that it has of the inputs.
  let terms: [[Double]]
  private let average: [Double]
  /// How many squares of the shorter side are in memory at once at most.
  private let squareCount: Int

  /// - Parameter average: What the vectors count where the tensor is no matrix.
  init(
    _ tensor: MergeTensor, _ vectors: Offsets, rest: [Double], terms: [[Double]], average: Double,
    squareCount: Int
  ) throws(MethodFault) {
    self.vectors = vectors
    self.rest = rest
    self.terms = terms
    self.squareCount = squareCount
    self.average = Array(repeating: average, count: vectors.count)
    matrix =
      Self.isMatrix(tensor) ? (tensor.shape.last ?? 0, tensor.shape.suffix(2).min() ?? 0) : nil
    if let matrix, matrix.order > LinearAlgebra.maximumOrder {
      throw MethodFault(
        "\(tensor.name) is too large a matrix: its shorter side has \(matrix.order) elements, more than "
          + "\(LinearAlgebra.maximumOrder)")
    }
  }

  /// Matrices, and the experts of a layer as so many matrices; not those whose rows belong to tokens.
  private static func isMatrix(_ tensor: MergeTensor) -> Bool {
    switch tensor.shape.count {
    case 2: !tensor.name.isVocabularyIndexed
    case 3: tensor.name.text.contains("experts.")
    default: false
    }
  }

  var granularity: Granularity { matrix == nil ? .elements : .matrices }
  var scratchCount: Int { matrix == nil ? vectors.scratchCount : 0 }

  var workspaceSize: Int {
    guard let matrix else { return 0 }
    return 8 * matrix.order * (squareCount * matrix.order + 2 * MatrixPanels<Float>.width)
  }

  /// Fills the output of a block that is a matrix, or of any other.
  func blend<S: Scalar>(
    _ block: Block<S>,
    _ operators: (MatrixPanels<S>) throws(LinearAlgebraError) -> [DenseMatrix]
  ) throws(LinearAlgebraError) {
    guard let matrix else {
      vectors.combine(block, average)
      return
    }
    let panels = MatrixPanels(block, columns: matrix.columns)
    let operators = try operators(panels)
    let (sum, factor) = (try panels.makePanel(), try panels.makePanel())
    for start in panels.starts {
      panels.load(start, rest, into: sum)
      for (term, square) in zip(terms, operators) {
        panels.load(start, term, into: factor)
        panels.add(square, times: factor, to: sum, start)
      }
      panels.store(sum, start)
    }
  }
}

extension SpectralMethod {
  package var granularity: Granularity { merge.granularity }
  package var scratchCount: Int { merge.scratchCount }
  package var workspaceSize: Int { merge.workspaceSize }

  package func blend<S: Scalar>(_ block: Block<S>) throws(LinearAlgebraError) {
    try merge.blend(block) { panels throws(LinearAlgebraError) in try operators(panels) }
  }

  /// What all spectral methods do otherwise than their papers.
  static var deviations: String {
    """
    as in the authors' code only matrices are taken apart and all else is \
    averaged, and so are here embeddings and output heads, whose rows are single tokens; each expert of a fused \
    tensor is a matrix of its own; singular values below 2⁻²⁰ of the largest count as zero; computed in fp64 \
    through Gram matrices, with last digits that may differ between kinds of processors
    """
  }
}

extension MergeTensor {
  /// Coefficients of the inputs.
  func coefficients(base: Double = 0, _ others: (Int) -> Double) -> [Double] {
    models.indices.map { $0 == self.base ? base : others($0) }
  }

  /// For each task vector its coefficients of the inputs.
  var taskVectors: [[Double]] {
    others.map { other in coefficients(base: -1) { $0 == other ? 1 : 0 } }
  }
}
