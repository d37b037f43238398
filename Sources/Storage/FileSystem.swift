// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import CPlatform
internal import Glibc
package import SystemPackage

/// The operations on names of files and folders.
package enum FileSystem {
  package enum Kind: Sendable { case file, folder, symlink, other }

  /// What is at `path`, symlinks followed; nil if nothing is (or a link leads nowhere).
  package static func kind(_ path: FilePath) -> Kind? {
    var info = stat()
    guard stat(path.string, &info) == 0 else { return nil }
    return kind(of: info)
  }

  /// What is at `path` itself, a symlink not followed.
  package static func kindWithoutFollowing(_ path: FilePath) -> Kind? {
    var info = stat()
    guard lstat(path.string, &info) == 0 else { return nil }
    return kind(of: info)
  }

  package static func exists(_ path: FilePath) -> Bool { kind(path) != nil }

  /// Length in bytes of the file at `path`, symlinks followed.
  package static func size(_ path: FilePath) throws(StorageError) -> Int {
    try status(path).size
  }

  /// Length, time of last change (nanoseconds since 1970) and identity of a file.
  package static func status(_ path: FilePath) throws(StorageError) -> FileStatus {
    var info = stat()
    guard stat(path.string, &info) == 0 else { throw StorageError("examine", path) }
    return FileStatus(
      size: Int(info.st_size),
      modified: Int(info.st_mtim.tv_sec) * 1_000_000_000 + Int(info.st_mtim.tv_nsec),
      inode: UInt64(info.st_ino))
  }

  /// Creates a folder and those above it that are missing.
  package static func createFolder(_ path: FilePath) throws(StorageError) {
    if mkdir(path.string, 0o777) == 0 { return }
    switch errno {
    case EEXIST where kind(path) == .folder: return
    case ENOENT where !path.removingLastComponent().isEmpty:
      try createFolder(path.removingLastComponent())
      guard mkdir(path.string, 0o777) == 0 || errno == EEXIST else {
        throw StorageError("create", path)
      }
    default: throw StorageError("create", path)
    }
  }

  /// The names in a folder, sorted by bytes.
  package static func names(in folder: FilePath) throws(StorageError) -> [String] {
    guard let handle = opendir(folder.string) else { throw StorageError("list", folder) }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
  }

  /// The regular files below a folder as relative paths, sorted; symlinks to files count, symlinks
  /// to folders are not entered.
  package static func files(below folder: FilePath) throws(StorageError) -> [FilePath] {
    var found: [FilePath] = []
    var open: [FilePath] = [""]
    while let relative = open.popLast() {
      for name in try names(in: folder.pushing(relative)) {
        let path = relative.appending(name)
        let full = folder.pushing(path)
        switch kind(full) {
        case .file: found.append(path)
        case .folder where kindWithoutFollowing(full) == .folder: open.append(path)
        default: break
        }
      }
    }
    return found.sorted { Array($0.string.utf8).lexicographicallyPrecedes(Array($1.string.utf8)) }
  }

  /// The content of a file.
  ///
  /// - Parameter limit: The most bytes that are read; a larger file is an error.
  package static func read(_ path: FilePath, limit: Int = .max) throws(StorageError) -> [UInt8] {
    let file = try File(path, .read)
    let size = try file.size
    guard size <= limit else {
      throw StorageError(
        "read", path, errno: .fileTooLarge, detail: "\(size) bytes are more than such a file has")
    }
    return try file.bytes(at: 0, count: size)
  }

  /// Writes a file so that it appears whole or not at all: under another name first, then renamed.
  ///
  /// - Parameter durable: Whether to wait until the content is on the disk before the rename.
  package static func write(_ bytes: [UInt8], to path: FilePath, durable: Bool = false)
    throws(StorageError)
  {
    let draft = temporarySibling(of: path)
    do throws(StorageError) {
      let file = try File(draft, .create)
      try file.write(bytes, at: 0)
      if durable { try file.sync() }
      try rename(draft, to: path)
    } catch {
      unlink(draft.string)
      throw error
    }
    if durable { try syncFolder(path.removingLastComponent()) }
  }

  package static func write(_ text: String, to path: FilePath, durable: Bool = false)
    throws(StorageError)
  {
    try write(Array(text.utf8), to: path, durable: durable)
  }

  /// A name next to `path` that nothing has yet, hidden, ending in `.tmp`.
  package static func temporarySibling(of path: FilePath) -> FilePath {
    let name = path.lastComponent?.string ?? "file"
    let tag = String(UInt64.random(in: 0...UInt64.max), radix: 36)
    return path.removingLastComponent().appending(".\(name).\(tag).tmp")
  }

  /// Renames, replacing a file that is in the way.
  package static func rename(_ path: FilePath, to target: FilePath) throws(StorageError) {
    guard Glibc.rename(path.string, target.string) == 0 else { throw StorageError("rename", path) }
  }

  /// Renames a file or folder; fails if the target exists.
  package static func renameNew(_ path: FilePath, to target: FilePath) throws(StorageError) {
    guard cp_rename_new(path.string, target.string) == 0 else {
      throw StorageError("create", target)
    }
  }

  /// Removes a file, or a folder with all that is in it; symlinks are removed, never followed.
  package static func remove(_ path: FilePath) throws(StorageError) {
    switch kindWithoutFollowing(path) {
    case nil: return
    case .folder:
      for name in try names(in: path) { try remove(path.appending(name)) }
      guard rmdir(path.string) == 0 || errno == ENOENT else { throw StorageError("remove", path) }
    default:
      guard unlink(path.string) == 0 || errno == ENOENT else { throw StorageError("remove", path) }
    }
  }

  /// Removes a folder that has nothing in it.
  package static func removeEmptyFolder(_ path: FilePath) throws(StorageError) {
    guard rmdir(path.string) == 0 else { throw StorageError("remove", path) }
  }

  package static func createSymlink(_ path: FilePath, to target: FilePath) throws(StorageError) {
    guard symlink(target.string, path.string) == 0 else { throw StorageError("link", path) }
  }

  /// Where a symlink leads, as written in it; nil if `path` is not one.
  package static func symlinkTarget(_ path: FilePath) -> FilePath? {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let n = buffer.withUnsafeMutableBytes {
      readlink(path.string, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
    }
    return n > 0 ? FilePath(String(decoding: buffer[..<n], as: UTF8.self)) : nil
  }

  /// Copies a file's content, by reference where the file system can; the copy appears whole.
  package static func copy(_ path: FilePath, to target: FilePath) throws(StorageError) {
    let draft = temporarySibling(of: target)
    do throws(StorageError) {
      let source = try File(path, .read)
      let copy = try File(draft, .create)
      try copy.copy(from: source, at: 0, to: 0, count: source.size)
      try rename(draft, to: target)
    } catch {
      unlink(draft.string)
      throw error
    }
  }

  /// Makes renames inside a folder durable.
  package static func syncFolder(_ path: FilePath) throws(StorageError) {
    let fd = open(path.isEmpty ? "." : path.string, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard fd >= 0 else { throw StorageError("sync", path) }
    defer { close(fd) }
    // Some file systems cannot sync a folder and say EINVAL; there is nothing more to do then.
    guard fsync(fd) == 0 || errno == EINVAL else { throw StorageError("sync", path) }
  }

  /// Bytes that this user may still write to the file system of `path` (or of the nearest folder
  /// above it that exists).
  package static func freeSpace(at path: FilePath) -> Int? {
    var folder = path
    while !exists(folder), !folder.isEmpty { folder.removeLastComponent() }
    var info = statvfs()
    guard statvfs(folder.isEmpty ? "." : folder.string, &info) == 0 else { return nil }
    return Int(info.f_bavail) * Int(info.f_frsize)
  }

  /// Fails if nothing can be made at `path` because of the nearest folder above it that exists.
  package static func checkWritable(nearest path: FilePath) throws(StorageError) {
    var folder = path.removingLastComponent()
    while kindWithoutFollowing(folder) == nil, !folder.isEmpty { folder.removeLastComponent() }
    let name = folder.isEmpty ? "." : folder.string
    guard kind(FilePath(name)) == .folder else {
      throw StorageError("create", path, errno: .notDirectory)
    }
    guard access(name, W_OK | X_OK) == 0 else { throw StorageError("create", path) }
  }

  /// The absolute path with symlinks resolved; nil if it does not exist.
  package static func resolved(_ path: FilePath) -> FilePath? {
    guard let real = realpath(path.string, nil) else { return nil }
    defer { free(real) }
    return FilePath(String(cString: real))
  }

  private static func kind(of info: stat) -> Kind {
    switch info.st_mode & S_IFMT {
    case S_IFREG: .file
    case S_IFDIR: .folder
    case S_IFLNK: .symlink
    default: .other
    }
  }
}

/// What a file looked like at one moment; equal values mean that it has (almost certainly) not changed.
package struct FileStatus: Hashable, Sendable {
  package let size: Int
  /// Nanoseconds since 1970.
  package let modified: Int
  package let inode: UInt64

  package init(size: Int, modified: Int, inode: UInt64) {
    self.size = size
    self.modified = modified
    self.inode = inode
  }
}
