// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import CYAML

/// The events of a YAML text as libyaml reports them: nothing nested, nothing resolved.
struct YAMLEvents: ~Copyable {
  struct Event {
    enum Kind {
      case streamStart, streamEnd, documentStart, documentEnd
      case alias(of: String)
      case scalar(String, isPlain: Bool)
      case sequenceStart, sequenceEnd, mappingStart, mappingEnd
    }

    let kind: Kind
    let anchor: String?
    let tag: String?
    let start: SourceLocation
    let end: SourceLocation
  }

  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private let text: UnsafeBufferPointer<UInt8>

  /// `text` must outlive this value.
  init(of text: UnsafeBufferPointer<UInt8>) {
    self.text = text
    parser = .allocate(capacity: 1)
    // Fails for lack of memory alone, which Swift does not survive either.
    guard yaml_parser_initialize(parser) != 0 else { fatalError("out of memory") }
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    yaml_parser_set_input_string(parser, text.baseAddress ?? Self.nothing, text.count)
  }

  deinit {
    yaml_parser_delete(parser)
    parser.deallocate()
  }

  /// A place to point to when there is no text.
  private static var nothing: UnsafePointer<UInt8> { StaticString("").utf8Start }

  func next() throws(YAMLError) -> Event {
    var event = yaml_event_t()
    guard yaml_parser_parse(parser, &event) != 0 else { throw error() }
    defer { yaml_event_delete(&event) }
    let data = event.data
    var anchor: UnsafeMutablePointer<yaml_char_t>?
    var tag: UnsafeMutablePointer<yaml_char_t>?
    let kind: Event.Kind
    switch event.type {
    case YAML_STREAM_START_EVENT: kind = .streamStart
    case YAML_DOCUMENT_START_EVENT: kind = .documentStart
    case YAML_DOCUMENT_END_EVENT: kind = .documentEnd
    case YAML_ALIAS_EVENT: kind = .alias(of: Self.string(data.alias.anchor) ?? "")
    case YAML_SCALAR_EVENT:
      (anchor, tag) = (data.scalar.anchor, data.scalar.tag)
      let characters = UnsafeBufferPointer(start: data.scalar.value, count: data.scalar.length)
      kind = .scalar(
        String(decoding: characters, as: UTF8.self),
        isPlain: data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
    case YAML_SEQUENCE_START_EVENT:
      (anchor, tag) = (data.sequence_start.anchor, data.sequence_start.tag)
      kind = .sequenceStart
    case YAML_SEQUENCE_END_EVENT: kind = .sequenceEnd
    case YAML_MAPPING_START_EVENT:
      (anchor, tag) = (data.mapping_start.anchor, data.mapping_start.tag)
      kind = .mappingStart
    case YAML_MAPPING_END_EVENT: kind = .mappingEnd
    default: kind = .streamEnd
    }
    return Event(
      kind: kind, anchor: Self.string(anchor), tag: Self.string(tag),
      start: SourceLocation(event.start_mark), end: SourceLocation(event.end_mark))
  }

  private static func string(_ characters: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    characters.map { String(cString: $0) }
  }
}

// MARK: - Errors

extension YAMLEvents {
  private func error() -> YAMLError {
    let parser = parser.pointee
    let problem = parser.problem.map { String(cString: $0) } ?? "this is not YAML"
    if parser.error == YAML_READER_ERROR {
      if let offset = UTF8Sequence.firstFault(in: text.span) {
        return YAMLError(
          "bytes that are not UTF-8; save the file as UTF-8",
          at: SourceLocation(of: offset, in: text))
      }
      return YAMLError(
        "a control character; write it as an escape in double quotes",
        at: SourceLocation(of: min(Int(clamping: parser.problem_offset), text.count), in: text))
    }
    let location = SourceLocation(parser.problem_mark)
    return YAMLError(
      explanation(of: problem), at: location,
      related: parser.context == nil ? nil : SourceLocation(parser.context_mark))
  }

  /// libyaml's words, with what usually helps.
  private func explanation(of problem: String) -> String {
    switch problem {
    case "found character that cannot start any token":
      switch byte(at: parser.pointee.problem_mark) {
      case UInt8(ascii: "\t"): "a tab where a value should start; indent with spaces"
      case let byte?:
        "a value cannot start with '\(Character(Unicode.Scalar(byte)))'; put it in quotes"
      case nil: problem
      }
    case "found a tab character that violates indentation",
      "found a tab character where an indentation space is expected":
      "a tab in the indentation; indent with spaces"
    case "mapping values are not allowed in this context":
      "a ':' that does not follow a key; check the indentation, or put the text in quotes"
    case "did not find expected key", "did not find expected '-' indicator":
      "\(problem); check the indentation of this line"
    case "could not find expected ':'":
      "this looks like a key without a ':'; add it, or check the line before"
    case "did not find expected ',' or ']'": "\(problem); close the list that was opened with '['"
    case "did not find expected ',' or '}'":
      "\(problem); close the mapping that was opened with '{'"
    case "found unexpected end of stream": "the text ends inside quotes; close them"
    case "did not find expected <document start>":
      "more text after the end of the document; check the indentation of this line"
    default: problem
    }
  }

  private func byte(at mark: yaml_mark_t) -> UInt8? {
    // The mark counts characters; what is in question is in ASCII, so the line is searched from its
    // start.
    let lines = text.split(
      separator: UInt8(ascii: "\n"), maxSplits: Int(clamping: mark.line),
      omittingEmptySubsequences: false)
    guard lines.count > mark.line else { return nil }
    return String(
      decoding: lines[Int(mark.line)].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self
    )
    .unicodeScalars.dropFirst(Int(clamping: mark.column)).first.flatMap {
      UInt8(exactly: $0.value)
    }
  }
}

extension SourceLocation {
  fileprivate init(_ mark: yaml_mark_t) {
    self.init(line: Int(clamping: mark.line) + 1, column: Int(clamping: mark.column) + 1)
  }

  fileprivate init(of offset: Int, in text: UnsafeBufferPointer<UInt8>) {
    let before = text.prefix(offset)
    let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    self.init(
      line: before.count { $0 == UInt8(ascii: "\n") } + 1,
      column: before[lineStart...].count { $0 & 0xC0 != 0x80 } + 1)
  }
}
