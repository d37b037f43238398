// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Storage
import SystemPackage
import TestSupport
import Testing

@Suite("Names of files and folders")
struct FileSystemTests {
  @Test("A written file replaces the old one and leaves no draft behind")
  func writesWhole() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("a.json")
      try FileSystem.write("first, and longer", to: path)
      try FileSystem.write("second", to: path, durable: true)
      #expect(try FileSystem.read(path) == Array("second".utf8))
      #expect(try FileSystem.names(in: folder) == ["a.json"])
    }
  }

  @Test("A write that fails leaves the old file and no draft")
  func failedWrite() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("taken")
      try FileSystem.createFolder(path.appending("inside"))
      #expect(throws: StorageError.self) { try FileSystem.write("text", to: path) }
      #expect(try FileSystem.names(in: folder) == ["taken"])
      #expect(throws: StorageError.self) {
        try FileSystem.write("text", to: folder.appending("missing").appending("a"))
      }
    }
  }

  @Test("A written file is seen through a link by nobody: the link is replaced, not followed")
  func writeReplacesLink() throws {
    try withTemporaryFolder { folder in
      let target = folder.appending("target")
      let link = folder.appending("link")
      try FileSystem.write("old", to: target)
      try FileSystem.createSymlink(link, to: target)
      try FileSystem.write("new", to: link)
      #expect(try FileSystem.read(target) == Array("old".utf8))
      #expect(FileSystem.kindWithoutFollowing(link) == .file)
    }
  }

  @Test("renameNew moves files and folders, but never over something")
  func renamesOnlyToNewNames() throws {
    try withTemporaryFolder { folder in
      let (a, b, c) = (folder.appending("a"), folder.appending("b"), folder.appending("c"))
      try FileSystem.write("a", to: a)
      try FileSystem.write("b", to: b)
      let error = #expect(throws: StorageError.self) { try FileSystem.renameNew(a, to: b) }
      #expect(error?.errno == .fileExists)
      #expect(error?.path == b)
      #expect(try FileSystem.read(b) == Array("b".utf8))
      try FileSystem.renameNew(a, to: c)
      #expect(try FileSystem.names(in: folder) == ["b", "c"])

      let (full, empty) = (folder.appending("full"), folder.appending("empty"))
      try FileSystem.createFolder(full.appending("x"))
      try FileSystem.createFolder(empty)
      #expect(throws: StorageError.self) { try FileSystem.renameNew(full, to: empty) }
      try FileSystem.removeEmptyFolder(empty)
      try FileSystem.renameNew(full, to: empty)
      #expect(try FileSystem.names(in: empty) == ["x"])
    }
  }

  @Test("Folders are created with those above them, and again without complaint")
  func createsFolders() throws {
    try withTemporaryFolder { folder in
      let deep = folder.appending("a").appending("b").appending("c")
      try FileSystem.createFolder(deep)
      try FileSystem.createFolder(deep)
      #expect(FileSystem.kind(deep) == .folder)
      try FileSystem.write("x", to: folder.appending("file"))
      #expect(throws: StorageError.self) {
        try FileSystem.createFolder(folder.appending("file").appending("below"))
      }
      #expect(throws: StorageError.self) { try FileSystem.createFolder(folder.appending("file")) }
    }
  }

  @Test("Names are sorted by bytes and hold what the folder holds")
  func sortsNames() throws {
    try withTemporaryFolder { folder in
      for name in ["b", "B", "10", "2", ".hidden", "ä"] {
        try FileSystem.write(name, to: folder.appending(name))
      }
      #expect(try FileSystem.names(in: folder) == [".hidden", "10", "2", "B", "b", "ä"])
      #expect(throws: StorageError.self) { try FileSystem.names(in: folder.appending("b")) }
    }
  }

  @Test("Files below a folder: links to files count, links to folders are not entered")
  func listsFilesBelow() throws {
    try withTemporaryFolder { folder in
      let inside = folder.appending("inside")
      let outside = folder.appending("outside")
      try FileSystem.createFolder(inside.appending("deep"))
      try FileSystem.createFolder(outside)
      try FileSystem.write("1", to: outside.appending("secret"))
      try FileSystem.write("2", to: inside.appending("b"))
      try FileSystem.write("3", to: inside.appending("deep").appending("a"))
      try FileSystem.createSymlink(inside.appending("file"), to: "../outside/secret")
      try FileSystem.createSymlink(inside.appending("folder"), to: "../outside")
      try FileSystem.createSymlink(inside.appending("loop"), to: ".")
      try FileSystem.createSymlink(inside.appending("broken"), to: "nowhere")
      #expect(try FileSystem.files(below: inside) == ["b", "deep/a", "file"])
    }
  }

  @Test("Removing takes away links, never what they lead to")
  func removesWithoutFollowing() throws {
    try withTemporaryFolder { folder in
      let outside = folder.appending("outside")
      try FileSystem.createFolder(outside)
      try FileSystem.write("kept", to: outside.appending("file"))
      let doomed = folder.appending("doomed")
      try FileSystem.createFolder(doomed.appending("deep"))
      try FileSystem.write("x", to: doomed.appending("deep").appending("y"))
      try FileSystem.createSymlink(doomed.appending("link"), to: outside)
      try FileSystem.createSymlink(doomed.appending("broken"), to: "nowhere")
      try FileSystem.remove(doomed)
      #expect(try FileSystem.names(in: folder) == ["outside"])
      #expect(try FileSystem.read(outside.appending("file")) == Array("kept".utf8))

      let link = folder.appending("link")
      try FileSystem.createSymlink(link, to: outside)
      try FileSystem.remove(link)
      #expect(FileSystem.kindWithoutFollowing(link) == nil)
      #expect(try FileSystem.names(in: outside) == ["file"])
      try FileSystem.remove(folder.appending("never was"))
    }
  }

  @Test("Only an empty folder is removed as an empty folder")
  func removesEmptyFolder() throws {
    try withTemporaryFolder { folder in
      let full = folder.appending("full")
      try FileSystem.createFolder(full.appending("x"))
      #expect(throws: StorageError.self) { try FileSystem.removeEmptyFolder(full) }
      #expect(FileSystem.exists(full.appending("x")))
    }
  }

  @Test("What a path is, with and without following links")
  func tellsKinds() throws {
    try withTemporaryFolder { folder in
      let link = folder.appending("link")
      try FileSystem.createSymlink(link, to: "target")
      #expect(FileSystem.kind(link) == nil)
      #expect(!FileSystem.exists(link))
      #expect(FileSystem.kindWithoutFollowing(link) == .symlink)
      #expect(FileSystem.symlinkTarget(link) == "target")
      try FileSystem.createFolder(folder.appending("target"))
      #expect(FileSystem.kind(link) == .folder)
      #expect(FileSystem.symlinkTarget(folder.appending("target")) == nil)
      #expect(FileSystem.resolved(link) == FileSystem.resolved(folder.appending("target")))
      #expect(FileSystem.resolved(folder.appending("nothing")) == nil)
      #expect(FileSystem.kind("/dev/null") == .other)
    }
  }

  @Test("A copy has the content, replaces what was there, and fails without a trace")
  func copies() throws {
    try withTemporaryFolder { folder in
      let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 >> 5) }
      let (a, b) = (folder.appending("a"), folder.appending("b"))
      try FileSystem.write(bytes, to: a)
      try FileSystem.write("old", to: b)
      try FileSystem.copy(a, to: b)
      #expect(try FileSystem.read(b) == bytes)
      try FileSystem.write([UInt8](), to: a)
      try FileSystem.copy(a, to: b)
      #expect(try FileSystem.read(b) == [])
      #expect(throws: StorageError.self) { try FileSystem.copy(folder.appending("c"), to: b) }
      #expect(try FileSystem.names(in: folder) == ["a", "b"])
    }
  }

  @Test("The status tells a changed file from an unchanged one")
  func tellsChanges() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("a")
      try FileSystem.write("same size", to: path)
      let before = try FileSystem.status(path)
      #expect(try FileSystem.status(path) == before)
      #expect(before.size == 9)
      try FileSystem.write("same_size", to: path)
      #expect(try FileSystem.status(path) != before)
      #expect(throws: StorageError.self) { try FileSystem.status(folder.appending("b")) }
    }
  }

  @Test("Free space is told for a folder that does not exist yet")
  func tellsFreeSpace() throws {
    try withTemporaryFolder { folder in
      let free = try #require(FileSystem.freeSpace(at: folder.appending("a").appending("b")))
      #expect(free > 0)
      #expect(FileSystem.freeSpace(at: "relative/path/that/is/not/there") != nil)
    }
  }

  @Test("Errors say what was tried, where and why")
  func describesErrors() throws {
    let error = #expect(throws: StorageError.self) { try FileSystem.read("/no/such/file") }
    #expect(error?.description == "cannot open /no/such/file: No such file or directory")
    #expect(error?.isDiskFull == false)
    #expect(StorageError("write", "/x", errno: .noSpace).isDiskFull)
    #expect(
      StorageError("read", "/x", errno: .ioError, detail: "it ends").description
        == "cannot read /x: it ends")
  }
}

@Suite("A lock on a file")
struct FileLockTests {
  @Test("Only one holds the lock; it is free when the holder is gone; the file stays")
  func excludes() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("lock")
      do {
        let first = try #require(try FileLock.tryLock(path))
        #expect(try FileLock.tryLock(path) == nil)
        withExtendedLifetime(first) {}
      }
      let second = try FileLock.tryLock(path)
      #expect(second != nil)
      withExtendedLifetime(second) {}
      #expect(FileSystem.exists(path))
    }
  }

  @Test("Waiting for a lock ends when the holder lets go")
  func waits() async throws {
    try await withTemporaryFolder { folder in
      let path = folder.appending("lock")
      var first = try FileLock.tryLock(path)
      #expect(first != nil)
      let waiter = Task.detached { try FileLock(waitingFor: path).path }
      try await Task.sleep(for: .milliseconds(20))
      first = nil
      #expect(try await waiter.value == path)
    }
  }

  @Test("A lock in a folder that is not there is an error, not a lock that is held")
  func missingFolder() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending("none").appending("lock")
      let error = #expect(throws: StorageError.self) { try FileLock.tryLock(path) }
      #expect(error?.isNotFound == true)
    }
  }
}
