// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The filters that work on lists and mappings.
extension JinjaRenderer {
  func applySequential(
    _ filter: JinjaFilter, to value: JinjaValue, _ arguments: JinjaBinding
  ) throws(JinjaError) -> JinjaValue {
    switch filter {
    case .default:
      let isMissing = value.isUndefined || arguments.flag("boolean") && !value.isTrue
      return isMissing ? arguments["default_value"] ?? .string("") : value
    case .length: return .int(try length(of: value))
    case .first:
      return try elements(of: value).first
        ?? .undefined("No first item, sequence was empty.")
    case .last:
      return try elements(of: value).last ?? .undefined("No last item, sequence was empty.")
    case .list: return try list(try elements(of: value))
    case .items:
      if value.isUndefined { return try list([]) }
      guard case .map(let map) = value else {
        throw error("Can only get item pairs from a mapping.")
      }
      return try list(map.items)
    case .reverse:
      if case .string(let text) = value {
        return .string(String(String.UnicodeScalarView(text.unicodeScalars.reversed())))
      }
      return try list(try elements(of: value).reversed())
    case .join: return .string(try joined(value, arguments))
    case .sum:
      var sum = arguments["start"] ?? .int(0)
      for element in try elements(of: value) {
        sum = try bounded(
          try operate(.add, sum, try part(arguments.given("attribute"), of: element)))
      }
      return sum
    case .batch: return try batched(value, arguments)
    case .slice: return try sliced(value, arguments)
    default: return try applyOrdering(filter, to: value, arguments)
    }
  }

  private func applyOrdering(
    _ filter: JinjaFilter, to value: JinjaValue, _ arguments: JinjaBinding
  ) throws(JinjaError) -> JinjaValue {
    let attribute = arguments.given("attribute")
    let foldsCase = !arguments.flag("case_sensitive")
    switch filter {
    case .dictsort:
      guard case .map(let map) = value else { throw error("dictsort needs a mapping") }
      let by = arguments.text("by") ?? "key"
      guard by == "key" || by == "value" else {
        throw error("You can only sort by either \"key\" or \"value\"")
      }
      let index = JinjaValue.int(by == "key" ? 0 : 1)
      return try list(
        try sorted(map.items, by: [index], foldsCase, reverse: arguments.flag("reverse")))
    case .sort:
      let keys = attribute?.string?.pieces(separatedBy: ",").map { JinjaValue.string($0) }
      let parts = keys ?? attribute.map { [$0] } ?? []
      return try list(
        try sorted(
          try elements(of: value), by: parts, foldsCase, reverse: arguments.flag("reverse")))
    case .unique:
      var seen: [JinjaValue] = []
      var kept: [JinjaValue] = []
      for element in try elements(of: value) {
        let key = try part(attribute, of: element).folded(foldsCase)
        try spend(seen.count)
        if !seen.contains(where: { $0.equals(key) }) {
          seen.append(key)
          kept.append(element)
        }
      }
      return try list(kept)
    default:
      let elements = try elements(of: value)
      guard var best = elements.first else {
        return .undefined("No aggregated item, sequence was empty.")
      }
      var bestKey = try part(attribute, of: best).folded(foldsCase)
      for element in elements.dropFirst() {
        let key = try part(attribute, of: element).folded(foldsCase)
        if try filter == .min ? isLess(key, bestKey) : isLess(bestKey, key) {
          (best, bestKey) = (element, key)
        }
      }
      return best
    }
  }

  func length(of value: JinjaValue) throws(JinjaError) -> Int {
    switch value {
    case .string(let text): return text.unicodeScalars.count
    case .undefined, .list, .tuple, .map: return try elements(of: value).count
    case .loop(let loop): return loop.elements.count
    default: throw error("object of type '\(value.typeName)' has no len()")
    }
  }

  private func joined(_ value: JinjaValue, _ arguments: JinjaBinding) throws(JinjaError) -> String {
    let separator = arguments["d"]?.text ?? ""
    let attribute = arguments.given("attribute")
    var text = ""
    for (index, element) in try elements(of: value).enumerated() {
      if index > 0 { text += separator }
      text += try part(attribute, of: element).text
      try reserve(text.utf8.count)
    }
    return text
  }

  private func batched(_ value: JinjaValue, _ arguments: JinjaBinding)
    throws(JinjaError) -> JinjaValue
  {
    let count = try arguments.int("linecount", 0)
    guard count > 0 else { throw error("batch needs a positive number") }
    try reserve(count)
    var batches: [JinjaValue] = []
    var batch: [JinjaValue] = []
    for element in try elements(of: value) {
      if batch.count == count {
        batches.append(try list(batch))
        batch = []
      }
      batch.append(element)
    }
    if !batch.isEmpty {
      if let filler = arguments.given("fill_with") {
        batch += Array(repeating: filler, count: count - batch.count)
      }
      batches.append(try list(batch))
    }
    return try list(batches)
  }

