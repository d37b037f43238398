// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The tensors of a merge by layer and module, as pictures show them.
struct LayerTable {
  /// A stack of layers.
  struct Stack {
    /// What precedes the layers' numbers: `model.layers`.
    let name: String
    let layerCount: Int
    /// What follows, without `.weight` and with a star for the numbers of experts; in the order of the first layer.
    let modules: [String]
    /// Indices of tensors for each module and layer.
    fileprivate(set) var cells: [[[Int]]]
  }

  private(set) var stacks: [Stack] = []
  /// The tensors that belong to no layer.
  private(set) var loose: [Int] = []

  init(_ tensors: [MergeRecord.Tensor]) {
    var modules: [String: [String]] = [:]
    var layers: [String: Int] = [:]
    var names: [String] = []
    let places = tensors.map { LayeredName($0.name) }
    for place in places.compactMap(\.self) where place.layer < 4096 {
      if modules[place.stack] == nil { names.append(place.stack) }
      let module = place.suffix.module
      if modules[place.stack]?.contains(module) != true {
        modules[place.stack, default: []].append(module)
      }
      layers[place.stack] = max(layers[place.stack] ?? 0, place.layer + 1)
    }
    stacks = names.map { name in
      let (rows, columns) = (modules[name] ?? [], layers[name] ?? 0)
      return Stack(
        name: name, layerCount: columns, modules: rows.sorted(by: Self.comesBefore),
        cells: Array(repeating: Array(repeating: [], count: columns), count: rows.count))
    }
    for (index, place) in places.enumerated() {
      guard let place, let stack = stacks.firstIndex(where: { $0.name == place.stack }),
        let module = stacks[stack].modules.firstIndex(of: place.suffix.module),
        place.layer < stacks[stack].layerCount
      else {
        loose.append(index)
        continue
      }
      stacks[stack].cells[module][place.layer].append(index)
    }
    // A number in a name that is no layer's: nothing to draw a row of.
    for stack in stacks where stack.layerCount < 2 {
      loose += stack.cells.joined().joined()
    }
    stacks.removeAll { $0.layerCount < 2 }
    loose.sort()
  }

  /// As data flows: what attends before what comes after it, norms last.
  private static func comesBefore(_ a: String, _ b: String) -> Bool {
    (rank(a), a) < (rank(b), b)
  }

  private static func rank(_ module: String) -> Int {
    let text = module.lowercased()
    if text.contains("norm") || text.hasPrefix("ln") { return 3 }
    if text.contains("attn") || text.contains("attention") {
      let order = ["q_proj", "query", "k_proj", "key", "v_proj", "value"]
      return order.contains { text.contains($0) } ? 0 : 1
    }
    return 2
  }
}

extension String {
  /// `mlp.experts.3.w1.weight` as `mlp.experts.*.w1`.
  fileprivate var module: String {
    var parts = split(separator: ".").map { part in
      part.utf8.allSatisfy { (48...57).contains($0) } ? "*" : String(part)
    }
    if parts.count > 1, parts.last == "weight" { parts.removeLast() }
    return parts.joined(separator: ".")
  }
}
