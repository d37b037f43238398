// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import SystemPackage
import Weights

/// How far a random merge moved from its base, and the intervals in which 32 seeds of mergekit stayed.
struct GoldenStatistics {
  private let json: JSON

  init(_ json: JSON) { self.json = json }

  func problems(with actual: [TensorName: GoldenTensor], root: FilePath) throws -> [String] {
    let base = try GoldenTensor.tensors(at: root.appending(json["base"]?.string ?? ""))
    let models = try (json["models"]?.array?.compactMap(\.string) ?? []).map {
      try GoldenTensor.tensors(at: root.appending($0))
    }
    let wanted = json["tensors"]?.members ?? []
    guard Set(wanted.map { TensorName($0.key) }) == Set(actual.keys) else {
      return ["the tensors' names differ"]
    }
    var problems: [String] = []
    var total = Movement()
    for member in wanted {
      let name = TensorName(member.key)
      guard let tensor = actual[name], let origin = base[name],
        tensor.info.dtype.rawValue == member.value["dtype"]?.string,
        tensor.shape == member.value["shape"]?.array?.compactMap(\.int)
      else {
        problems.append("\(name): dtype or shape differs")
        continue
      }
      var movement = Movement()
      let inputs = models.compactMap { $0[name] }
      for index in 0..<tensor.count where tensor.bits(index) != origin.bits(index) {
        movement.add(tensor.value(index) - origin.value(index))
        if inputs.allSatisfy({ $0.bits(index) == origin.bits(index) }) {
          problems.append("\(name)[\(index)] moved, but no model differs from the base there")
        }
      }
      problems += movement.problems(name.text, member.value)
      total.add(movement)
    }
    return problems + total.problems("all tensors", json["total"] ?? [:])
  }

  private struct Movement {
    var changed = 0.0
    var l1 = 0.0
    var squares = 0.0
    var sum = 0.0

    mutating func add(_ delta: Double) {
      changed += 1
      l1 += abs(delta)
      squares += delta * delta
      sum += delta
    }

    mutating func add(_ other: Movement) {
      changed += other.changed
      l1 += other.l1
      squares += other.squares
      sum += other.sum
    }

    func problems(_ place: String, _ intervals: JSON) -> [String] {
      let values = [
        ("changed", changed), ("l1", l1), ("l2", squares.squareRoot()), ("sum", sum),
      ]
      return values.compactMap { key, value in
        let ends = intervals[key]?.array?.compactMap(\.double) ?? []
        guard ends.count == 2 else { return "\(place): no interval for \(key)" }
        return ends[0] <= value && value <= ends[1]
          ? nil : "\(place): \(key) \(value) is outside \(ends[0])...\(ends[1])"
      }
    }
  }
}
