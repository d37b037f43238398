// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Hub
import Storage
import Synchronization

/// A hub of one model with fixed files, large ones in a store of another origin, and faults to order.
final class OneModelHub: Sendable {
  enum Fault: Sendable, Hashable {
    /// The store sends whole files where ranges are asked for.
    case ignoresRanges
    /// A body ends in the middle, this many times.
    case cutsBodies(Int)
    /// The last byte is another, in this many replies.
    case corruptsBodies(Int)
    /// The store takes each address that the hub gives out once only.
    case expires
    /// A body comes a few bytes at a time, this many times.
    case drips(Int)
    /// Another answer without the file, this many times.
    case answers(Int, headers: [String], times: Int)
  }

  static let commit = "1234567890123456789012345678901234567890"
  let files: [String: [UInt8]]
  let hub: ScriptedServer
  let store: ScriptedServer

  /// - Parameter large: Paths that are kept in the store.
  init(
    _ files: [String: [UInt8]], large: Set<String> = [], fault: Fault? = nil, pageSize: Int = 1000
  ) {
    self.files = files
    let count = Mutex(0)
    let signatures = Mutex<Set<String>>([])
    let given = Mutex(0)
    let store = ScriptedServer { request in
      guard let file = files[String(request.path.dropFirst("/store/".count))] else {
        return .init(status: 404)
      }
      let number = count.withLock {
        $0 += 1
        return $0
      }
      if fault == .expires, !signatures.withLock({ $0.insert(request.query).inserted }) {
        return .init(status: 403, body: Array("Request has expired".utf8))
      }
      return Self.body(of: file, request, fault, number)
    }
    self.store = store
    let storeOrigin = store.origin
    let entries = files.keys.sorted().map {
      Self.entry($0, files[$0]!, isLarge: large.contains($0))
    }
    hub = ScriptedServer { request in
      switch request.path {
      case "/api/models/acme/one/revision/main", "/api/models/acme/one":
        return .json(#"{"id":"acme/one","sha":"\#(Self.commit)"}"#)
      case "/api/models/acme/one/tree/\(Self.commit)":
        let start =
          request.query.split(separator: "&").first { $0.hasPrefix("cursor=") }
          .flatMap { Int($0.dropFirst("cursor=".count)) } ?? 0
        let end = min(start + pageSize, entries.count)
        let next = "</api/models/acme/one/tree/\(Self.commit)?recursive=true&cursor=\(end)>"
        return .json(
          "[\(entries[start..<end].joined(separator: ","))]",
          end < entries.count ? [("Link", "\(next); rel=\"next\"")] : [])
      default:
        let prefix = "/acme/one/resolve/\(Self.commit)/"
        guard request.path.hasPrefix(prefix),
          let file = files[String(request.path.dropFirst(prefix.count))]
        else {
          return .json(
            #"{"error":"Entry not found"}"#, status: 404, [("X-Error-Code", "EntryNotFound")])
        }
        let path = String(request.path.dropFirst(prefix.count))
        if large.contains(path) {
          let signature = given.withLock {
            $0 += 1
            return $0
          }
          return .redirect("\(storeOrigin)/store/\(path)?signature=\(signature)")
        }
        return Self.body(of: file, request, nil, 0)
      }
    }
  }

  private static func entry(_ path: String, _ bytes: [UInt8], isLarge: Bool) -> String {
    guard isLarge else {
      return
        #"{"type":"file","oid":"\#(Digest.gitBlob(bytes))","size":\#(bytes.count),"path":"\#(path)"}"#
    }
    let pointer = LFSPointer(digest: .sha256(bytes), size: bytes.count)
    return
      #"{"type":"file","oid":"\#(Digest.gitBlob(Array(pointer.text.utf8)))","size":\#(bytes.count),"#
      + #""path":"\#(path)","lfs":{"oid":"\#(pointer.digest)","size":\#(bytes.count),"pointerSize":130}}"#
  }

  private static func body(
    of file: [UInt8], _ request: ScriptedServer.Request, _ fault: Fault?, _ number: Int
  ) -> ScriptedServer.Reply {
    if case .answers(let status, let headers, let times) = fault, number <= times {
      let fields = headers.map { header in
        let sides = header.split(separator: ":", maxSplits: 1).map(String.init)
        return (sides[0], sides[1])
      }
      return ScriptedServer.Reply(status: status, headers: fields)
    }
    var reply = ScriptedServer.Reply()
    if let range = request.range, fault != .ignoresRanges {
      guard range.lowerBound < file.count else { return .init(status: 416) }
      let end = min(range.upperBound, file.count - 1)
      reply.status = 206
      reply.headers = [("Content-Range", "bytes \(range.lowerBound)-\(end)/\(file.count)")]
      reply.body = Array(file[range.lowerBound...end])
    } else {
      reply.body = file
    }
    if case .drips(let times) = fault, number <= times { reply.drips = true }
    if case .cutsBodies(let times) = fault, number <= times {
      reply.announcedLength = reply.body.count
      reply.body = Array(reply.body.prefix(reply.body.count / 2))
    }
    if case .corruptsBodies(let times) = fault, number <= times, !reply.body.isEmpty {
      reply.body[reply.body.count - 1] ^= 1
    }
    return reply
  }
}
