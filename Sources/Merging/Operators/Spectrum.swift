// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Weights

/// The singular values of a matrix and the singular vectors of its shorter side: the eigenvectors of its Gram matrix.
///
/// In fp64 the squares that a Gram matrix is made of lose nothing that fp32 weights have: a singular value is right
/// to 10⁻⁸ of the largest.
struct Spectrum {
  /// Descending; those below 2⁻²⁰ of the largest, which is what rounding leaves of a matrix of lower rank, are zero.
  let values: [Double]
  /// In each row a singular vector, the one of the largest value last.
  private let vectors: DenseMatrix

  static let cutoff = 0x1p-20

  /// - Parameter gram: The upper triangle of the Gram matrix; taken over.
  init(gram: DenseMatrix) throws(LinearAlgebraError) {
    let squares = try LinearAlgebra.diagonalize(gram)
    let largest = max(0, squares.last ?? 0).squareRoot()
    values = squares.reversed().map {
      let value = max(0, $0).squareRoot()
      return value > Self.cutoff * largest ? value : 0
    }
    vectors = gram
  }

  init<S: Scalar>(_ coefficients: [Double], _ panels: MatrixPanels<S>) throws(LinearAlgebraError) {
    let gram = try DenseMatrix(rows: panels.order, columns: panels.order)
    let panel = try panels.makePanel()
    for start in panels.starts {
      panels.load(start, coefficients, into: panel)
      LinearAlgebra.addGram(of: panels.view(panel, start), to: gram)
    }
    try self.init(gram: gram)
  }

  /// How many values are not zero.
  var rank: Int { values.firstIndex(of: 0) ?? values.count }

  /// The singular vector of a value, by its place in `values`.
  func vector(_ place: Int) -> UnsafePointer<Double> {
    UnsafePointer(vectors[values.count - 1 - place])
  }

  /// Σ factors[i] · uᵢ uᵢᵀ: the matrix that, multiplied with the original one, has its singular values times the
  /// factors.
  func filter(_ factors: some Collection<Double>) throws(LinearAlgebraError) -> DenseMatrix {
    let order = values.count
    let count = factors.count
    let scaled = try DenseMatrix(rows: count, columns: order)
    // Rows in the order of `vectors`, which ends with the largest value.
    for (place, factor) in factors.enumerated() {
      Double.scale(
        vector(place), by: factor, into: scaled[count - 1 - place], count: order)
    }
    let result = try DenseMatrix(rows: order, columns: order)
    LinearAlgebra.multiply(
      scaled.view.transposed, vectors.view(rows: order - count..<order), into: result.elements,
      stride: order)
    return result
  }
}
