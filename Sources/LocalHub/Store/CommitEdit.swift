// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Hub
internal import NIOHTTP1
internal import Synchronization

/// One change that a commit makes.
enum CommitEdit: Sendable {
  /// Puts a file, whose content is among the blobs, in place.
  case put(TreeEntry)
  case delete(String)
  case deleteFolder(String)
  /// Puts the content of another file of the branch in place.
  case copy(from: String, to: String)
}

extension StoredRepository {
  /// What a commit is made of.
  struct Change: Sendable {
    var title: String
    var description = ""
    /// The head that the branch must still have.
    var parent: String?
    var edits: [CommitEdit] = []
    var author: String
  }

  /// Makes a commit on a branch or a pull request.
  ///
  /// - Throws: `HubFailure` 412 if the branch has moved on from `change.parent`; 400 for an edit that
  ///   cannot be made. Then nothing has changed.
  func commit(_ change: Change, to revision: String) throws -> CommitID {
    try changing.withLock { _ in
      guard let name = Revision(revision), let ref = refs.find(name) else {
        throw HubFailure.revisionNotFound(revision)
      }
      guard ref.kind != .tag else { throw HubFailure.badRequest("A tag cannot be committed to") }
      if let parent = change.parent, parent != ref.commit.hex {
        throw HubFailure(
          .preconditionFailed, "A commit has happened since. Please refresh and try again.")
      }
      let id = try extend([ref.commit], with: change)
      try refs.set(ref.kind, ref.name, to: id)
      return id
    }
  }

  /// Writes a commit on top of the first of `parents`.
  func extend(_ parents: [CommitID], with change: Change) throws -> CommitID {
    guard let parent = parents.first else { throw DamagedStore(path: folder) }
    let tree = try applying(change.edits, to: try self.tree(parent))
    for case .put(let entry) in change.edits {
      if let lfs = entry.lfs { try own(lfs.digest) }
    }
    let commit = Commit(
      tree: tree.oid, parents: parents, title: change.title, description: change.description,
      author: change.author, date: .now)
    return try write(commit, tree)
  }

  private func applying(_ edits: [CommitEdit], to base: Tree) throws -> Tree {
    var files: [String: TreeEntry] = [:]
    for entry in base.entries { files[entry.path] = entry }
    for edit in edits {
      switch edit {
      case .put(let entry): files[entry.path] = entry
      case .delete(let path):
        guard files.removeValue(forKey: path) != nil else {
          throw HubFailure.badRequest("A file to be deleted does not exist: \(path)")
        }
      case .deleteFolder(let folder):
        let prefix = folder.hasSuffix("/") ? folder : folder + "/"
        files = files.filter { !$0.key.utf8.starts(with: prefix.utf8) }
      case .copy(let source, let target):
        guard let entry = base[source] else {
          throw HubFailure.badRequest("A file to be copied does not exist: \(source)")
        }
        files[target] = TreeEntry(entry, movedTo: target)
      }
    }
    try trackLargeFiles(of: edits, in: &files)
    let tree = Tree(files.values)
    if let both = tree.entries.first(where: { tree.folders[$0.path] != nil }) {
      throw HubFailure.badRequest("\(both.path) cannot be a file and a folder")
    }
    return tree
  }

  /// Adds to `.gitattributes` what a clone with git would need to know about new large files.
  private func trackLargeFiles(of edits: [CommitEdit], in files: inout [String: TreeEntry]) throws {
    let text =
      try files[".gitattributes"].map { String(decoding: try blobs.read($0.blob), as: UTF8.self) }
      ?? ""
    let attributes = GitAttributes(text)
    var added = ""
    for case .put(let entry) in edits where entry.lfs != nil {
      if !attributes.isLarge(entry.path) { added += GitAttributes.line(for: entry.path) }
    }
    guard !added.isEmpty else { return }
    let lineEnd = text.isEmpty || text.hasSuffix("\n") ? "" : "\n"
    let content = Array((text + lineEnd + added).utf8)
    _ = try blobs.store(content)
    files[".gitattributes"] = TreeEntry(path: ".gitattributes", content: content)
  }
}