  private func sliced(_ value: JinjaValue, _ arguments: JinjaBinding)
    throws(JinjaError) -> JinjaValue
  {
    let count = try arguments.int("slices", 0)
    guard count > 0 else { throw error("slice needs a positive number") }
    try reserve(count)
    let elements = try elements(of: value)
    let (size, larger) = elements.count.quotientAndRemainder(dividingBy: count)
    var start = 0
    var slices: [JinjaValue] = []
    for index in 0..<count {
      let end = start + size + (index < larger ? 1 : 0)
      var slice = Array(elements[start..<end])
      if index >= larger, let filler = arguments.given("fill_with") { slice.append(filler) }
      slices.append(try list(slice))
      start = end
    }
    return try list(slices)
  }

  // MARK: Elements by attribute

  /// An attribute such as `a.b` or `0` of an element; the element itself if there is none.
  private func part(_ attribute: JinjaValue?, of element: JinjaValue)
    throws(JinjaError) -> JinjaValue
  {
    guard let attribute else { return element }
    guard let path = attribute.string else { return try self.element(attribute, of: element) }
    var value = element
    for name in path.pieces(separatedBy: ".") {
      value = try self.element(Int(name).map { .int($0) } ?? .string(name), of: value)
    }
    return value
  }

  private func sorted(
    _ elements: [JinjaValue], by parts: [JinjaValue], _ foldsCase: Bool, reverse: Bool
  ) throws(JinjaError) -> [JinjaValue] {
    var keyed: [(keys: [JinjaValue], element: JinjaValue)] = []
    for element in elements {
      var keys: [JinjaValue] = []
      for attribute in parts {
        keys.append(try part(attribute, of: element).folded(foldsCase))
      }
      keyed.append((parts.isEmpty ? [element.folded(foldsCase)] : keys, element))
    }
    try spend(keyed.count * 16)
    do {
      // Stable in both directions, as in Python.
      if reverse { keyed.reverse() }
      try keyed.sort { a, b in
        for (x, y) in zip(a.keys, b.keys) where !x.equals(y) { return try isLess(x, y) }
        return false
      }
      if reverse { keyed.reverse() }
    } catch let error as JinjaError {
      throw error
    } catch {
      throw self.error("\(error)")
    }
    return keyed.map(\.element)
  }

  // MARK: Filters that take filters and tests

  func mapped(
    _ value: JinjaValue, _ positional: [JinjaValue], _ named: [String: JinjaValue]
  ) throws(JinjaError) -> JinjaValue {
    let elements = try elements(of: value)
    var results: [JinjaValue] = []
    guard let first = positional.first else {
      let arguments = try bind(["attribute", "default"], [], named, for: "map")
      guard let attribute = arguments["attribute"] else {
        throw error("map requires a filter argument")
      }
      for element in elements {
        let value = try part(attribute, of: element)
        results.append(value.isUndefined ? arguments.given("default") ?? value : value)
      }
      return try list(results)
    }
    guard let filter = JinjaFilter(first.text), filter != .map else {
      throw error("No filter named '\(first.text)'.")
    }
    for element in elements {
      results.append(
        try bounded(try apply(filter, to: element, Array(positional.dropFirst()), named)))
    }
    return try list(results)
  }

  func selected(_ value: JinjaValue, _ filter: JinjaFilter, _ positional: [JinjaValue])
    throws(JinjaError) -> JinjaValue
  {
    var rest = positional[...]
    let isByAttribute = filter == .selectattr || filter == .rejectattr
    let attribute = isByAttribute ? rest.popFirst() : nil
    if isByAttribute && attribute == nil { throw error("Missing parameter for attribute name") }
    let name = rest.popFirst()
    let test = name.flatMap { JinjaTest($0.text) }
    if let name, test == nil { throw error("No test named '\(name.text)'.") }
    let wanted = filter == .select || filter == .selectattr
    var kept: [JinjaValue] = []
    for element in try elements(of: value) {
      let value = try part(attribute, of: element)
      let holds = try test.map { test throws(JinjaError) in
        try self.holds(test, value, Array(rest))
      }
      if holds ?? value.isTrue == wanted { kept.append(element) }
    }
    return try list(kept)
  }
}

extension JinjaValue {
  /// Text in lower case if case does not matter.
  fileprivate func folded(_ foldsCase: Bool) -> JinjaValue {
    if foldsCase, case .string(let text) = self { return .string(text.lowercased()) }
    return self
  }
}
