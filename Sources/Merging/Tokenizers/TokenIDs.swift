// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents

/// The places of config.json and generation_config.json that hold ids of tokens.
enum TokenIDs {
  /// Whether the value of a key is an id, or ids.
  static func isKey(_ key: String) -> Bool {
    if keys.contains(key) { return true }
    return ["image", "video", "audio", "vision", "boi", "eoi", "boa", "eoa", "img"].contains {
      key.hasPrefix($0)
    } && (key.hasSuffix("_token_id") || key.hasSuffix("_token_index"))
  }

  private static let keys: Set<String> = [
    "bos_token_id", "eos_token_id", "pad_token_id", "unk_token_id", "sep_token_id",
    "cls_token_id", "mask_token_id", "decoder_start_token_id", "forced_bos_token_id",
    "forced_eos_token_id", "forced_decoder_ids", "suppress_tokens", "begin_suppress_tokens",
    "bad_words_ids",
  ]

  /// The edits that put the ids of another model's file in the place of a file's own.
  ///
  /// Objects inside are compared by their keys; what the other file has no key for goes, what it has in addition
  /// comes.
  static func edits(of json: JSON, to other: JSON, at path: [String] = []) -> [JSONEdit] {
    var edits: [JSONEdit] = []
    let place = { (key: String) in (path + [key]).map(JSONPathComponent.key) }
    var seen: Set<String> = []
    for member in json.members ?? [] where seen.insert(member.key).inserted {
      guard let value = json[member.key] else { continue }
      if isKey(member.key) {
        guard let wanted = other[member.key] else {
          edits.append(.remove(place(member.key)))
          continue
        }
        if wanted != value { edits.append(.set(place(member.key), to: wanted)) }
      } else if value.members != nil, let inside = other[member.key], inside.members != nil {
        edits += Self.edits(of: value, to: inside, at: path + [member.key])
      }
    }
    for member in other.members ?? []
    where isKey(member.key) && !member.value.isNull && seen.insert(member.key).inserted {
      edits.append(.set(place(member.key), to: other[member.key] ?? member.value))
    }
    return edits
  }

  /// The ids beside a key that are too large for a vocabulary, each with its key; objects inside are left out.
  static func outside(_ json: JSON, rows: Int) -> [(key: String, id: Int)] {
    (json.members ?? []).filter { isKey($0.key) }.flatMap { member in
      numbers(member.value).filter { $0 >= rows }.map { (member.key, $0) }
    }
  }

  /// The ids that a value holds, one or a list.
  static func numbers(_ value: JSON?) -> [Int] {
    if let id = value?.int { return [id] }
    return value?.array?.flatMap { numbers($0) } ?? []
  }
}
