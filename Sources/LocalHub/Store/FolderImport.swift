// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Hub
internal import Storage
internal import SystemPackage

extension Store {
  /// Makes a commit of all files of a folder, in a repository that is created if it is missing.
  ///
  /// Hidden files and folders stay behind.
  ///
  /// - Parameter boundary: A folder that no symlink may lead out of.
  func importFolder(
    _ source: FilePath, within boundary: FilePath, as id: RepoID, message: String,
    largeFrom limit: Int
  ) throws -> CommitID {
    let files = try FileSystem.files(below: source).filter { file in
      !file.components.contains { $0.string.hasPrefix(".") }
    }
    for file in files { try Self.check(source.pushing(file), within: boundary) }
    let created = try create(id, isPrivate: false, author: "local")
    guard let repository = created ?? repository(id) else { throw DamagedStore(path: source) }
    let tree = try repository.tree(try repository.resolve("main"))
    let attributes = GitAttributes(
      try tree[".gitattributes"].map { String(decoding: try blobs.read($0.blob), as: UTF8.self) }
        ?? "")
    var change = StoredRepository.Change(title: message, author: "local")
    for file in files {
      let path = try RepoPath.check(file.string)
      let full = source.pushing(file)
      let size = try FileSystem.size(full)
      let sample = try File(full, .read).bytes(at: 0, count: min(size, 512))
      let upload = UploadMode(
        path: path, size: size, sample: sample, attributes: attributes, largeFrom: limit)
      let entry: TreeEntry
      switch upload {
      case .regular:
        let content = try FileSystem.read(full)
        _ = try blobs.store(content)
        entry = TreeEntry(path: path, content: content)
      case .lfs:
        let digest = try blobs.copy(full)
        entry = TreeEntry(path: path, lfs: LFSPointer(digest: digest, size: size))
      }
      if tree[path] != entry { change.edits.append(.put(entry)) }
    }
    guard !change.edits.isEmpty else { return try repository.resolve("main") }
    return try repository.commit(change, to: "main")
  }

  private static func check(_ file: FilePath, within boundary: FilePath) throws {
    guard FileSystem.kindWithoutFollowing(file) == .symlink else { return }
    guard let real = FileSystem.resolved(file), let home = FileSystem.resolved(boundary),
      real.starts(with: home)
    else {
      throw HubServer.Failure.linkLeavesFolder(
        file, target: FileSystem.resolved(file) ?? FileSystem.symlinkTarget(file) ?? file)
    }
  }
}

/// How a file travels: inside the commit, or as an object of its own before it.
enum UploadMode: String {
  case regular
  case lfs

  /// The hub's decision: empty files are regular; else the attributes decide, the size, and whether
  /// the first bytes are text.
  init(path: String, size: Int, sample: [UInt8], attributes: GitAttributes, largeFrom limit: Int) {
    let isLarge = size > 0 && (attributes.isLarge(path) || size > limit || Self.isBinary(sample))
    self = isLarge ? .lfs : .regular
  }

  private static func isBinary(_ sample: [UInt8]) -> Bool {
    if sample.contains(0) { return true }
    // The sample may end inside a character: up to three bytes of one are no evidence.
    return !(0...min(3, sample.count)).contains { cut in
      String(validating: sample.dropLast(cut), as: UTF8.self) != nil
    }
  }
}
