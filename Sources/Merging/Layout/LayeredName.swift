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
    let parts = name.text.split(separator: ".", omittingEmptySubsequences: false)
    guard let place = parts.firstIndex(where: { !$0.isEmpty && $0.utf8.allSatisfy(Self.isDigit) }),
      place > 0, let layer = Int(parts[place])
    else { return nil }
    stack = parts[..<place].joined(separator: ".")
    self.layer = layer
    suffix = parts[(place + 1)...].joined(separator: ".")
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }

  package static func name(stack: String, layer: Int, suffix: String) -> TensorName {
    TensorName(suffix.isEmpty ? "\(stack).\(layer)" : "\(stack).\(layer).\(suffix)")
  }
}
