// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
package import SystemPackage

/// Reading of a safetensors file's header.
package enum SafetensorsFile {
  /// Reads and checks the header; no tensor is read.
  package static func header(of path: FilePath) throws -> SafetensorsHeader {
    let file = try File(path, .read)
    let size = try file.size
    do throws(SafetensorsFault) {
      guard size >= 8 else { throw .tooShort(size) }
      let prefix: [UInt8]
      let text: [UInt8]
      do {
        prefix = try file.bytes(at: 0, count: 8)
        let length = try SafetensorsHeader.length(prefix: prefix, fileSize: size)
        text = try file.bytes(at: 8, count: length)
      } catch let fault as SafetensorsFault {
        throw fault
      } catch {
        throw .truncated(missing: 0)
      }
      return try SafetensorsHeader(text: text, fileSize: size)
    } catch {
      throw WeightsError.brokenSafetensors(path, error)
    }
  }
}
