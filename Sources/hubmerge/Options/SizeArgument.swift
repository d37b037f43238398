// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser

/// A size on the command line: `5B`, `500M`, `2GB`, `1000000`. K, M, G (and mergekit's B) are powers of 1000.
struct SizeArgument: ExpressibleByArgument {
  let bytes: Int

  init(bytes: Int) { self.bytes = bytes }

  var defaultValueDescription: String { Quantity.bytes(bytes) }

  init?(argument: String) {
    var text = argument.uppercased()
    let units: [(String, Int)] = [
      ("KB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
      ("K", 1000), ("M", 1_000_000), ("G", 1_000_000_000), ("B", 1_000_000_000),
      ("T", 1_000_000_000_000),
    ]
    var factor = 1
    if let (suffix, value) = units.first(where: { text.hasSuffix($0.0) }) {
      text.removeLast(suffix.count)
      factor = value
    }
    guard let number = Double(text), number >= 0, number.isFinite,
      let bytes = Int(exactly: (number * Double(factor)).rounded())
    else { return nil }
    self.bytes = bytes
  }
}
