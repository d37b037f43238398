// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Weights

/// The search for what each tensor of an adapter changes in a model.
struct AdapterFitting {
  let adapter: Adapter
  private let model: Checkpoint
  /// The model's tensors, those among them that the adapter has whole replaced.
  private(set) var tensors: [TensorName: StoredTensor]
  /// What this adapter and those before it do to them.
  private(set) var updates: [TensorName: TensorUpdate]
  /// Whether the adapter gives an output head of its own to a model that used its embedding.
  private(set) var untiesHead = false
  private var renaming = ModuleRenaming.none
  /// Where the model keeps the experts of each layer apart, by the modules that hold them when it is loaded.
  private let expertOwners: [String: ExpertOwner]
  /// The modules of the model that have tensors.
  private let owners: Set<String>
  /// The tensors that this adapter adds something to.
  private var changed: Set<TensorName> = []

  /// The tensors that the adapter has for one module.
  private typealias Parts = [AdapterKey.Part: StoredTensor]

  /// - Parameter updates: What other adapters do to the model before.
  init(_ adapter: Adapter, _ model: Checkpoint, after updates: [TensorName: TensorUpdate]) {
    self.adapter = adapter
    self.model = model
    self.updates = updates
    tensors = model.tensors
    expertOwners = ExpertOwner.all(in: model)
    owners = Set(
      model.tensors.keys.map { $0.text.split(separator: ".").dropLast().joined(separator: ".") })
  }

  mutating func fit() throws(AdapterFault) {
    var modules: [String: [Int: Parts]] = [:]
    var replacements: [(name: String, tensor: StoredTensor)] = []
    var unknown: [String] = []
    for name in adapter.checkpoint.names {
      guard let tensor = adapter.checkpoint.tensors[name] else { continue }
      guard let key = AdapterKey(name) else {
        unknown.append(name.text)
        continue
      }
      // In the adapted model the adapter's file comes after all others.
      let moved = tensor.moved(toShard: model.shards.count)
      guard key.part == .replacement || tensor.info.dtype.isFloat else {
        throw .notFloat(name.text)
      }
      if key.part == .replacement {
        replacements.append((key.path, moved))
      } else {
        modules[key.path, default: [:]][key.depth, default: [:]][key.part] = moved
      }
    }
    guard unknown.isEmpty else { throw .unused(unknown) }
    try chooseRenaming(modules.keys.sorted(), replacements.map(\.name))
    for (name, tensor) in replacements { try replace(name, by: tensor) }
    for module in modules.keys.sorted() {
      let layers = (modules[module] ?? [:]).sorted { $0.key < $1.key }
      for (_, parts) in layers { try update(module, parts) }
    }
    for name in updates.keys.sorted() where tensors[name]?.info.dtype.isFloat != true {
      throw .notFloat(name.text)
    }
  }

  // MARK: Names

  /// Finds the one way of renaming under which everything in the adapter has its place.
  private mutating func chooseRenaming(_ modules: [String], _ names: [String])
    throws(AdapterFault)
  {
    let known = Set(model.tensors.keys.map(\.text))
    func strangers(_ renaming: ModuleRenaming) -> [String] {
      modules.filter { path(of: $0, renaming) == nil }
        + names.filter { name in
          let name = renaming.apply(name)
          return !known.contains(name) && !isNewHead(name)
        }
    }
    for renaming in ModuleRenaming.all where strangers(renaming).isEmpty {
      self.renaming = renaming
      return
    }
    let left = strangers(.none)
    let heads = left.filter {
      TensorName($0 + ".weight").isOutputHead || TensorName($0).isOutputHead
    }
    throw heads.count == left.count && model.tiedEmbedding != nil ? .tiedHead : .unused(left)
  }

