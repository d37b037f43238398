// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import NIOHTTP1
internal import Storage

/// Makes and checks links that need no token: HMAC-SHA256 over method, path and expiry, with a key
/// that lives as long as the server.
struct Signer: Sendable {
  private let key: [UInt8]
  /// Seconds until a link expires.
  let lifetime: Int

  init(lifetime: Int) {
    key = (0..<64).map { _ in UInt8.random(in: 0...255) }
    self.lifetime = lifetime
  }

  /// `path` with an expiry and a signature.
  func signed(_ method: HTTPMethod, _ path: String) -> String {
    let expires = Timestamp.now.seconds + lifetime
    return "\(path)?expires=\(expires)&signature=\(signature(method, path, expires))"
  }

  /// - Throws: `HubFailure` 403 if the link was not made here for this method, or is too old.
  func check(_ request: Request) throws(HubFailure) {
    let method: HTTPMethod = request.method == .HEAD ? .GET : request.method
    let path = String(request.target.prefix { $0 != "?" })
    guard let expires = request["expires"].flatMap({ Int($0) }), let given = request["signature"],
      Secret(given).matches(signature(method, path, expires))
    else { throw HubFailure(.forbidden, "The signature of this link is not valid") }
    guard Timestamp.now.seconds < expires else {
      throw HubFailure(.forbidden, "This link has expired")
    }
  }

  private func signature(_ method: HTTPMethod, _ path: String, _ expires: Int) -> String {
    let message = Array("\(method.rawValue)\n\(path)\n\(expires)".utf8)
    let inner = Digest.sha256(key.map { $0 ^ 0x36 } + message)
    return Digest.sha256(key.map { $0 ^ 0x5c } + Hexadecimal.bytes(inner.hex)).hex
  }
}

/// A text that is compared in a time that does not tell how much of it was right.
struct Secret: Sendable {
  private let bytes: [UInt8]

  init(_ text: String) { bytes = Array(text.utf8) }

  func matches(_ text: String) -> Bool {
    let other = Array(text.utf8)
    var difference = UInt8(bytes.count == other.count ? 0 : 1)
    for index in bytes.indices {
      difference |= bytes[index] ^ (other.isEmpty ? 0 : other[index % other.count])
    }
    return difference == 0
  }
}
