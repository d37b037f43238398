// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Hub
internal import Storage

/// Names of git's objects, so that commits and folders have the ids that git would give them.
enum GitObject {
  struct Child {
    let name: String
    let oid: Digest
    let isFolder: Bool

    /// Git sorts a folder as if its name ended in a slash.
    fileprivate var sortKey: [UInt8] { Array((isFolder ? name + "/" : name).utf8) }
  }

  static func tree(_ children: [Child]) -> Digest {
    var content: [UInt8] = []
    for child in children.sorted(by: { $0.sortKey.lexicographicallyPrecedes($1.sortKey) }) {
      content += Array("\(child.isFolder ? "40000" : "100644") \(child.name)\0".utf8)
      content += Hexadecimal.bytes(child.oid.hex)
    }
    return name("tree", content)
  }

  static func commit(_ commit: Commit) -> Digest {
    var text = "tree \(commit.tree.hex)\n"
    for parent in commit.parents { text += "parent \(parent.hex)\n" }
    let signature = "\(commit.author) <\(commit.author)@localhost> \(commit.date.seconds) +0000"
    text += "author \(signature)\ncommitter \(signature)\n\n\(commit.message)\n"
    return name("commit", Array(text.utf8))
  }

  private static func name(_ kind: String, _ content: [UInt8]) -> Digest {
    let hasher = Digest.Hasher(.sha1)
    hasher.update(Array("\(kind) \(content.count)\0".utf8))
    hasher.update(content)
    return hasher.finish()
  }
}
