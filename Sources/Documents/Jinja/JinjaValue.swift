// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// A value while a template is rendered, with Python's notions of truth, equality, order and spelling.
indirect enum JinjaValue {
  /// A variable, key or element that does not exist, with the message for whoever needs it to.
  case undefined(String)
  case none
  case bool(Bool)
  case int(Int)
  case float(Double)
  case string(String)
  case list(JinjaList)
  case tuple(JinjaList)
  case map(JinjaMap)
  case namespace(JinjaNamespace)
  case loop(JinjaLoop)
}

/// The elements of a list or tuple, and what they come to.
struct JinjaList {
  let elements: [JinjaValue]
  let extent: JinjaExtent

  init(_ elements: [JinjaValue]) {
    self.elements = elements
    extent = JinjaExtent(of: elements)
  }
}

/// The size of a value with everything inside it.
///
/// Kept with each list and mapping: templates can nest a value into itself twice, over and over, and
/// what is cheap to share would be endless to print or compare.
struct JinjaExtent {
  var size = 1
  var depth = 1

  init() {}

  init(of elements: [JinjaValue]) {
    for element in elements {
      let inner = element.extent
      size = size.addingSaturated(inner.size)
      depth = max(depth, inner.depth + 1)
    }
  }
}

/// A mapping from strings to values that keeps its order.
struct JinjaMap {
  private(set) var keys: [String] = []
  private(set) var values: [JinjaValue] = []
  private(set) var extent = JinjaExtent()
  private var places: [JSONKey: Int] = [:]

  init(_ members: [(key: String, value: JinjaValue)]) {
    for (key, value) in members {
      let inner = value.extent
      extent.size = extent.size.addingSaturated(key.utf8.count).addingSaturated(inner.size)
      extent.depth = max(extent.depth, inner.depth + 1)
      if let place = places[JSONKey(key)] {
        values[place] = value
      } else {
        places[JSONKey(key)] = keys.count
        keys.append(key)
        values.append(value)
      }
    }
  }

  subscript(key: String) -> JinjaValue? { places[JSONKey(key)].map { values[$0] } }

  /// The pairs, as Python's `items()` gives them.
  var items: [JinjaValue] { zip(keys, values).map { .tuple(JinjaList([.string($0), $1])) } }
}

/// The one kind of value that `set` can change from inside of a loop; it is never part of another.
final class JinjaNamespace {
  var attributes: [String: JinjaValue] = [:]
}

/// What `loop` is in the body of a `for`.
struct JinjaLoop {
  let elements: [JinjaValue]
  let index: Int

  subscript(attribute: String) -> JinjaValue? {
    switch attribute {
    case "index": .int(index + 1)
    case "index0": .int(index)
    case "revindex": .int(elements.count - index)
    case "revindex0": .int(elements.count - index - 1)
    case "first": .bool(index == 0)
    case "last": .bool(index == elements.count - 1)
    case "length": .int(elements.count)
    // Loops are never recursive here.
    case "depth": .int(1)
    case "depth0": .int(0)
    case "previtem":
      index > 0 ? elements[index - 1] : .undefined("there is no previous item")
    case "nextitem":
      index + 1 < elements.count ? elements[index + 1] : .undefined("there is no next item")
    default: nil
    }
  }
}

extension JinjaValue {
  init(_ json: JSON) {
    self =
      switch json {
      case .null: .none
      case .bool(let value): .bool(value)
      case .number(let text): Int(text).map { .int($0) } ?? .float(Double(text) ?? .nan)
      case .string(let text): .string(text)
      case .array(let values): .list(JinjaList(values.map { JinjaValue($0) }))
      case .object(let members):
        .map(JinjaMap(members.map { (key: $0.key, value: JinjaValue($0.value)) }))
      }
  }

  var extent: JinjaExtent {
    var extent = JinjaExtent()
    switch self {
    case .string(let text): extent.size += text.utf8.count
    case .list(let list), .tuple(let list): return list.extent
    case .map(let map): return map.extent
    default: break
    }
    return extent
  }

  var isTrue: Bool {
    switch self {
    case .undefined, .none: false
    case .bool(let value): value
    case .int(let value): value != 0
    case .float(let value): value != 0
    case .string(let text): !text.isEmpty
    case .list(let list), .tuple(let list): !list.elements.isEmpty
    case .map(let map): !map.keys.isEmpty
    case .namespace, .loop: true
    }
  }

  var isUndefined: Bool { if case .undefined = self { true } else { false } }
  var isNone: Bool { if case .none = self { true } else { false } }
  var string: String? { if case .string(let text) = self { text } else { nil } }

  /// The value of an integer or of a boolean, which is one in Python.
  var integer: Int? {
    switch self {
    case .int(let value): value
    case .bool(let value): value ? 1 : 0
    default: nil
    }
  }

  var real: Double? { if case .float(let value) = self { value } else { integer.map(Double.init) } }

  /// What Python calls the type.
  var typeName: String {
    switch self {
    case .undefined: "Undefined"
    case .none: "NoneType"
    case .bool: "bool"
    case .int: "int"
    case .float: "float"
    case .string: "str"
    case .list: "list"
    case .tuple: "tuple"
    case .map: "dict"
    case .namespace: "Namespace"
    case .loop: "LoopContext"
    }
  }
}

// MARK: Equality and order

extension JinjaValue {
  func equals(_ other: JinjaValue) -> Bool {
    switch (self, other) {
    case (.undefined, .undefined), (.none, .none): return true
    case (.string(let a), .string(let b)): return a.utf8.elementsEqual(b.utf8)
    case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)):
      return a.elements.count == b.elements.count
        && zip(a.elements, b.elements).allSatisfy { $0.equals($1) }
    case (.map(let a), .map(let b)):
      return a.keys.count == b.keys.count
        && zip(a.keys, a.values).allSatisfy { key, value in b[key]?.equals(value) ?? false }
    case (.namespace(let a), .namespace(let b)): return a === b
    default:
      if let a = integer, let b = other.integer { return a == b }
      if let a = real, let b = other.real { return a == b }
      return false
    }
  }

  /// Whether the value comes before another; nil if the two have no order.
  func isLess(than other: JinjaValue) -> Bool? {
    if let a = integer, let b = other.integer { return a < b }
    if let a = real, let b = other.real { return a < b }
    switch (self, other) {
    case (.string(let a), .string(let b)): return a.utf8.lexicographicallyPrecedes(b.utf8)
    case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)):
      for (x, y) in zip(a.elements, b.elements) where !x.equals(y) { return x.isLess(than: y) }
      return a.elements.count < b.elements.count
    default: return nil
    }
  }
}

extension Int {
  func addingSaturated(_ other: Int) -> Int {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
