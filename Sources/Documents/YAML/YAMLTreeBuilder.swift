// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// Makes trees of the events of a text, without recursion and inside the limits of `YAML`.
struct YAMLTreeBuilder: ~Copyable {
  /// A collection that is not complete yet. In a mapping keys and values alternate.
  private struct Frame {
    let isMapping: Bool
    let anchor: String?
    let start: SourceLocation
    var nodes: [YAMLNode] = []
    /// Which of the nodes are merge keys.
    var merges: Set<Int> = []
    var weight = 1

    var expectsKey: Bool { isMapping && nodes.count.isMultiple(of: 2) }
  }

  private let events: YAMLEvents
  private var frames: [Frame] = []
  private var anchors: [String: YAMLNode] = [:]
  private var nodeCount = 0
  private var finished: [YAMLNode] = []

  init(_ events: consuming YAMLEvents) { self.events = events }

  consuming func documents() throws(YAMLError) -> [YAMLNode] {
    while true {
      let event = try events.next()
      switch event.kind {
      case .streamStart, .documentEnd: break
      case .documentStart: anchors = [:]
      case .streamEnd: return finished
      case .alias(let name): try add(target(of: name, event), at: event.start)
      case .scalar(let text, let isPlain): try addScalar(text, isPlain, event)
      case .sequenceStart: try open(isMapping: false, event)
      case .mappingStart: try open(isMapping: true, event)
      case .sequenceEnd, .mappingEnd: try close(event)
      }
    }
  }

  private mutating func add(
    _ node: YAMLNode, at location: SourceLocation
  ) throws(YAMLError) {
    guard let top = frames.indices.last else {
      finished.append(node)
      return
    }
    if frames[top].expectsKey, node.scalar == nil {
      throw YAMLError(
        "a list or a mapping cannot be a key; put the text in quotes", at: location)
    }
    frames[top].nodes.append(node)
    frames[top].weight += node.weight
    guard frames[top].weight <= YAML.weightLimit else {
      throw YAMLError(
        "aliases that repeat more than \(YAML.weightLimit) values; write less with '*'",
        at: location)
    }
  }

  private mutating func count(_ event: YAMLEvents.Event) throws(YAMLError) {
    nodeCount += 1
    guard nodeCount <= YAML.nodeLimit else {
      throw YAMLError("more than \(YAML.nodeLimit) values", at: event.start)
    }
    if let name = event.anchor, let first = anchors[name] {
      throw YAMLError(
        "the anchor '&\(name.excerpt)' is defined twice; rename one of them", at: event.start,
        related: first.location)
    }
  }

  private func target(
    of name: String, _ event: YAMLEvents.Event
  ) throws(YAMLError) -> YAMLNode {
    if let node = anchors[name] { return node }
    if let frame = frames.last(where: { $0.anchor == name }) {
      throw YAMLError(
        "'*\(name.excerpt)' would contain itself", at: event.start, related: frame.start)
    }
    let name = name.excerpt
    throw YAMLError(
      "the alias '*\(name)' has no anchor '&\(name)' before it; define it, or quote the text",
      at: event.start)
  }
}

// MARK: - Scalars

extension YAMLTreeBuilder {
  private mutating func addScalar(
    _ text: String, _ isPlain: Bool, _ event: YAMLEvents.Event
  ) throws(YAMLError) {
    try count(event)
    let isKey = frames.last?.expectsKey ?? false
    var tag = try tag(of: text, isPlain, event)
    if isKey, tag == .merge || tag == .value {
      if tag == .merge, let top = frames.indices.last {
        frames[top].merges.insert(frames[top].nodes.count)
      }
      tag = .string
    }
    guard let value = YAMLValue(text, as: tag) else {
      throw YAMLError(
        "'\(text.excerpt)' is not \(tag.name); put it in quotes if it is text", at: event.start)
    }
    let scalar = YAMLScalar(text: text, isPlain: isPlain, value: value)
    let node = YAMLNode(.scalar(scalar), location: event.start, end: event.end)
    if let anchor = event.anchor { anchors[anchor] = node }
    try add(node, at: node.location)
  }

  private func tag(
    of text: String, _ isPlain: Bool, _ event: YAMLEvents.Event
  ) throws(YAMLError) -> YAMLTag {
    switch event.tag {
    case nil: return isPlain ? YAMLTag(ofPlain: text) : .string
    case "!": return YAMLTag(ofPlain: text)
    case let name?:
      guard let tag = YAMLTag(named: name) else { throw unknownTag(name, event) }
      return tag
    }
  }

