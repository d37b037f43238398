// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The name of a tensor in a checkpoint, such as `model.layers.0.mlp.up_proj.weight`.
///
/// Compared by its UTF-8 bytes: two spellings that Swift's `String` takes for the same text are two names.
package struct TensorName: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
  package let text: String

  package init(_ text: String) { self.text = text }
  package init(stringLiteral text: String) { self.text = text }

  package var description: String { text }

  package static func == (a: TensorName, b: TensorName) -> Bool {
    a.text.utf8.elementsEqual(b.text.utf8)
  }

  package func hash(into hasher: inout Hasher) {
    var text = text
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }
}

extension TensorName: Comparable {
  /// The order in which people count: runs of digits compare as numbers, so that layer 2 comes before
  /// layer 10.
  package static func < (a: TensorName, b: TensorName) -> Bool {
    var x = a.text.utf8[...]
    var y = b.text.utf8[...]
    while let p = x.first, let q = y.first {
      if isDigit(p), isDigit(q) {
        let left = takeNumber(&x)
        let right = takeNumber(&y)
        if left.count != right.count { return left.count < right.count }
        if !left.elementsEqual(right) { return left.lexicographicallyPrecedes(right) }
      } else if p != q {
        return p < q
      } else {
        x = x.dropFirst()
        y = y.dropFirst()
      }
    }
    if x.isEmpty != y.isEmpty { return x.isEmpty }
    return a.text.utf8.lexicographicallyPrecedes(b.text.utf8)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }

  private static func takeNumber(_ text: inout Substring.UTF8View) -> Substring.UTF8View {
    let digits = text.prefix(while: isDigit)
    text = text[digits.endIndex...]
    return digits.drop { $0 == 48 }
  }
}
