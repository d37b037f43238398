// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import CAssets

/// The files of the folder `templates`, and those of `Examples` with the folder's name before theirs, which are part
/// of the program.
package enum Assets {
  /// The names, in the order of the table of contents.
  package static var names: [String] {
    (0..<ca_asset_count()).map { String(cString: ca_asset_at($0).name) }
  }

  /// The content of the file of a name such as `default.md`; nil if there is none.
  package static func bytes(named name: String) -> [UInt8]? {
    guard let index = names.firstIndex(of: name) else { return nil }
    let asset = ca_asset_at(index)
    return Array(UnsafeBufferPointer(start: asset.bytes, count: asset.size))
  }

  package static func text(named name: String) -> String? {
    bytes(named: name).map { String(decoding: $0, as: UTF8.self) }
  }
}
