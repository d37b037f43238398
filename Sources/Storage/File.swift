// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import CPlatform
internal import Glibc
package import SystemPackage

/// An open file, read and written by position; closed when it goes out of scope.
///
/// Positional calls share no file offset, so any number of threads may use one `File` at once.
package final class File: ByteSource {
  package enum Access: Sendable {
    case read
    /// Reading and writing of a file that exists.
    case update
    /// A new file; fails if there is one.
    case create
    /// A new file, or an existing one with its content kept.
    case createOrUpdate
    /// The same, with all that is written put at its end.
    case append
  }

  package let path: FilePath
  /// The file's descriptor, for calls that this type does not cover; not to be closed by others.
  package let descriptor: Int32

  package init(_ path: FilePath, _ access: Access) throws(StorageError) {
    let flags: Int32 =
      switch access {
      case .read: O_RDONLY
      case .update: O_RDWR
      case .create: O_RDWR | O_CREAT | O_EXCL
      case .createOrUpdate: O_RDWR | O_CREAT
      case .append: O_WRONLY | O_CREAT | O_APPEND
      }
    let fd = retrying { open(path.string, flags | O_CLOEXEC, 0o666) }
    guard fd >= 0 else { throw StorageError(access == .create ? "create" : "open", path) }
    self.path = path
    descriptor = fd
  }

  deinit { close(descriptor) }

  /// Length in bytes.
  package var size: Int {
    get throws(StorageError) {
      var info = stat()
      guard fstat(descriptor, &info) == 0 else { throw StorageError("examine", path) }
      return Int(info.st_size)
    }
  }

  /// Fills `buffer` from `offset` on.
  ///
  /// - Throws: `StorageError` if the file ends before the buffer is full.
  package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int)
    throws(StorageError)
  {
    var done = 0
    while done < buffer.count {
      let n = retrying {
        pread(descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(offset + done))
      }
      if n < 0 { throw StorageError("read", path) }
      if n == 0 {
        throw StorageError("read", path, errno: .ioError, detail: "the file ends too early")
      }
      done += n
    }
  }

  /// The `count` bytes from `offset` on.
  package func bytes(at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
    var failure: StorageError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      do throws(StorageError) {
        try read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
        initialized = count
      } catch { failure = error }
    }
    if let failure { throw failure }
    return bytes
  }

  /// Writes all of `bytes` at `offset`.
  package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(StorageError) {
    var done = 0
    while done < bytes.count {
      let n = retrying {
        pwrite(descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
      }
      guard n > 0 else { throw StorageError("write", path) }
      done += n
    }
  }

  package func write(_ bytes: [UInt8], at offset: Int) throws(StorageError) {
    var failure: StorageError?
    bytes.withUnsafeBytes { buffer in
      do throws(StorageError) { try write(buffer, at: offset) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// Adds a line or two to a file that was opened for appending; they stay together whoever else appends.
  package func append(_ bytes: [UInt8]) throws(StorageError) {
    let written = bytes.withUnsafeBytes { buffer in
      retrying { Glibc.write(descriptor, buffer.baseAddress, buffer.count) }
    }
    guard written == bytes.count else { throw StorageError("write", path) }
  }

  /// Reserves space for `size` bytes, so that a full disk is found before the first one is written
  /// and threads can fill the file in any order.
  package func allocate(_ size: Int) throws(StorageError) {
    guard cp_allocate(descriptor, Int64(size)) == 0 else { throw StorageError("allocate", path) }
  }

  package func truncate(to size: Int) throws(StorageError) {
    guard retrying({ ftruncate(descriptor, off_t(size)) }) == 0 else {
      throw StorageError("truncate", path)
    }
  }

  /// Has the system begin to write to the disk what is only in memory, without waiting for it.
  package func startSync() { cp_start_sync(descriptor) }

  /// Asks the system to read a range ahead.
  package func willRead(_ range: Range<Int>) {
    posix_fadvise(descriptor, off_t(range.lowerBound), off_t(range.count), POSIX_FADV_WILLNEED)
  }

  /// Copies bytes from another file inside the kernel, by reference where the file system can.
  package func copy(from source: File, at offset: Int, to target: Int, count: Int)
    throws(StorageError)
  {
    var done = 0
    while done < count {
      let n = cp_copy_range(
        source.descriptor, Int64(offset + done), descriptor, Int64(target + done),
        Int64(count - done))
      if n > 0 {
        done += Int(n)
      } else if n == 0 {
        throw StorageError("copy", source.path, errno: .ioError, detail: "the file ends too early")
      } else if [EXDEV, EINVAL, ENOSYS, EOPNOTSUPP].contains(Glibc.errno) {
        try copyThroughMemory(
          from: source, at: offset + done, to: target + done, count: count - done)
        return
      } else if Glibc.errno != EINTR {
        throw StorageError("copy", source.path)
      }
    }
  }

  private func copyThroughMemory(from source: File, at offset: Int, to target: Int, count: Int)
    throws(StorageError)
  {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
    defer { buffer.deallocate() }
    var done = 0
    while done < count {
      let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, count - done)])
      try source.read(into: part, at: offset + done)
      try write(UnsafeRawBufferPointer(part), at: target + done)
      done += part.count
    }
  }

  /// Waits until the file's content is on the disk.
  package func sync() throws(StorageError) {
    guard retrying({ fdatasync(descriptor) }) == 0 else { throw StorageError("sync", path) }
  }
}

/// Repeats a system call that a signal interrupted.
func retrying<N: FixedWidthInteger & SignedInteger>(_ call: () -> N) -> N {
  while true {
    let result = call()
    if result != -1 || errno != EINTR { return result }
  }
}
