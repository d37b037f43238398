// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// Checks a text against RFC 8259 and writes its tape, in one pass and without recursion.
struct JSONScanner: ~Copyable {
  private var position = 0
  private var entries: [JSONTape.Entry] = []
  /// Entry numbers of the arrays and objects that are not closed yet.
  private var open: [Int] = []

  private init() {}

  static func tape(of bytes: [UInt8]) throws(JSONError) -> JSONTape {
    let span = bytes.span
    guard span.count <= JSONTape.sizeLimit else {
      throw JSONError(.tooLarge(limit: JSONTape.sizeLimit), at: 0, in: span)
    }
    var scanner = JSONScanner()
    scanner.entries.reserveCapacity(span.count / 16)
    try scanner.scan(span)
    return JSONTape(entries: scanner.entries)
  }

  private mutating func scan(_ bytes: Span<UInt8>) throws(JSONError) {
    if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { position = 3 }
    repeat {
      try value(bytes)
    } while try isMoreExpected(bytes)
    guard position == bytes.count else { throw JSONError(.trailingText, at: position, in: bytes) }
  }

  /// Reads a scalar or an empty array or object whole, and of any other array or object what
  /// precedes its first value.
  private mutating func value(_ bytes: Span<UInt8>) throws(JSONError) {
    while true {
      let byte = try significantByte(bytes, expected: "a value")
      let start = position
      switch byte {
      case UInt8(ascii: "\""):
        try string(bytes)
        return
      case UInt8(ascii: "{"):
        try opened(.object, bytes)
        if try closedEmpty(bytes, UInt8(ascii: "}"), expected: "a key or '}'") { return }
        try key(bytes)
      case UInt8(ascii: "["):
        try opened(.array, bytes)
        if try closedEmpty(bytes, UInt8(ascii: "]"), expected: "a value or ']'") { return }
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
        try number(bytes)
        add(.number, from: start)
        return
      case UInt8(ascii: "t"):
        try literal("true", bytes)
        add(.bool, from: start)
        return
      case UInt8(ascii: "f"):
        try literal("false", bytes)
        add(.bool, from: start)
        return
      case UInt8(ascii: "n"):
        try literal("null", bytes)
        add(.null, from: start)
        return
      default:
        throw JSONError(.unexpected(byte, expected: "a value"), at: position, in: bytes)
      }
    }
  }

  /// After a value: closes what ends here, and tells whether another value must follow.
  private mutating func isMoreExpected(_ bytes: Span<UInt8>) throws(JSONError) -> Bool {
    while let container = open.last {
      entries[container].countOne()
      let isObject = entries[container].kind == .object
      let expected = isObject ? "',' or '}'" : "',' or ']'"
      let byte = try significantByte(bytes, expected: expected)
      if byte == UInt8(ascii: ",") {
        position += 1
        if isObject {
          _ = try significantByte(bytes, expected: "a key")
          try key(bytes)
        }
        return true
      }
      guard byte == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
        throw JSONError(.unexpected(byte, expected: expected), at: position, in: bytes)
      }
      close()
    }
    skipBlanks(bytes)
    return false
  }
}

// MARK: - Arrays and objects

extension JSONScanner {
  private mutating func opened(
    _ kind: JSONNode.Kind, _ bytes: Span<UInt8>
  ) throws(JSONError) {
    guard open.count < JSONTape.depthLimit else {
      throw JSONError(.tooDeep(limit: JSONTape.depthLimit), at: position, in: bytes)
    }
    open.append(entries.count)
    entries.append(JSONTape.Entry(kind, start: position))
    position += 1
  }

  private mutating func closedEmpty(
    _ bytes: Span<UInt8>, _ closer: UInt8, expected: String
  ) throws(JSONError) -> Bool {
    guard try significantByte(bytes, expected: expected) == closer else { return false }
    close()
    return true
  }

  private mutating func close() {
    position += 1
    let container = open.removeLast()
    entries[container].end = UInt32(position)
    entries[container].next = UInt32(entries.count)
  }

  /// Reads a key and its colon.
  private mutating func key(_ bytes: Span<UInt8>) throws(JSONError) {
    guard bytes[position] == UInt8(ascii: "\"") else {
      throw JSONError(.unexpected(bytes[position], expected: "a key"), at: position, in: bytes)
    }
    try string(bytes)
    let byte = try significantByte(bytes, expected: "':'")
    guard byte == UInt8(ascii: ":") else {
      throw JSONError(.unexpected(byte, expected: "':'"), at: position, in: bytes)
    }
    position += 1
  }

  private mutating func add(_ kind: JSONNode.Kind, from start: Int, isEscaped: Bool = false) {
    entries.append(
      JSONTape.Entry(
        kind, start: start, end: position, next: entries.count + 1, isEscaped: isEscaped))
  }

