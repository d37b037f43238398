// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// Scheme, host and port: what a credential may or may not be sent to.
package struct Origin: Hashable, Sendable, CustomStringConvertible {
  package let isSecure: Bool
  /// Lower-case; an IPv6 address in its brackets.
  package let host: String
  package let port: Int

  package var description: String {
    let scheme = isSecure ? "https" : "http"
    return port == (isSecure ? 443 : 80) ? "\(scheme)://\(host)" : "\(scheme)://\(host):\(port)"
  }
}

/// An absolute http or https address, taken apart strictly.
///
/// What this type cannot read with certainty it refuses, and requests are made from its parts, never
/// from the text that came in: the host that was checked is the host that is spoken to.
package struct WebURL: Hashable, Sendable {
  package let origin: Origin
  /// Path and query as they are sent, beginning with `/`.
  package let target: String

  /// The whole address. It may hold a signature that gives access: not for logs.
  package var text: String { "\(origin)\(target)" }

  init(origin: Origin, target: String) {
    self.origin = origin
    self.target = target
  }

  /// An address from its text; nil if it is not http(s), carries a user name, or has characters that
  /// do not belong there. A fragment is dropped.
  package init?(_ text: String) {
    let isSecure: Bool
    let rest: Substring
    if let after = text.droppingPrefix(ignoringCase: "https://") {
      (isSecure, rest) = (true, after)
    } else if let after = text.droppingPrefix(ignoringCase: "http://") {
      (isSecure, rest) = (false, after)
    } else {
      return nil
    }
    let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
    guard let authority = Self.authority(rest[..<end], isSecure: isSecure),
      let target = Self.target(rest[end...])
    else { return nil }
    self.init(origin: authority, target: target)
  }

  /// The address that a `Location` or `Link` of a reply from this address means.
  package func resolving(_ reference: String) -> WebURL? {
    if let absolute = WebURL(reference) { return absolute }
    if reference.hasPrefix("//") {
      return WebURL((origin.isSecure ? "https:" : "http:") + reference)
    }
    if let colon = reference.firstIndex(of: ":"),
      !reference[..<colon].contains(where: { "/?#".contains($0) })
    {
      return nil  // Another scheme, or an http address that was refused above.
    }
    let path = target.prefix { $0 != "?" }
    let merged: String
    if reference.hasPrefix("/") {
      merged = reference
    } else if reference.isEmpty || reference.hasPrefix("?") || reference.hasPrefix("#") {
      merged = path + reference
    } else {
      let folder = path.lastIndex(of: "/").map { path[...$0] } ?? "/"
      merged = folder + reference
    }
    return Self.target(merged[...]).map { WebURL(origin: origin, target: $0) }
  }

  private static func authority(_ text: Substring, isSecure: Bool) -> Origin? {
    var host = text
    var port = isSecure ? 443 : 80
    if let colon = text.lastIndex(of: ":"), !text[colon...].contains("]") {
      host = text[..<colon]
      let digits = text[text.index(after: colon)...]
      guard let number = Int(digits), (1...65535).contains(number),
        digits.utf8.allSatisfy({ (48...57).contains($0) })
      else { return nil }
      port = number
    }
    let isAddress = host.hasPrefix("[") && host.hasSuffix("]")
    let name = isAddress ? host.dropFirst().dropLast() : host
    let isPlain = name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
        UInt8(ascii: "_"):
        true
      case UInt8(ascii: ":"): isAddress
      default: false
      }
    }
    guard isPlain, !name.isEmpty else { return nil }
    return Origin(isSecure: isSecure, host: host.lowercased(), port: port)
  }

  /// Path and query with what servers forget to encode encoded; nil if there are control characters.
  private static func target(_ text: Substring) -> String? {
    let text = text.prefix { $0 != "#" }
    var bytes: [UInt8] = text.hasPrefix("/") ? [] : [UInt8(ascii: "/")]
    for byte in text.utf8 {
      if byte < 0x20 || byte == 0x7f { return nil }
      if byte == 0x20 || byte >= 0x80 {
        bytes += PercentEncoding.encoded(byte)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension WebURL: CustomStringConvertible {
  /// The address without its query, where signatures are.
  package var description: String { "\(origin)\(target.prefix { $0 != "?" })" }
}

/// Percent-encoding of one part of an address.
enum PercentEncoding {
  /// `text` with everything encoded but letters, digits and `-._~`.
  static func encode(_ text: some StringProtocol) -> String {
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: "~"):
        bytes.append(byte)
      default: bytes += encoded(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  static func encoded(_ byte: UInt8) -> [UInt8] {
    let digits = Array("0123456789ABCDEF".utf8)
    return [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
  }
}

extension String {
  /// What follows an ASCII prefix that may be written in any case; nil if the text begins otherwise.
  fileprivate func droppingPrefix(ignoringCase prefix: String) -> Substring? {
    let head = self.prefix(prefix.count)
    return head.lowercased() == prefix ? self[head.endIndex...] : nil
  }
}
