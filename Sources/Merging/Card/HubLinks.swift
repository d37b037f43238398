// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// Where the links of a card lead: to a hub that whoever reads the card can reach.
package struct HubLinks: Sendable {
  /// Begins every link; no slash at its end.
  package let address: String

  /// - Parameter endpoint: The hub that was worked with. One on this machine (a test, a mirror behind a tunnel) is
  ///   of no use to a reader and stands for the public one.
  package init(endpoint: String) {
    address = Self.isLoopback(endpoint) ? Self.publicAddress : endpoint
  }

  package static let publicAddress = "https://huggingface.co"

  package func model(_ id: String) -> String { "\(address)/\(id)" }
  package func commit(_ commit: String, of id: String) -> String {
    "\(address)/\(id)/tree/\(commit)"
  }

  /// Whether an address is that of the machine itself.
  static func isLoopback(_ address: String) -> Bool {
    let bytes = Array(address.lowercased().utf8)
    guard let scheme = bytes.firstRange(of: Array("://".utf8)) else { return false }
    var host = bytes[scheme.upperBound...].prefix { !"/?#".utf8.contains($0) }
    if let user = host.lastIndex(of: UInt8(ascii: "@")) { host = host[(user + 1)...] }
    if host.first == UInt8(ascii: "[") {
      let inside = String(
        decoding: host.dropFirst().prefix { $0 != UInt8(ascii: "]") }, as: UTF8.self)
      return ["::1", "0:0:0:0:0:0:0:1", "::"].contains(inside)
    }
    let name = String(decoding: host.prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self)
    return name == "localhost" || name.hasSuffix(".localhost") || name == "0.0.0.0"
      || name.hasPrefix("127.") && name.utf8.allSatisfy { $0 == 46 || (48...57).contains($0) }
  }
}
