// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// A tensor's name taken apart at the number of its layer.
///
/// The first component of a name that is only digits is the layer's number, what precedes it names the stack,
/// what follows the tensor within the layer: `model.layers` · 3 · `mlp.up_proj.weight`.
package struct LayeredName: Hashable, Sendable {
  package let stack: String
  package let layer: Int
  package let suffix: String

  package init?(_ name: TensorName) {
    guard let (digits, layer) = name.withBytes(Self.layerNumber) else { return nil }
    let text = name.text.utf8
    let start = text.index(text.startIndex, offsetBy: digits.lowerBound)
    let end = text.index(text.startIndex, offsetBy: digits.upperBound)
    stack = String(name.text[..<text.index(before: start)])
    self.layer = layer
    suffix = end == text.endIndex ? "" : String(name.text[text.index(after: end)...])
  }

  /// The place and value of the first component that is a number; nil if there is none, or nothing before it.
  private static func layerNumber(_ bytes: UnsafeBufferPointer<UInt8>) -> (Range<Int>, Int)? {
    var start = 0
    var isNumber = true
    for place in 0...bytes.count {
      if place == bytes.count || bytes[place] == UInt8(ascii: ".") {
        if isNumber, place > start, start > 0,
          let layer = Int(String(decoding: bytes[start..<place], as: UTF8.self))
        {
          return (start..<place, layer)
        }
        start = place + 1
        isNumber = true
      } else if !isDigit(bytes[place]) {
        isNumber = false
      }
    }
    return nil
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }

  package static func name(stack: String, layer: Int, suffix: String) -> TensorName {
    TensorName(suffix.isEmpty ? "\(stack).\(layer)" : "\(stack).\(layer).\(suffix)")
  }
}
