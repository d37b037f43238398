// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Weights

/// A number for each module of each layer, as coloured cells: one panel for each thing that is shown.
struct HeatMap {
  /// What is shown, and what to call it.
  struct Panel {
    let title: String
    /// The number for some tensors together; nil if there is none.
    let value: ([MergeRecord.Tensor]) -> Double?
  }

  let title: String
  /// What the numbers mean.
  let caption: String
  let panels: [Panel]
  /// The number that has the brightest colour; nil for the largest that occurs.
  var limit: Double?
  let record: MergeRecord

  private static let left = 24.0
  private static let cellHeight = 15.0

  /// Nil if there is nothing to show.
  func drawn() -> String? {
    let table = LayerTable(record.tensors)
    let cells = panels.map { panel in values(panel, table) }
    let all = cells.flatMap { $0.stacks.joined().joined() + $0.loose }.compactMap(\.self)
    guard let largest = all.max() else { return nil }
    let top = limit ?? (largest > 0 ? largest : 1)

    let names = table.stacks.flatMap(\.modules) + table.loose.map { record.tensors[$0].name.text }
    let label = min(names.map { SVG.width(of: $0) }.max() ?? 0, 300) + 12
    let columns = Double(max(table.stacks.map(\.layerCount).max() ?? 1, 1))
    let cellWidth = min(max(560 / columns, 6), 28)
    let grid = max(columns * cellWidth, 300)
    var svg = SVG(width: Self.left * 2 + label + grid)
    svg.text(title, Self.left, 30, "heading")
    svg.text(caption, Self.left, 49, "faint")
    var y = 74.0
    for (panel, values) in zip(panels, cells) {
      svg.text(panel.title, Self.left, y, "heading")
      y += 10
      for (stack, rows) in zip(table.stacks, values.stacks) {
        draw(stack, rows, top, &svg, &y, label: label, cellWidth: cellWidth)
      }
      for (index, value) in zip(table.loose, values.loose) {
        let name = record.tensors[index].name.text
        svg.text(Self.shortened(name), Self.left + label - 8, y + 11, "faint", .end)
        svg.rectangle(
          Self.left + label, y, columns * cellWidth - 1, Self.cellHeight - 1,
          fill: Self.fill(value, top), title: "\(name): \(Self.text(value))")
        y += Self.cellHeight
      }
      y += 30
    }
    drawScale(top, &svg, &y, label: label)
    svg.height = y + 16
    return svg.rendered(title: title)
  }

  private func values(_ panel: Panel, _ table: LayerTable)
    -> (stacks: [[[Double?]]], loose: [Double?])
  {
    (
      table.stacks.map { stack in
        stack.cells.map { row in
          row.map { cell in cell.isEmpty ? nil : panel.value(cell.map { record.tensors[$0] }) }
        }
      },
      table.loose.map { panel.value([record.tensors[$0]]) }
    )
  }

  private func draw(
    _ stack: LayerTable.Stack, _ rows: [[Double?]], _ top: Double, _ svg: inout SVG,
    _ y: inout Double, label: Double, cellWidth: Double
  ) {
    let x = Self.left + label
    y += 12
    svg.text(stack.name, x - 8, y - 3, "faint", .end)
    let step = cellWidth * 5 > 40 ? (cellWidth > 20 ? 1 : 5) : 10
    for layer in stride(from: 0, to: stack.layerCount, by: step) {
      svg.text("\(layer)", x + (Double(layer) + 0.5) * cellWidth, y - 3, "faint", .middle)
    }
    for (module, row) in zip(stack.modules, rows) {
      svg.text(Self.shortened(module), x - 8, y + 11, "text", .end)
      for (layer, value) in row.enumerated() {
        svg.rectangle(
          x + Double(layer) * cellWidth, y, cellWidth - 1, Self.cellHeight - 1,
          fill: Self.fill(value, top),
          title: "\(stack.name).\(layer).\(module): \(Self.text(value))")
      }
      y += Self.cellHeight
    }
    y += 4
  }

  private func drawScale(_ top: Double, _ svg: inout SVG, _ y: inout Double, label: Double) {
    let x = Self.left + label
    for step in 0..<60 {
      svg.rectangle(x + Double(step) * 4, y, 4.2, 12, fill: ColorScale.color(Double(step) / 59))
    }
    svg.text("0", x, y + 26, "faint")
    svg.text(Self.text(top / 2), x + 120, y + 26, "faint", .middle)
    svg.text(Self.text(top), x + 240, y + 26, "faint", .end)
    svg.rectangle(x + 260, y, 12, 12, fill: "none")
    svg.text("none", x + 278, y + 11, "faint")
    y += 30
  }

  private static func fill(_ value: Double?, _ top: Double) -> String {
    value.map { ColorScale.color($0 / top) } ?? "none"
  }

  private static func text(_ value: Double?) -> String { value?.threeDigits ?? "none" }

  private static func shortened(_ name: String) -> String {
    name.unicodeScalars.count > 42 ? "…" + String(name.suffix(41)) : name
  }
}

extension Double {
  /// Three digits that count.
  var threeDigits: String {
    guard isFinite, self != 0 else { return self == 0 ? "0" : "\(self)" }
    var scale = 1.0
    while abs(self) * scale < 100, scale < 1e9 { scale *= 10 }
    return ((self * scale).rounded() / scale).shortText
  }
}
