// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// Swift code without what is not code.
///
/// Comments and the text of string literals become blanks, line ends stay: what is found in the result is
/// code, in the line where it was.
struct SwiftCode {
  private let source: [UInt8]
  private var code: [UInt8] = []
  private var place = 0

  static func only(of text: String) -> String {
    var scanner = SwiftCode(source: Array(text.utf8))
    scanner.scan(isInterpolation: false)
    return String(decoding: scanner.code, as: UTF8.self)
  }

  private init(source: [UInt8]) { self.source = source }

  /// Goes on to the end, or to the bracket that closes an interpolation.
  private mutating func scan(isInterpolation: Bool) {
    var depth = 0
    while place < source.count {
      switch source[place] {
      case UInt8(ascii: "/") where starts("//"):
        while place < source.count, source[place] != UInt8(ascii: "\n") { blank(1) }
        continue
      case UInt8(ascii: "/") where starts("/*"):
        while place < source.count, !starts("*/") { blank(1) }
        blank(2)
        continue
      case UInt8(ascii: "\""), UInt8(ascii: "#"):
        if let quote = openingQuote {
          string(quote)
          continue
        }
      case UInt8(ascii: "("): depth += 1
      case UInt8(ascii: ")"):
        if isInterpolation, depth == 0 { return }
        depth -= 1
      default: break
      }
      code.append(source[place])
      place += 1
    }
  }

  private struct Quote {
    let pounds: Int
    let marks: Int

    private var hashes: String { String(repeating: "#", count: pounds) }
    private var quotes: String { String(repeating: "\"", count: marks) }
    var opening: String { hashes + quotes }
    var closing: String { quotes + hashes }
    var escape: String { "\\" + hashes }
  }

  private var openingQuote: Quote? {
    var end = place
    while end < source.count, source[end] == UInt8(ascii: "#") { end += 1 }
    let marks = source[end...].prefix { $0 == UInt8(ascii: "\"") }.count
    guard marks > 0 else { return nil }
    return Quote(pounds: end - place, marks: marks >= 3 ? 3 : 1)
  }

  private mutating func string(_ quote: Quote) {
    blank(quote.opening.utf8.count)
    while place < source.count {
      switch source[place] {
      case UInt8(ascii: "\"") where starts(quote.closing):
        blank(quote.closing.utf8.count)
        return
      case UInt8(ascii: "\\") where starts(quote.escape + "("):
        blank(quote.escape.utf8.count + 1)
        scan(isInterpolation: true)
        blank(1)
      case UInt8(ascii: "\\") where starts(quote.escape): blank(quote.escape.utf8.count + 1)
      default: blank(1)
      }
    }
  }

  private func starts(_ text: String) -> Bool { source[place...].starts(with: text.utf8) }

  private mutating func blank(_ count: Int) {
    for _ in 0..<min(count, source.count - place) {
      let isLineEnd = source[place] == UInt8(ascii: "\n")
      code.append(isLineEnd ? source[place] : UInt8(ascii: " "))
      place += 1
    }
  }
}
