// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Merging
internal import Weights

/// Findings about tensors, those that differ only in the number of the layer told as one.
struct TensorGroups {
  private struct Key: Hashable {
    let finding: String
    let stack: String
    let suffix: String
    let details: String
  }

  private var order: [Key] = []
  private var layers: [Key: [Int]] = [:]

  /// - Parameters:
  ///   - finding: What comes before the name.
  ///   - details: What comes after it.
  mutating func add(_ finding: String, _ name: TensorName, _ details: String = "") {
    let layered = LayeredName(name)
    let key = Key(
      finding: finding, stack: layered?.stack ?? name.text, suffix: layered?.suffix ?? "",
      details: details)
    if layers[key] == nil { order.append(key) }
    layers[key, default: []] += [layered?.layer].compactMap(\.self)
  }

  /// A line for each group: `shape    model.layers.{0–3}.mlp.up_proj.weight: [32, 80], [32, 48]`.
  var lines: [String] {
    let width = (order.map(\.finding.count).max() ?? 0) + 2
    return order.map { key in
      let layers = layers[key] ?? []
      let numbers = layers.count == 1 ? "\(layers[0])" : "{\(Self.runs(layers))}"
      let name =
        layers.isEmpty
        ? key.stack
        : "\(key.stack).\(numbers)" + (key.suffix.isEmpty ? "" : ".\(key.suffix)")
      return key.finding + String(repeating: " ", count: width - key.finding.count) + name
        + (key.details.isEmpty ? "" : ": \(key.details)")
    }
  }

  /// Numbers with those that follow one another put together: `0–3, 7`.
  private static func runs(_ numbers: [Int]) -> String {
    var runs: [Range<Int>] = []
    for number in numbers.sorted() {
      if let last = runs.last, last.upperBound == number {
        runs[runs.count - 1] = last.lowerBound..<number + 1
      } else {
        runs.append(number..<number + 1)
      }
    }
    return runs.map(\.text).joined(separator: ", ")
  }
}
