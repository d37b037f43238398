// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The parameters that differ from layer to layer, or from module to module, as they were applied.
struct ParameterCurves {
  let title = "Parameters as they were applied"
  private let record: MergeRecord

  init(_ record: MergeRecord) { self.record = record }

  /// A parameter of the method or of a model, along the layers, for modules that have the same.
  private struct Curve {
    let name: String
    let values: [Double?]
  }

  /// Nil if all parameters are the same everywhere.
  func drawn() -> String? {
    let table = LayerTable(record.tensors)
    guard let stack = table.stacks.max(by: { $0.layerCount < $1.layerCount }) else { return nil }
    let groups = names.map { ($0, curves(of: $0, stack)) }.filter { isVarying($0.1) }
    guard !groups.isEmpty else { return nil }
    let (left, plot, height) = (72.0, 560.0, 130.0)
    var svg = SVG(width: left + plot + 32)
    svg.text(title, 24, 30, "heading")
    svg.text("By layer of \(stack.name)", 24, 49, "faint")
    var y = 66.0
    for (name, curves) in groups {
      let values = curves.flatMap(\.values).compactMap(\.self)
      let (low, high) = (min(0, values.min() ?? 0), max(values.max() ?? 1, 1e-9))
      y += 20
      svg.text(name, 24, y, "heading")
      y += 14
      func place(_ value: Double) -> Double { y + height - (value - low) / (high - low) * height }
      func place(layer: Int) -> Double {
        left + (stack.layerCount < 2 ? 0.5 : Double(layer) / Double(stack.layerCount - 1)) * plot
      }
      for share in [0, 0.5, 1] {
        let value = low + (high - low) * share
        svg.line([(left, place(value)), (left + plot, place(value))], stroke: "grid")
        svg.text(value.threeDigits, left - 10, place(value) + 4, "faint", .end)
      }
      svg.line([(left, place(low)), (left + plot, place(low))], stroke: "axis")
      let step = max(1, (stack.layerCount + 15) / 16)
      for layer in stride(from: 0, to: stack.layerCount, by: step) {
        svg.text("\(layer)", place(layer: layer), y + height + 16, "faint", .middle)
      }
      for (index, curve) in curves.enumerated() {
        let color = ColorScale.color(ofThing: index)
        let points = curve.values.enumerated().compactMap { layer, value in
          value.map { (layer: layer, value: $0) }
        }
        svg.line(points.map { (place(layer: $0.layer), place($0.value)) }, stroke: color, width: 2)
        for point in points {
          svg.circle(
            place(layer: point.layer), place(point.value), radius: 2.5, fill: color,
            title: "\(curve.name), layer \(point.layer): \(point.value.threeDigits)")
        }
      }
      y += height + 34
      for (index, curve) in curves.enumerated() {
        svg.rectangle(left, y - 9, 14, 4, fill: ColorScale.color(ofThing: index))
        svg.text(curve.name, left + 22, y, "text")
        y += 18
      }
    }
    svg.height = y + 8
    return svg.rendered(title: title)
  }

  private var names: [String] {
    Set(
      record.tensors.flatMap { tensor in
        tensor.shared.keys + tensor.inputs.flatMap(\.keys)
      }
    ).sorted()
  }

  private func isVarying(_ curves: [Curve]) -> Bool {
    // One curve for each model that stays what it is says no more than the recipe.
    Set(curves.map(\.name)).count < curves.count
      || curves.contains { Set($0.values.compactMap(\.self)).count > 1 }
      || curves.contains { $0.name.utf8.contains(UInt8(ascii: "*")) }
  }

  /// One curve for each model and set of modules that have the same values.
  private func curves(of name: String, _ stack: LayerTable.Stack) -> [Curve] {
    var found: [Curve] = []
    let owners: [Int?] =
      [nil] + record.models.indices.map(Optional.some)
    for owner in owners {
      var byValues: [(values: [Double?], modules: [String])] = []
      for (module, cells) in zip(stack.modules, stack.cells) {
        let values = cells.map { cell in
          cell.lazy.compactMap { value(of: name, owner, in: record.tensors[$0]) }.first
        }
        guard values.contains(where: { $0 != nil }) else { continue }
        if let place = byValues.firstIndex(where: { $0.values == values }) {
          byValues[place].modules.append(module)
        } else {
          byValues.append((values, [module]))
        }
      }
      let model = owner.map { record.models[$0] }
      for group in byValues {
        let modules = byValues.count > 1 ? Self.text(group.modules) : nil
        let parts = [model, modules].compactMap(\.self)
        found.append(
          Curve(name: parts.isEmpty ? name : parts.joined(separator: ": "), values: group.values))
      }
    }
    return found
  }

  private func value(of name: String, _ owner: Int?, in tensor: MergeRecord.Tensor) -> Double? {
    guard let owner else { return tensor.shared[name] }
    guard let input = tensor.models.firstIndex(of: owner), tensor.inputs.indices.contains(input)
    else { return nil }
    return tensor.inputs[input][name]
  }

  private static func text(_ modules: [String]) -> String {
    let shown = modules.prefix(4).joined(separator: ", ")
    return modules.count > 4 ? "\(shown) and \(modules.count - 4) more" : shown
  }
}
