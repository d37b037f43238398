// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Testing
import Weights

@Suite("Linear algebra")
struct LinearAlgebraTests {
  private static func matrix(_ rows: Int, _ columns: Int, seed: UInt64 = 1) throws -> DenseMatrix {
    let result = try DenseMatrix(rows: rows, columns: columns)
    var state = seed
    for index in 0..<rows * columns {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      result.elements[index] = Double(Int64(bitPattern: state)) / 0x1p63
    }
    return result
  }

  private static func element(_ view: MatrixView, _ row: Int, _ column: Int) -> Double {
    view.isTransposed
      ? view.elements[column * view.stride + row] : view.elements[row * view.stride + column]
  }

  @Test(
    "Products are what sums of products are, also of transposed matrices and empty ones",
    arguments: [(3, 4, 5), (1, 1, 1), (17, 1, 33), (1, 40, 2), (0, 3, 2), (2, 0, 3), (2, 3, 0)])
  func products(size: (Int, Int, Int)) throws {
    let (m, k, n) = size
    for (isTurnedA, isTurnedB) in [(false, false), (true, false), (false, true), (true, true)] {
      let storedA = try isTurnedA ? Self.matrix(k, m) : Self.matrix(m, k)
      let storedB = try isTurnedB ? Self.matrix(n, k, seed: 2) : Self.matrix(k, n, seed: 2)
      let a = isTurnedA ? storedA.view.transposed : storedA.view
      let b = isTurnedB ? storedB.view.transposed : storedB.view
      let c = try Self.matrix(m, n + 1, seed: 3)
      let before = (0..<m * (n + 1)).map { c.elements[$0] }
      LinearAlgebra.multiply(a, b, by: 0.5, into: c.elements, stride: n + 1)
      LinearAlgebra.multiply(a, b, adding: true, into: c.elements, stride: n + 1)
      for row in 0..<m {
        #expect(c[row][n] == before[row * (n + 1) + n], "what is beside the result is left alone")
        for column in 0..<n {
          let sum = (0..<k).reduce(0) {
            $0 + Self.element(a, row, $1) * Self.element(b, $1, column)
          }
          #expect(abs(c[row][column] - 1.5 * sum) < 1e-13)
        }
      }
    }
  }

  @Test("A matrix is the sum of its eigenvectors times their values", arguments: [1, 2, 7, 40])
  func eigenvalues(order: Int) throws {
    let x = try Self.matrix(order, order + 3)
    let gram = try DenseMatrix(rows: order, columns: order)
    LinearAlgebra.addGram(of: x.view, to: gram)
    let vectors = try DenseMatrix(rows: order, columns: order)
    LinearAlgebra.addGram(of: x.view, to: vectors)
    let values = try LinearAlgebra.diagonalize(vectors)
    #expect(values == values.sorted())
    for row in 0..<order {
      for column in row..<order {
        let sum = (0..<order).reduce(0) { $0 + values[$1] * vectors[$1][row] * vectors[$1][column] }
        let square = (0..<order + 3).reduce(0) { $0 + x[row][$1] * x[column][$1] }
        #expect(abs(gram[row][column] - square) < 1e-12)
        #expect(abs(sum - square) < 1e-12)
        let angle = (0..<order).reduce(0) { $0 + vectors[row][$1] * vectors[column][$1] }
        #expect(abs(angle - (row == column ? 1 : 0)) < 1e-13)
      }
    }
  }

  @Test("What is not finite has no eigenvalues", arguments: [Double.nan, .infinity])
  func notFinite(value: Double) throws {
    let matrix = try Self.matrix(4, 4)
    matrix[1][2] = value
    #expect(throws: LinearAlgebraError.notFinite) { try LinearAlgebra.diagonalize(matrix) }
  }

  @Test("More memory than there can be is an error", arguments: [Int.max, 1 << 58])
  func memory(rows: Int) {
    #expect(throws: LinearAlgebraError.self) { try DenseMatrix(rows: rows, columns: 4) }
  }
}
