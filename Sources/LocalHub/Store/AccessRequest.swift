// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
internal import NIOHTTP1
internal import Storage
internal import Synchronization
internal import SystemPackage

/// Somebody's wish to have the files of a gated repository, and what became of it.
struct AccessRequest: Sendable {
  enum Status: String { case pending, accepted, rejected }

  let user: String
  var status: Status
  let since: Timestamp

  /// Names the request without naming the user.
  var id: String { String(Digest.sha256(Array(user.utf8)).hex.prefix(24)) }
}

extension StoredRepository {
  private var accessPath: FilePath { folder.appending("access.json") }

  /// All requests, the oldest first.
  func accessRequests() throws -> [AccessRequest] {
    guard FileSystem.exists(accessPath) else { return [] }
    let stored = try JSON.parse(try FileSystem.read(accessPath))
    return try (stored.array ?? []).map { item in
      guard let user = item["user"]?.string, let since = item["since"]?.int,
        let status = item["status"]?.string.flatMap(AccessRequest.Status.init)
      else { throw DamagedStore(path: accessPath) }
      return AccessRequest(user: user, status: status, since: Timestamp(seconds: since))
    }
  }

  /// Notes what becomes of a user's wish, made now if there was none.
  func setAccess(of user: String, to status: AccessRequest.Status) throws {
    try changing.withLock { _ in
      var requests = try accessRequests()
      if let index = requests.firstIndex(where: { $0.user == user }) {
        requests[index].status = status
      } else {
        requests.append(AccessRequest(user: user, status: status, since: .now))
      }
      let stored = requests.map { request -> JSON in
        [
          "user": .string(request.user), "status": .string(request.status.rawValue),
          "since": .int(request.since.seconds),
        ]
      }
      try FileSystem.write(
        JSON.array(stored).serialized(.compact), to: accessPath, durable: true)
    }
  }

  /// Whether a caller who may see the repository may also have its files: not everybody if it is gated.
  func admits(_ caller: Caller) throws -> Bool {
    guard try settings.gate != nil else { return true }
    guard let name = caller.name else { return false }
    if caller.canWrite(to: id.namespace) { return true }
    return try accessRequests().contains { $0.user == name && $0.status == .accepted }
  }
}

extension HubFailure {
  static func gated(_ id: RepoID, anonymous: Bool) -> HubFailure {
    HubFailure(
      anonymous ? .unauthorized : .forbidden, code: "GatedRepo",
      anonymous
        ? "Access to \(id.kind.rawValue) \(id) is restricted. You must have access to it and be authenticated to "
          + "access it. Please log in."
        : "Access to \(id.kind.rawValue) \(id) is restricted and you are not in the authorized list."
    )
  }
}