  /// Where the model has a module, under a way of renaming; nil if it does not.
  private func path(of module: String, _ renaming: ModuleRenaming) -> String? {
    let path = renaming.apply(module)
    let spellings = LayoutRules.spellings.flatMap { a, b in
      [path.replacing(a, with: b), path.replacing(b, with: a)]
    }
    return ([path] + spellings).first { owners.contains($0) || expertOwners[$0] != nil }
  }

  /// Whether a whole tensor is the output head of a model that has none of its own.
  private func isNewHead(_ name: String) -> Bool {
    TensorName(name).isOutputHead && model.tiedEmbedding != nil
  }

  private func tensor(_ name: String) throws(AdapterFault) -> StoredTensor {
    guard let tensor = tensors[TensorName(name)] else { throw .unused([name]) }
    return tensor
  }

  // MARK: Changes

  private mutating func replace(_ name: String, by tensor: StoredTensor) throws(AdapterFault) {
    let name = TensorName(renaming.apply(name))
    if name.isOutputHead, model.config?.tiesWordEmbeddings == true { untiesHead = true }
    let old = tensors[name] ?? (isNewHead(name.text) ? model.tiedEmbedding : nil)
    guard let old else { throw .unused([name.text]) }
    guard old.info.shape == tensor.info.shape else {
      throw .shape(name.text, adapter: tensor.info.shape, model: old.info.shape)
    }
    if tensors[name] == nil { untiesHead = true }
    tensors[name] = tensor.named(name)
    updates[name] = nil
  }

  private mutating func update(_ module: String, _ parts: Parts) throws(AdapterFault) {
    let path = path(of: module, renaming) ?? module
    if let rows = parts[.tokenRows] {
      let weight = try tensor(path + ".weight")
      updates[weight.info.name, default: TensorUpdate()].rows = try replacedRows(
        module, rows, of: weight)
    }
    if let down = parts[.embeddingDown] ?? parts[.down] {
      guard let up = parts[.embeddingUp] ?? parts[.up] else {
        throw .missing("lora_B", module: module)
      }
      let isEmbedding = parts[.embeddingDown] != nil
      let weight: StoredTensor
      let product: LowRankProduct
      if let whole = tensors[TensorName(path + ".weight")] {
        weight = whole
        product = try matrix(module, down, up, of: weight, isEmbedding: isEmbedding)
      } else if let owner = expertOwners[path] {
        for (name, product) in try owner.products(module, down, up, of: tensors, adapter.config) {
          try add(product, to: name)
        }
        return
      } else {
        (weight, product) = try experts(module, path, down, up)
      }
      try add(product, to: weight.info.name)
      if let magnitudes = parts[.magnitudes] {
        try check(magnitudes, product, of: weight)
        updates[weight.info.name]?.magnitudes = magnitudes
      } else if adapter.config.usesMagnitudes {
        throw .missing("lora_magnitude_vector", module: module)
      }
      if let bias = parts[.upBias] {
        try addBias(bias, path, scale: product.scale)
      }
    } else if let orphan = parts.keys.first(where: { $0 != .tokenRows }) {
      throw .missing(orphan == .embeddingUp ? "lora_embedding_A" : "lora_A", module: module)
    }
  }

  /// Adds a product to those that a tensor gets already.
  private mutating func add(_ product: LowRankProduct, to name: TensorName) throws(AdapterFault) {
    let before = updates[name]
    // Magnitudes and rows are what comes out at the end; nothing can be added after them.
    guard before?.magnitudes == nil, before?.rows == nil || before?.products.isEmpty == true,
      before?.products.isEmpty != false || !adapter.config.usesMagnitudes,
      before?.products.first.map({ $0.columnCount == product.columnCount }) ?? true
    else { throw .stacked(name.text) }
    updates[name, default: TensorUpdate()].products.append(product)
    changed.insert(name)
  }

