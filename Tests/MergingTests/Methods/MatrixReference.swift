// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A matrix as a list of its columns, and its singular values by Jacobi's method: nothing that the engine uses.
struct MatrixReference {
  var columns: [[Double]]

  var rowCount: Int { columns.first?.count ?? 0 }

  init(columns: [[Double]]) { self.columns = columns }

  /// - Parameter elements: Row after row.
  init(_ elements: [Double], columns count: Int) {
    let rows = count == 0 ? 0 : elements.count / count
    columns = (0..<count).map { column in (0..<rows).map { elements[$0 * count + column] } }
  }

  var elements: [Double] { (0..<rowCount).flatMap { row in columns.map { $0[row] } } }

  var transposed: MatrixReference {
    MatrixReference(columns: (0..<rowCount).map { row in columns.map { $0[row] } })
  }

  static func * (a: MatrixReference, b: MatrixReference) -> MatrixReference {
    MatrixReference(
      columns: b.columns.map { column in
        var result = [Double](repeating: 0, count: a.rowCount)
        for (factor, vector) in zip(column, a.columns) {
          for index in result.indices { result[index] += factor * vector[index] }
        }
        return result
      })
  }

  static func + (a: MatrixReference, b: MatrixReference) -> MatrixReference {
    MatrixReference(columns: zip(a.columns, b.columns).map { zip($0, $1).map(+) })
  }

  func scaled(_ factors: [Double]) -> MatrixReference {
    MatrixReference(
      columns: zip(columns, factors).map { column, factor in column.map { $0 * factor } })
  }

  /// The columns side by side.
  static func joined(_ parts: [MatrixReference]) -> MatrixReference {
    MatrixReference(columns: parts.flatMap(\.columns))
  }

  /// The singular values that are more than 2⁻²⁰ of the largest, descending, and their vectors.
  var singular: (u: MatrixReference, values: [Double], v: MatrixReference) {
    if rowCount < columns.count {
      let (u, values, v) = transposed.singular
      return (v, values, u)
    }
    var work = columns
    let count = columns.count
    var turned = (0..<count).map { one in (0..<count).map { $0 == one ? 1.0 : 0 } }
    for _ in 0..<60 {
      var isDone = true
      for p in 0..<count {
        for q in p + 1..<max(count, p + 1) where Self.turn(&work, &turned, p, q) { isDone = false }
      }
      if isDone { break }
    }
    let norms = work.map { sqrt($0.reduce(0) { $0 + $1 * $1 }) }
    let order = norms.indices.sorted { norms[$0] > norms[$1] }
    let kept = order.filter { norms[$0] > 0x1p-20 * norms[order[0]] }
    return (
      MatrixReference(columns: kept.map { place in work[place].map { $0 / norms[place] } }),
      kept.map { norms[$0] }, MatrixReference(columns: kept.map { turned[$0] })
    )
  }

  /// Makes two columns orthogonal; false if they are.
  private static func turn(
    _ work: inout [[Double]], _ turned: inout [[Double]], _ p: Int, _ q: Int
  ) -> Bool {
    var (a, b, c) = (0.0, 0.0, 0.0)
    for index in work[p].indices {
      a += work[p][index] * work[p][index]
      b += work[q][index] * work[q][index]
      c += work[p][index] * work[q][index]
    }
    guard abs(c) > 1e-15 * sqrt(a * b), c != 0 else { return false }
    let zeta = (b - a) / (2 * c)
    let t = (zeta >= 0 ? 1 : -1) / (abs(zeta) + sqrt(1 + zeta * zeta))
    let cosine = 1 / sqrt(1 + t * t)
    let sine = cosine * t
    for index in work[p].indices {
      let (x, y) = (work[p][index], work[q][index])
      work[p][index] = cosine * x - sine * y
      work[q][index] = sine * x + cosine * y
    }
    for index in turned[p].indices {
      let (x, y) = (turned[p][index], turned[q][index])
      turned[p][index] = cosine * x - sine * y
      turned[q][index] = sine * x + cosine * y
    }
    return true
  }

  /// The matrix with other singular values.
  func replacingValues(_ body: ([Double]) -> [Double]) -> MatrixReference {
    let (u, values, v) = singular
    let new = body(values)
    return MatrixReference(columns: Array(u.columns.prefix(new.count))).scaled(new)
      * MatrixReference(columns: Array(v.columns.prefix(new.count))).transposed
  }

  /// The nearest matrix with orthonormal columns, as far as there are any.
  var polar: MatrixReference { replacingValues { $0.map { _ in 1 } } }
}

extension MethodTrial.Inputs {
  /// What a spectral method makes of a tensor: `body` gets the matrices of all differences, and the rest is averaged.
  ///
  /// - Parameter isOn: What the differences are taken from, and the result added to.
  func spectral(
    on start: [Double], _ differences: [[Double]], average: Double,
    _ body: ([MatrixReference]) -> MatrixReference
  ) -> [Double] {
    let isMatrix = shape.count == 2 && !name.contains("embed") || name.contains("experts.")
    guard isMatrix else {
      return start.indices.map { element in
        start[element] + average * differences.reduce(0) { $0 + $1[element] }
      }
    }
    let size = shape.suffix(2).reduce(1, *)
    var result: [Double] = []
    for first in stride(from: 0, to: count, by: max(1, size)) {
      let piece = first..<first + size
      let merged = body(differences.map { MatrixReference(Array($0[piece]), columns: rowLength) })
      let elements = merged.columns.isEmpty ? [] : merged.elements
      result += piece.map { start[$0] + (elements.isEmpty ? 0 : elements[$0 - first]) }
    }
    return result
  }

  /// What the models are off from the base, exactly.
  var exactDeltas: [[Double]] { models.map { zip($0, base).map { $0 - $1 } } }
}
