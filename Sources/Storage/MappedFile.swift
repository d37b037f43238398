// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
package import SystemPackage

/// A file mapped into memory for reading; unmapped when the last reference goes.
///
/// `@unchecked Sendable`: the mapping is read-only and its address never changes, so any thread may
/// read it for as long as it holds the object.
package final class MappedFile: @unchecked Sendable {
  package let path: FilePath
  package let bytes: UnsafeRawBufferPointer

  package init(_ path: FilePath) throws(StorageError) {
    let file = try File(path, .read)
    let size = try file.size
    self.path = path
    guard size > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    let address = mmap(nil, size, PROT_READ, MAP_SHARED, file.descriptor, 0)
    guard let address, address != MAP_FAILED else { throw StorageError("map", path) }
    bytes = UnsafeRawBufferPointer(start: address, count: size)
  }

  deinit {
    if let address = bytes.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: address), bytes.count)
    }
  }

  /// Tells the system that `range` will be read soon, so that a cold disk works ahead.
  package func prefetch(_ range: Range<Int>) { advise(range, MADV_WILLNEED) }

  /// Tells the system that `range` is done with: its pages no longer count as this process's memory.
  package func release(_ range: Range<Int>) { advise(range, MADV_DONTNEED) }

  private func advise(_ range: Range<Int>, _ advice: Int32) {
    guard let address = bytes.baseAddress else { return }
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    // Only whole pages of the range: a neighbour may still be reading the rest.
    let start =
      advice == MADV_DONTNEED
      ? (range.lowerBound + page - 1) / page * page : range.lowerBound / page * page
    let end = advice == MADV_DONTNEED ? range.upperBound / page * page : range.upperBound
    guard start < end else { return }
    madvise(UnsafeMutableRawPointer(mutating: address + start), end - start, advice)
  }
}