  private func unknownTag(_ name: String, _ event: YAMLEvents.Event) -> YAMLError {
    let prefix = YAMLTag.prefix
    let spelling = name.hasPrefix(prefix) ? "!!\(name.dropFirst(prefix.count))" : name
    return YAMLError("the tag '\(spelling.excerpt)' means nothing here; remove it", at: event.start)
  }
}

extension YAMLTag {
  fileprivate static let prefix = "tag:yaml.org,2002:"

  fileprivate init?(named name: String) {
    guard name.hasPrefix(Self.prefix) else { return nil }
    switch name.dropFirst(Self.prefix.count) {
    case "null": self = .null
    case "bool": self = .bool
    case "int": self = .int
    case "float": self = .float
    case "str": self = .string
    case "timestamp": self = .timestamp
    case "merge": self = .merge
    default: return nil
    }
  }

  fileprivate var name: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .int: "an integer"
    case .float: "a number"
    case .timestamp: "a date that exists"
    case .string: "a string"
    case .merge, .value: "a value"
    }
  }
}

// MARK: - Collections

extension YAMLTreeBuilder {
  private mutating func open(isMapping: Bool, _ event: YAMLEvents.Event) throws(YAMLError) {
    try count(event)
    if let tag = event.tag, tag != "!", tag != YAMLTag.prefix + (isMapping ? "map" : "seq") {
      throw unknownTag(tag, event)
    }
    guard frames.count < YAML.depthLimit else {
      throw YAMLError(
        "more than \(YAML.depthLimit) lists and mappings inside each other", at: event.start)
    }
    frames.append(Frame(isMapping: isMapping, anchor: event.anchor, start: event.start))
  }

  private mutating func close(_ event: YAMLEvents.Event) throws(YAMLError) {
    guard let frame = frames.popLast() else { return }
    let content: YAMLNode.Content =
      frame.isMapping ? .mapping(try members(of: frame)) : .sequence(frame.nodes)
    let node = YAMLNode(content, location: frame.start, end: event.end, weight: frame.weight)
    if let anchor = frame.anchor { anchors[anchor] = node }
    try add(node, at: node.location)
  }

  /// What is merged comes first and what the mapping says itself replaces it, in its place; of
  /// several merged mappings the first wins.
  private func members(of frame: Frame) throws(YAMLError) -> [YAMLMember] {
    var own: [YAMLMember] = []
    var merged: [YAMLMember] = []
    var places: [JSONKey: YAMLNode] = [:]
    for index in stride(from: 0, to: frame.nodes.count - 1, by: 2) {
      let (key, value) = (frame.nodes[index], frame.nodes[index + 1])
      if frame.merges.contains(index) {
        merged += try mergedMembers(value)
      } else {
        if let first = places.updateValue(key, forKey: key.identity) {
          let name = key.scalar?.text.excerpt ?? ""
          throw YAMLError(
            "the key '\(name)' occurs twice in one mapping; remove one of them",
            at: key.location, related: first.location)
        }
        own.append(YAMLMember(key: key, value: value))
      }
    }
    guard !merged.isEmpty else { return own }

    var members: [YAMLMember] = []
    var numbers: [JSONKey: Int] = [:]
    for member in merged + own {
      if let number = numbers[member.key.identity] {
        members[number] = YAMLMember(key: members[number].key, value: member.value)
      } else {
        numbers[member.key.identity] = members.count
        members.append(member)
      }
    }
    return members
  }

  private func mergedMembers(_ value: YAMLNode) throws(YAMLError) -> [YAMLMember] {
    switch value.content {
    case .mapping(let members): return members
    case .sequence(let nodes):
      var merged: [YAMLMember] = []
      for node in nodes.reversed() {
        guard case .mapping(let members) = node.content else {
          throw YAMLError("only mappings can be merged with '<<'", at: node.location)
        }
        merged += members
      }
      return merged
    case .scalar:
      throw YAMLError("only a mapping or a list of mappings can follow '<<'", at: value.location)
    }
  }
}

extension YAMLNode {
  fileprivate var identity: JSONKey { scalar?.value.identity ?? "" }
}

extension String {
  /// As much of a text as a message should repeat.
  fileprivate var excerpt: String {
    unicodeScalars.count > 40
      ? String(String.UnicodeScalarView(unicodeScalars.prefix(40))) + "…" : self
  }
}
