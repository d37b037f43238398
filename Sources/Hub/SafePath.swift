// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The rules for a file's path inside a repository: it must stay inside whatever folder it is joined to.
package enum SafePath {
  /// The path itself if it is safe.
  ///
  /// Refused are absolute paths, empty, `.` and `..` segments, anything inside `.git`, drive letters, back
  /// slashes and control characters.
  ///
  /// - Throws: `HubError` of kind `unsafePath`.
  @discardableResult
  package static func check(_ path: String) throws(HubError) -> String {
    let segments = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    let isPlain = segments.allSatisfy { segment in
      !segment.isEmpty && segment.count <= 255 && !segment.elementsEqual(".".utf8)
        && !segment.elementsEqual("..".utf8)
        && !String(decoding: segment, as: UTF8.self).lowercased().utf8.elementsEqual(".git".utf8)
    }
    let bytes = Array(path.utf8)
    let hasDrive = bytes.count > 1 && bytes[1] == UInt8(ascii: ":")
    let isPrintable = bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "\\") }
    guard isPlain, !hasDrive, isPrintable, bytes.count <= 4000 else {
      throw HubError(.unsafePath(path))
    }
    return path
  }
}

/// The rules for the name of a content, from an `ETag` header or a listing.
package enum ETag {
  /// The name in an `ETag` or `X-Linked-Etag` header: without `W/` and quotes.
  ///
  /// - Throws: `HubError` if it could not name a file.
  package static func normalized(_ header: String) throws(HubError) -> String {
    var text = header[...]
    if text.hasPrefix("W/") { text = text.dropFirst(2) }
    if text.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") {
      text = text.dropFirst().dropLast()
    }
    return try check(String(text))
  }

  /// The name itself if it can name a file.
  @discardableResult
  package static func check(_ name: String) throws(HubError) -> String {
    let isPlain = name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
        UInt8(ascii: "_"):
        true
      default: false
      }
    }
    guard isPlain, (1...128).contains(name.utf8.count), !name.hasPrefix(".") else {
      throw HubError(.unexpectedReply("an etag that cannot name a file"))
    }
    return name
  }
}