  private mutating func skipBlanks(_ bytes: Span<UInt8>) {
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"):
        position += 1
      default: return
      }
    }
  }

  private mutating func significantByte(
    _ bytes: Span<UInt8>, expected: String
  ) throws(JSONError) -> UInt8 {
    skipBlanks(bytes)
    guard position < bytes.count else {
      throw JSONError(.unexpectedEnd(expected: expected), at: position, in: bytes)
    }
    return bytes[position]
  }
}

// MARK: - Scalars

extension JSONScanner {
  private mutating func literal(
    _ word: StaticString, _ bytes: Span<UInt8>
  ) throws(JSONError) {
    for index in 0..<word.utf8CodeUnitCount {
      guard position < bytes.count else {
        throw JSONError(.unexpectedEnd(expected: "\(word)"), at: position, in: bytes)
      }
      guard bytes[position] == word.utf8Start[index] else {
        throw JSONError(.unexpected(bytes[position], expected: "\(word)"), at: position, in: bytes)
      }
      position += 1
    }
  }

  private mutating func number(_ bytes: Span<UInt8>) throws(JSONError) {
    let start = position
    if bytes[position] == UInt8(ascii: "-") { position += 1 }
    let whole = digits(bytes)
    var isValid = whole == 1 || (whole > 1 && bytes[position - whole] != UInt8(ascii: "0"))
    if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
      position += 1
      isValid = digits(bytes) > 0 && isValid
    }
    if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
      position += 1
      if position < bytes.count,
        bytes[position] == UInt8(ascii: "-") || bytes[position] == UInt8(ascii: "+")
      {
        position += 1
      }
      isValid = digits(bytes) > 0 && isValid
    }
    guard isValid else { throw JSONError(.invalidNumber, at: start, in: bytes) }
  }

  private mutating func digits(_ bytes: Span<UInt8>) -> Int {
    let start = position
    while position < bytes.count, bytes[position] &- 0x30 < 10 { position += 1 }
    return position - start
  }

  private mutating func string(_ bytes: Span<UInt8>) throws(JSONError) {
    let start = position
    var isEscaped = false
    position += 1
    while true {
      skipOrdinary(bytes)
      guard position < bytes.count else {
        throw JSONError(.unexpectedEnd(expected: "'\"'"), at: position, in: bytes)
      }
      switch bytes[position] {
      case UInt8(ascii: "\""):
        position += 1
        add(.string, from: start, isEscaped: isEscaped)
        return
      case UInt8(ascii: "\\"):
        isEscaped = true
        try escape(bytes)
      case let byte where byte >= 0x80:
        guard let width = UTF8Sequence.width(in: bytes, at: position) else {
          throw JSONError(.invalidUTF8, at: position, in: bytes)
        }
        position += width
      case let byte:
        throw JSONError(.controlCharacter(byte), at: position, in: bytes)
      }
    }
  }

  /// Moves, eight bytes at a time, to the next byte of a string that needs a look: a quote, a
  /// backslash, a control character or the start of a sequence outside ASCII.
  @inline(__always)
  private mutating func skipOrdinary(_ bytes: Span<UInt8>) {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let highs: UInt64 = 0x8080_8080_8080_8080
    let raw = bytes.bytes
    while position + 8 <= bytes.count {
      let word = UInt64(
        littleEndian: raw.unsafeLoadUnaligned(fromByteOffset: position, as: UInt64.self))
      let quote = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
      let backslash = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
      // The lowest marked byte is exact; borrows can only mark bytes above it.
      let marks =
        ((word &- ones &* 0x20) | (quote &- ones) | (backslash &- ones) | word) & highs
      if marks != 0 {
        position += marks.trailingZeroBitCount / 8
        return
      }
      position += 8
    }
    while position < bytes.count, bytes[position] >= 0x20, bytes[position] < 0x80,
      bytes[position] != UInt8(ascii: "\""), bytes[position] != UInt8(ascii: "\\")
    {
      position += 1
    }
  }

  private mutating func escape(_ bytes: Span<UInt8>) throws(JSONError) {
    let start = position
    guard position + 1 < bytes.count else {
      throw JSONError(.unexpectedEnd(expected: "an escape"), at: bytes.count, in: bytes)
    }
    var length = 2
    switch bytes[position + 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
      UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      break
    case UInt8(ascii: "u"):
      guard JSONEscape.unit(in: bytes, at: position) != nil else {
        throw JSONError(.invalidEscape, at: start, in: bytes)
      }
      length = 6
    default:
      throw JSONError(.invalidEscape, at: start, in: bytes)
    }
    position += length
  }
}
