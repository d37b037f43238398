// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The compound values of a pickle.
struct PickleHeap {
  /// Items of tuples and lists; of dictionaries keys and values by turns.
  private(set) var containers: [[PickleValue]] = []
  private(set) var storages: [TorchStorage] = []
  private(set) var tensors: [TorchTensor] = []
  private var storageNumbers: [String: Int] = [:]

  private static let maximumContainers = 2_000_000
  private static let maximumTensors = 1_000_000

  mutating func add(_ items: [PickleValue]) throws(TorchFault) -> Int {
    guard containers.count < Self.maximumContainers else { throw .tooMuch(.containers) }
    containers.append(items)
    return containers.count - 1
  }

  mutating func append(_ items: some Sequence<PickleValue>, to container: Int) {
    containers[container].append(contentsOf: items)
  }

  mutating func add(_ tensor: TorchTensor) throws(TorchFault) -> Int {
    guard tensors.count < Self.maximumTensors else { throw .tooMuch(.tensors) }
    tensors.append(tensor)
    return tensors.count - 1
  }

  /// The number of a storage, which may have been met before.
  mutating func add(_ storage: TorchStorage) throws(TorchFault) -> Int {
    if let known = storageNumbers[storage.key] {
      guard storages[known] == storage else { throw .storageConflict(storage.key) }
      return known
    }
    guard storages.count < Self.maximumTensors else { throw .tooMuch(.storages) }
    storages.append(storage)
    storageNumbers[storage.key] = storages.count - 1
    return storages.count - 1
  }

  /// The integers of a tuple or list; nil if it is none, or has something else.
  func integers(_ value: PickleValue) -> [Int]? {
    switch value {
    case .tuple(let number), .list(let number):
      let items = containers[number].map(\.integer)
      return items.contains(nil) ? nil : items.compactMap(\.self)
    default: return nil
    }
  }

  /// The members of a dictionary whose keys are text; the last one counts if a key occurs twice.
  func members(_ value: PickleValue) -> [String: PickleValue]? {
    guard case .dictionary(let number) = value else { return nil }
    let items = containers[number]
    var members: [String: PickleValue] = [:]
    for place in stride(from: 0, to: items.count - 1, by: 2) {
      if let key = items[place].text { members[key] = items[place + 1] }
    }
    return members
  }
}
