// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// Why a text is not JSON, and where.
package struct JSONError: Error, Hashable {
  package enum Kind: Hashable, Sendable {
    /// The text ends where more was expected, named in words: "a value".
    case unexpectedEnd(expected: String)
    case unexpected(UInt8, expected: String)
    case invalidNumber
    case invalidEscape
    case invalidUTF8
    /// A raw control character inside a string.
    case controlCharacter(UInt8)
    case trailingText
    case tooDeep(limit: Int)
    case tooLarge(limit: Int)
  }

  package let kind: Kind
  /// Bytes before the fault.
  package let offset: Int
  /// Counted from 1.
  package let line: Int
  /// Characters (Unicode scalars) into the line, counted from 1.
  package let column: Int

  init(_ kind: Kind, at offset: Int, in bytes: Span<UInt8>) {
    var line = 1
    var column = 1
    for index in 0..<min(offset, bytes.count) {
      let byte = bytes[index]
      if byte == UInt8(ascii: "\n") {
        line += 1
        column = 1
      } else if byte & 0xC0 != 0x80 {
        column += 1
      }
    }
    self.kind = kind
    self.offset = offset
    self.line = line
    self.column = column
  }
}

extension JSONError.Kind: CustomStringConvertible {
  package var description: String {
    switch self {
    case .unexpectedEnd(let expected): "the text ends where \(expected) is expected"
    case .unexpected(let byte, let expected):
      "\(Self.spell(byte)) where \(expected) is expected"
    case .invalidNumber: "a number that JSON does not allow"
    case .invalidEscape: "an escape that JSON does not know"
    case .invalidUTF8: "bytes that are not UTF-8"
    case .controlCharacter(let byte):
      "\(Self.spell(byte)) inside a string; it must be written as an escape"
    case .trailingText: "more text after the end of the value"
    case .tooDeep(let limit): "more than \(limit) arrays and objects inside each other"
    case .tooLarge(let limit): "more than \(limit >> 20) MiB of text"
    }
  }

  private static func spell(_ byte: UInt8) -> String {
    switch byte {
    case UInt8(ascii: "'"): return "\"'\""
    case 0x21...0x7E: return "'\(Character(Unicode.Scalar(byte)))'"
    default:
      let digits = String(byte, radix: 16, uppercase: true)
      return "byte 0x" + (digits.count < 2 ? "0" : "") + digits
    }
  }
}

extension JSONError: CustomStringConvertible {
  package var description: String { "line \(line), column \(column): \(kind)" }
}
