// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Documents
internal import Weights

extension MergeRecord {
  private static let format = 1

  package var json: JSON {
    .object([
      "hubmerge_record": .int(Self.format),
      "title": .string(title),
      "method": .string(method),
      "models": .array(models.map { .string($0) }),
      "tensors": .array(tensors.map(\.json)),
    ])
  }

  /// Nil if it is not the record of a merge.
  package init?(json: JSON) {
    guard json["hubmerge_record"]?.int == Self.format, let title = json["title"]?.string,
      let method = json["method"]?.string, let models = json["models"]?.array?.map(\.string),
      !models.contains(nil), let tensors = json["tensors"]?.array
    else { return nil }
    let read = tensors.compactMap { Tensor(json: $0, modelCount: models.count) }
    guard read.count == tensors.count else { return nil }
    self.init(title: title, method: method, models: models.compactMap(\.self), tensors: read)
  }
}

extension MergeRecord.Tensor {
  fileprivate var json: JSON {
    .object([
      "name": .string(name.text),
      "elements": .int(elementCount),
      "models": .array(models.map { .int($0) }),
      "base": base.map { .int($0) },
      "parameters": .numbers(shared),
      "input_parameters": .array(inputs.map { .numbers($0) }),
      "sums": sums?.json,
    ])
  }

  fileprivate init?(json: JSON, modelCount: Int) {
    guard let name = json["name"]?.string, let elements = json["elements"]?.int, elements >= 0,
      let models = json["models"]?.array?.compactMap(\.int), !models.isEmpty,
      models.allSatisfy({ (0..<modelCount).contains($0) }),
      let inputs = json["input_parameters"]?.array
    else { return nil }
    let base = json["base"]?.int
    if let base, !models.indices.contains(base) { return nil }
    self.init(
      name: TensorName(name), elementCount: elements, models: models, base: base,
      shared: json["parameters"]?.numbers ?? [:], inputs: inputs.map(\.numbers),
      sums: json["sums"].flatMap {
        TensorSums(json: $0, inputs: models.count, hasBase: base != nil)
      })
  }
}

extension TensorSums {
  fileprivate var json: JSON {
    .object([
      "count": .int(count),
      "result": .double(result),
      "inputs": .array(inputs.map { .double($0) }),
      "from_base": .array(fromBase.map { .double($0) }),
      "from_result": .array(fromResult.map { .double($0) }),
      "sign_pairs": .int(signPairs),
      "equal_signs": .int(equalSigns),
    ])
  }

  fileprivate init?(json: JSON, inputs count: Int, hasBase: Bool) {
    self.init(inputs: count, hasBase: hasBase)
    func list(_ key: String, _ count: Int) -> [Double]? {
      let values = json[key]?.array?.compactMap(\.double)
      return values?.count == count ? values : nil
    }
    guard let seen = json["count"]?.int, let result = json["result"]?.double,
      let inputs = list("inputs", count), let fromResult = list("from_result", count),
      let fromBase = list("from_base", hasBase ? count : 0),
      let pairs = json["sign_pairs"]?.int, let equal = json["equal_signs"]?.int
    else { return nil }
    self.count = seen
    self.result = result
    self.inputs = inputs
    self.fromBase = fromBase
    self.fromResult = fromResult
    signPairs = pairs
    equalSigns = equal
  }
}

extension JSON {
  /// An object of numbers in the order of their names.
  fileprivate static func numbers(_ numbers: [String: Double]) -> JSON {
    .object(numbers.sorted { $0.key < $1.key }.map { Member($0.key, .double($0.value)) })
  }

  fileprivate var numbers: [String: Double] {
    Dictionary(
      (members ?? []).compactMap { member in member.value.double.map { (member.key, $0) } },
      uniquingKeysWith: { _, last in last })
  }
}
