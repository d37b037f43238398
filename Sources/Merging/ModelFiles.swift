// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
package import SystemPackage

/// The files of a model beside its weights: those of a folder, or those that a merge is going to write.
package struct ModelFiles: Sendable {
  /// What a file has in it.
  package enum Content: Hashable, Sendable {
    /// What the file at a path has.
    case copy(of: FilePath)
    case bytes([UInt8])
  }

  /// Where they are, or would be; for messages.
  package let folder: FilePath
  /// By names; nil for whatever is in the folder.
  private let contents: [String: Content]?

  package init(folder: FilePath) {
    self.folder = folder
    contents = nil
  }

  /// - Parameter folder: What the files are said to be in.
  package init(_ contents: [String: Content], folder: FilePath) {
    self.folder = folder
    self.contents = contents
  }

  /// All of them, by their paths within the folder.
  package var names: [FilePath] {
    guard let contents else { return (try? FileSystem.files(below: folder)) ?? [] }
    return contents.keys.sorted().map { FilePath($0) }
  }

  /// What a file has in it; nil if there is none.
  package func content(_ name: String) -> Content? {
    if let contents { return contents[name] }
    let path = folder.pushing(FilePath(name))
    return FileSystem.kind(path) == .file ? .copy(of: path) : nil
  }

  /// The bytes of a file; nil if there is none.
  ///
  /// - Throws: `StorageError` for a file that cannot be read.
  package func read(_ name: String) throws -> [UInt8]? {
    switch content(name) {
    case .copy(let path): try FileSystem.read(path)
    case .bytes(let bytes): bytes
    case nil: nil
    }
  }

  /// Where a file is, or would be; for messages.
  package func path(_ name: String) -> FilePath { folder.appending(name) }
}
