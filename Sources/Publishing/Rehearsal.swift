// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Hub
internal import Storage
package import SystemPackage

/// What a publication would come to, found out without changing anything on the hub.
package struct Rehearsal: Sendable {
  /// Whose token it is; nil if the hub does not tell.
  package let account: Account?
  package let isNewRepository: Bool
  package let isNewBranch: Bool
  package let files: Int
  /// Bytes of all files.
  package let bytes: Int
  /// Files that the commit would add or change; all of them if the repository has yet to be made.
  package let changed: [String]
  package let unchanged: [String]
  package let ignored: [String]
  package let deleted: [String]
  /// Bytes that would be sent; the rest is on the hub already.
  package let bytesToSend: Int
  /// What may go wrong all the same.
  package let doubts: [String]
}

extension Publication {
  /// Does everything that `push` does up to the first change, permissions included.
  package func rehearse(_ folder: FilePath, _ selection: FileSelection = .everything)
    async throws -> Rehearsal
  {
    let files = try files(in: folder, selection)
    try await repository.checkCard(in: files)
    let (account, doubts) = try await permissions()
    let bytes = files.reduce(0) { $0 + $1.size }
    guard let ground = try await existingGround() else {
      return Rehearsal(
        account: account, isNewRepository: true, isNewBranch: false, files: files.count,
        bytes: bytes, changed: files.map(\.path), unchanged: [], ignored: [], deleted: [],
        bytesToSend: bytes, doubts: doubts)
    }
    let staging = try await examine(files, in: folder, on: ground)
    let missing = try await repository.missingObjects(of: staging, at: ground.base)
    let deleted = try await repository.deletions(
      at: staging.head, matching: terms.deleting, except: staging)
    var counted: Set<Digest> = []
    let toSend = staging.changed.reduce(0) { total, file in
      let isSent = file.digest.algorithm == .sha1 || missing.contains(file.digest)
      return isSent && counted.insert(file.digest).inserted ? total + file.size : total
    }
    return Rehearsal(
      account: account, isNewRepository: false, isNewBranch: ground.isNewBranch,
      files: files.count, bytes: bytes, changed: staging.changed.map(\.path),
      unchanged: staging.unchanged, ignored: staging.ignored, deleted: deleted,
      bytesToSend: toSend, doubts: [])
  }

  /// What the token says that it may do.
  ///
  /// - Throws: `PublicationError.readOnlyToken`; `HubError` if the hub does not know the token.
  func permissions() async throws -> (account: Account?, doubts: [String]) {
    let account: Account
    do {
      account = try await repository.client.whoAmI()
    } catch let error as HubError where error.kind == .forbidden || error.kind == .notFound {
      return (nil, [])
    }
    if account.role == .read { throw PublicationError.readOnlyToken(account: account.name) }
    guard let namespace = repository.id.namespace, namespace != account.name,
      !account.organizations.contains(namespace)
    else { return (account, []) }
    return (account, ["\(account.name) is not a member of \(namespace)"])
  }

  /// The repository as it is; nil if it has yet to be made.
  func existingGround() async throws -> Ground? {
    do {
      let ground = try await ground()
      guard terms.acceptsExisting else {
        throw HubError(.repositoryExists, repository: repository.id)
      }
      return ground
    } catch let error as HubError where error.kind == .repositoryNotFoundOrPrivate {
      return nil
    }
  }
}
