// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The values of an archive's pickle, and where its storages are.
struct TorchContent {
  let root: PickleValue
  let heap: PickleHeap
  /// The bytes of each of the heap's storages in the file.
  let places: [Range<Int>]

  // MARK: Names

  /// The tensors with their names.
  func entries() throws(TorchFault) -> [TensorEntry] {
    let dictionary = try stateDictionary()
    var entries: [TensorEntry] = []
    for (name, value) in dictionary {
      guard case .tensor(let number) = value else { continue }
      let tensor = heap.tensors[number]
      let start = places[tensor.storage].lowerBound
      entries.append(
        TensorEntry(
          info: TensorInfo(name: TensorName(name), dtype: tensor.dtype, shape: tensor.shape),
          range: start + tensor.range.lowerBound..<start + tensor.range.upperBound,
          strides: tensor.strides))
    }
    guard !entries.isEmpty else { throw .noTensors }
    return entries.sorted {
      ($0.range.lowerBound, $0.info.name) < ($1.range.lowerBound, $1.info.name)
    }
  }

  /// The dictionary of tensors: the root, or what training frameworks put it in.
  private func stateDictionary() throws(TorchFault) -> [String: PickleValue] {
    guard let root = heap.members(root) else { throw .noTensors }
    try checkNames(self.root)
    for key in ["state_dict", "model_state_dict", "model", "module"] {
      guard let value = root[key], let inner = heap.members(value), hasTensors(inner) else {
        continue
      }
      try checkNames(value)
      guard root["pytorch-lightning_version"] != nil,
        inner.keys.allSatisfy({ $0.hasPrefix("model.") })
      else { return inner }
      return Dictionary(uniqueKeysWithValues: inner.map { (String($0.dropFirst(6)), $1) })
    }
    return root
  }

  private func hasTensors(_ members: [String: PickleValue]) -> Bool {
    members.values.contains { if case .tensor = $0 { true } else { false } }
  }

  /// A tensor under a number, say, would be lost.
  private func checkNames(_ dictionary: PickleValue) throws(TorchFault) {
    guard case .dictionary(let number) = dictionary else { return }
    let items = heap.containers[number]
    for place in stride(from: 0, to: items.count - 1, by: 2) where items[place].text == nil {
      if case .tensor = items[place + 1] { throw .nameNotText }
    }
  }
}
