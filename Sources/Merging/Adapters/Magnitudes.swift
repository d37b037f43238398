// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization
internal import Weights

/// The magnitudes of DoRA, and what rows or columns are multiplied by to reach them: known after a pass over the
/// tensor, which the first block asks for.
final class Magnitudes: Sendable {
  private let values: [Float]
  private let areOfColumns: Bool
  private let known: Mutex<[Float]?> = Mutex(nil)

  init(_ values: [Float], areOfColumns: Bool) {
    self.values = values
    self.areOfColumns = areOfColumns
  }

  func scales(measuring norms: (_ areOfColumns: Bool) throws -> [Double]) rethrows -> [Float] {
    try known.withLock { known in
      if let known { return known }
      let scales = zip(values, try norms(areOfColumns)).map { Float(Double($0) / $1) }
      known = scales
      return scales
    }
  }

  func scale<S: Scalar>(
    _ target: UnsafeMutablePointer<S>, _ row: Int, _ columns: Range<Int>, by scales: [Float]
  ) {
    if areOfColumns {
      for (place, column) in columns.enumerated() { target[place] *= S(scales[column]) }
    } else {
      S.scale(target, by: S(scales[row]), into: target, count: columns.count)
    }
  }
}
