// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents

/// Something that happened in a discussion.
struct DiscussionEvent: Sendable {
  enum Content: Sendable {
    case comment(String)
    case title(from: String, to: String)
    case status(Discussion.Status)
  }

  let id: String
  let author: String
  let created: Timestamp
  private var type: String
  private var data: JSON

  init(author: String, _ content: Content) {
    id = String(UInt64.random(in: 0...UInt64.max), radix: 16)
    self.author = author
    created = .now
    switch content {
    case .comment(let text):
      type = "comment"
      data = Self.comment(text, edited: false)
    case .title(let old, let new):
      type = "title-change"
      data = ["from": .string(old), "to": .string(new)]
    case .status(let status):
      type = "status-change"
      data = ["status": .string(status.rawValue)]
    }
  }

  var isComment: Bool { type == "comment" }

  private static func comment(_ text: String, edited: Bool, hidden: Bool = false) -> JSON {
    ["latest": ["raw": .string(text)], "edited": .bool(edited), "hidden": .bool(hidden)]
  }

  mutating func edit(_ text: String) { data = Self.comment(text, edited: true) }

  /// What is hidden is gone.
  mutating func hide() {
    data = Self.comment("This comment has been hidden", edited: true, hidden: true)
  }

  /// The event as the hub tells it.
  var listed: JSON {
    [
      "id": .string(id), "type": .string(type), "createdAt": .string(created.iso8601),
      "author": ["name": .string(author)], "data": data,
    ]
  }

  // MARK: On disk

  var stored: JSON {
    [
      "id": .string(id), "type": .string(type), "created": .int(created.seconds),
      "author": .string(author), "data": data,
    ]
  }

  init?(stored: JSON) {
    guard let id = stored["id"]?.string, let type = stored["type"]?.string,
      let created = stored["created"]?.int, let author = stored["author"]?.string,
      let data = stored["data"]
    else { return nil }
    self.id = id
    self.type = type
    self.created = Timestamp(seconds: created)
    self.author = author
    self.data = data
  }
}
