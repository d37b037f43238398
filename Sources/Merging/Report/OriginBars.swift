// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// Where the parameters of a stacked model come from: a bar for each layer and one for all.
struct OriginBars {
  let title = "Where the parameters come from"
  private let record: MergeRecord

  init(_ record: MergeRecord) { self.record = record }

  /// Nil unless most tensors are those of one model, and of more than one in all.
  func drawn() -> String? {
    let single = record.tensors.filter { $0.models.count == 1 }
    let used = Set(single.map { $0.models[0] }).sorted()
    guard used.count > 1, single.count * 2 > record.tensors.count else { return nil }
    let table = LayerTable(record.tensors)
    let (left, plot, height) = (72.0, 560.0, 160.0)
    var svg = SVG(width: left + plot + 32)
    svg.text(title, 24, 30, "heading")
    svg.text("Share of the numbers of all tensors, and of those of each layer", 24, 49, "faint")
    var y = 70.0
    svg.text("all", left - 10, y + 17, "text", .end)
    var x = left
    for (model, share) in shares(record.tensors) {
      svg.rectangle(
        x, y, max(share * plot - 1, 0), 24, fill: fill(model), title: label(model, share))
      if share > 0.09 {
        svg.text(Self.percent(share), x + share * plot / 2, y + 40, "faint", .middle)
      }
      x += share * plot
    }
    y += 60
    for stack in table.stacks {
      svg.text(stack.name, left, y + 10, "faint")
      y += 20
      let width = plot / Double(stack.layerCount)
      let step = max(1, (stack.layerCount + 15) / 16)
      for layer in 0..<stack.layerCount {
        let tensors = stack.cells.flatMap { $0[layer] }.map { record.tensors[$0] }
        var top = y + height
        for (model, share) in shares(tensors) {
          top -= share * height
          svg.rectangle(
            left + Double(layer) * width, top, max(width - 1, 1), share * height,
            fill: fill(model), title: "layer \(layer): " + label(model, share))
        }
        if layer % step == 0 {
          svg.text(
            "\(layer)", left + (Double(layer) + 0.5) * width, y + height + 16, "faint", .middle)
        }
      }
      y += height + 34
    }
    for model in used {
      svg.rectangle(left, y - 11, 12, 12, fill: fill(model))
      svg.text(record.models[model], left + 20, y, "text")
      y += 20
    }
    if used.count < shares(record.tensors).count {
      svg.rectangle(left, y - 11, 12, 12, fill: "none")
      svg.text("made of several", left + 20, y, "text")
      y += 20
    }
    svg.height = y + 6
    return svg.rendered(title: title)
  }

  /// The share of each model, nil standing for what is made of several.
  private func shares(_ tensors: [MergeRecord.Tensor]) -> [(model: Int?, share: Double)] {
    var counts: [Int: Int] = [:]
    for tensor in tensors {
      counts[tensor.models.count == 1 ? tensor.models[0] : -1, default: 0] += tensor.elementCount
    }
    let total = counts.values.reduce(0, +)
    guard total > 0 else { return [] }
    return counts.sorted { ($0.key < 0 ? Int.max : $0.key) < ($1.key < 0 ? Int.max : $1.key) }
      .map { ($0.key < 0 ? nil : $0.key, Double($0.value) / Double(total)) }
  }

  private func fill(_ model: Int?) -> String { model.map(ColorScale.color(ofThing:)) ?? "none" }

  private func label(_ model: Int?, _ share: Double) -> String {
    "\(model.map { record.models[$0] } ?? "made of several"): \(Self.percent(share))"
  }

  private static func percent(_ share: Double) -> String {
    "\(((share * 1000).rounded() / 10).shortText) %"
  }
}
