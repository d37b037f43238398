// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// TSV-M: gives each task its own singular directions, made orthogonal to those of the others.
package struct TsvM: SpectralMethod {
  package static let spec = MethodSpec(
    id: "tsv_m", title: "TSV-Merge",
    summary: """
      Keeps of each task vector's matrix its strongest singular directions, as many as fit if every task gets the \
      same number, and puts those of all tasks side by side. The directions are then turned as little as needed \
      to be orthogonal to each other, so that tasks do not interfere. The sum, scaled by `lambda`, is added to \
      the base.
      """,
    paper: .init(
      "Task Singular Vectors: Reducing Task Interference in Model Merging",
      "https://arxiv.org/abs/2412.00081"),
    base: .required, parameters: DepthScaling.parameters(),
    differences: MethodSpec.notInMergekit,
    deviations: deviations + """
      ; directions that two tasks share exactly are shared by them, where the paper's decomposition completes \
      them by arbitrary ones; a task has at least one direction
      """,
    needsWholeMatrices: true)

  package let merge: SpectralMerge
  private let lambda: Double

  package init(_ parameters: MethodParameters, _ tensor: MergeTensor) throws(MethodFault) {
    let lambda = parameters.scale(tensor)
    self.lambda = lambda
    let count = tensor.others.count
    merge = try SpectralMerge(
      tensor, Offsets(tensor), rest: tensor.coefficients(base: 1) { _ in 0 },
      terms: tensor.taskVectors, average: lambda / Double(count), squareCount: count + 8)
  }

  package func operators<S: Scalar>(_ panels: MatrixPanels<S>) throws(LinearAlgebraError)
    -> [DenseMatrix]
  {
    let order = panels.order
    let share = max(1, order / merge.terms.count)
    // Uᵀ and Σ⁻¹Uᵀ of all tasks below each other: the latter times the task's matrix is its Vᵀ.
    let left = try DenseMatrix(rows: share * merge.terms.count, columns: order)
    let inverse = try DenseMatrix(rows: left.rowCount, columns: order)
    var values: [Double] = []
    var rows: [Range<Int>] = []
    for term in merge.terms {
      let spectrum = try Spectrum(term, panels)
      let first = values.count
      for place in 0..<min(share, spectrum.rank) {
        let value = spectrum.values[place]
        Double.scale(spectrum.vector(place), by: 1, into: left[values.count], count: order)
        Double.scale(
          spectrum.vector(place), by: 1 / value, into: inverse[values.count], count: order)
        values.append(value)
      }
      rows.append(first..<values.count)
    }
    let count = values.count
    let middle = try middle(left.view(rows: 0..<count), inverse, values, rows, panels)
    // U · middle: what the rows of Σ⁻¹Uᵀ are multiplied with.
    let right = try DenseMatrix(rows: order, columns: max(1, count))
    LinearAlgebra.multiply(
      left.view(rows: 0..<count).transposed, middle.view, by: lambda, into: right.elements,
      stride: right.columnCount)
    var operators: [DenseMatrix] = []
    for rows in rows {
      let result = try DenseMatrix(rows: order, columns: order)
      let factor = MatrixView(
        elements: right.elements + rows.lowerBound, rowCount: order, columnCount: rows.count,
        stride: right.columnCount)
      LinearAlgebra.multiply(factor, inverse.view(rows: rows), into: result.elements, stride: order)
      operators.append(result)
    }
    return operators
  }

  /// (UᵀU)^-½ · Σ · (VᵀV)^-½ of the directions of all tasks: with U on its left and Vᵀ on its right, both sides
  /// are made orthogonal.
  private func middle<S: Scalar>(
    _ left: MatrixView, _ inverse: DenseMatrix, _ values: [Double], _ rows: [Range<Int>],
    _ panels: MatrixPanels<S>
  ) throws(LinearAlgebraError) -> DenseMatrix {
    let count = values.count
    var gram = try DenseMatrix(rows: count, columns: count)
    LinearAlgebra.addGram(of: left, to: gram)
    let leftRoot = try Self.inverseRoot(gram)

    gram = try DenseMatrix(rows: count, columns: count)
    let panel = try panels.makePanel()
    let width = MatrixPanels<S>.width
    let vectors = try DenseMatrix(rows: count, columns: width)
    for start in panels.starts {
      var size = 0
      for (term, rows) in zip(merge.terms, rows) {
        panels.load(start, term, into: panel)
        let panel = panels.view(panel, start)
        size = panel.columnCount
        LinearAlgebra.multiply(
          inverse.view(rows: rows), panel, into: vectors[rows.lowerBound], stride: width)
      }
      LinearAlgebra.addGram(
        of: MatrixView(
          elements: vectors.elements, rowCount: count, columnCount: size, stride: width), to: gram)
    }
    let rightRoot = try Self.inverseRoot(gram)

    for row in 0..<count {
      Double.multiply(leftRoot[row], values, into: leftRoot[row], count: count)
    }
    let result = try DenseMatrix(rows: count, columns: count)
    LinearAlgebra.multiply(
      leftRoot.view, rightRoot.view, into: result.elements, stride: max(1, count))
    return result
  }

  /// The inverse square root, of directions that are there.
  private static func inverseRoot(_ gram: DenseMatrix) throws(LinearAlgebraError) -> DenseMatrix {
    let spectrum = try Spectrum(gram: gram)
    return try spectrum.filter(spectrum.values.prefix(spectrum.rank).map { 1 / $0 })
  }
}