  private func matrix(
    _ module: String, _ down: StoredTensor, _ up: StoredTensor, of weight: StoredTensor,
    isEmbedding: Bool
  ) throws(AdapterFault) -> LowRankProduct {
    let shape = weight.info.matrixShape
    let (a, b) = (down.info.matrixShape, up.info.matrixShape)
    let isPlain = !isEmbedding && a.columns == shape.columns && b.rows == shape.rows
    let isTransposed =
      weight.info.shape.count == 2 && a.columns == shape.rows && b.rows == shape.columns
    guard a.rows == b.columns, a.rows > 0, isPlain || isTransposed else {
      throw .shape(module, adapter: down.info.shape + up.info.shape, model: weight.info.shape)
    }
    // Square matrices could be either; the configuration knows.
    return LowRankProduct(
      down: down, up: up, scale: try adapter.config.scale(of: module, rank: a.rows),
      isTransposed: isPlain && isTransposed ? adapter.config.isFanInFanOut : isTransposed)
  }

  /// The tensor of several experts that two matrices belong to, told by its shape.
  private func experts(
    _ module: String, _ path: String, _ down: StoredTensor, _ up: StoredTensor
  ) throws(AdapterFault) -> (StoredTensor, LowRankProduct) {
    let (a, b) = (down.info.matrixShape, up.info.matrixShape)
    let candidates = tensors.values.filter { tensor in
      let parent = tensor.info.name.text.split(separator: ".").dropLast().joined(separator: ".")
      return parent == path && tensor.info.shape.count == 3 && !changed.contains(tensor.info.name)
    }.sorted { $0.info.name < $1.info.name }
    for weight in candidates {
      let shape = weight.info.shape
      let isPlain = a.columns == shape[2] && b.rows == shape[1]
      let isTransposed = a.columns == shape[1] && b.rows == shape[2]
      guard isPlain || isTransposed, shape[0] > 0, a.rows == b.columns, a.rows > 0,
        a.rows % shape[0] == 0
      else { continue }
      let scale = try adapter.config.scale(of: module, rank: a.rows / shape[0])
      return (
        weight,
        LowRankProduct(
          down: down, up: up, scale: scale, isTransposed: !isPlain, matrixCount: shape[0])
      )
    }
    throw .unused([module])
  }

  private func check(_ magnitudes: StoredTensor, _ product: LowRankProduct, of weight: StoredTensor)
    throws(AdapterFault)
  {
    let shape = weight.info.matrixShape
    let count = product.isTransposed ? shape.columns : shape.rows
    guard product.matrixCount == 1, magnitudes.info.elementCount == count else {
      throw .shape(
        weight.info.name.text, adapter: magnitudes.info.shape, model: weight.info.shape)
    }
  }

  private mutating func addBias(_ bias: StoredTensor, _ path: String, scale: Double)
    throws(AdapterFault)
  {
    guard let own = tensors[TensorName(path + ".bias")] else {
      throw .missing("bias", module: path)
    }
    guard own.info.shape == bias.info.shape, own.info.shape.count == 1 else {
      throw .shape(own.info.name.text, adapter: bias.info.shape, model: own.info.shape)
    }
    try add(LowRankProduct(down: bias, up: nil, scale: scale), to: own.info.name)
  }

  private func replacedRows(_ module: String, _ rows: StoredTensor, of weight: StoredTensor)
    throws(AdapterFault) -> ReplacedRows
  {
    let shape = weight.info.matrixShape
    guard rows.info.shape.count == 2, rows.info.matrixShape.columns == shape.columns else {
      throw .shape(weight.info.name.text, adapter: rows.info.shape, model: weight.info.shape)
    }
    guard let indices = adapter.config.tokens(of: module), indices.count == rows.info.shape[0],
      indices.allSatisfy((0..<shape.rows).contains)
    else { throw .tokens(module) }
    return ReplacedRows(values: rows, indices: indices)
  }
}

extension TensorInfo {
  /// The first axis, and all others together; a vector is one row.
  var matrixShape: (rows: Int, columns: Int) {
    guard shape.count > 1 else { return (1, elementCount) }
    return (shape[0], shape[1...].reduce(1, *))
  }
}
