// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Publishing

extension ErrorReport {
  /// Why a release cannot be made.
  init(_ error: ReleaseError) {
    switch error {
    case .inProgress(let folder):
      self.init(
        .tryAgain, "another hubmerge is at work on this release", why: "\(folder) is locked")
    case .shardTooLarge(let name, let size, let room):
      self.init(
        .cannotCreate, "there is no room for a single shard",
        why:
          "\(name) has \(Quantity.bytes(size)), and \(Quantity.bytes(room)) of disk may be taken",
        advice: "make smaller shards with --out-shard-size, or allow more with --disk")
    case .memoryTooSmall(let needed, let limit):
      self.init(
        .cannotCreate, "the merge does not fit into \(Quantity.bytes(limit)) of memory",
        why: "with one thread it takes about \(Quantity.bytes(needed))",
        advice: "allow more with --memory")
    }
  }

  /// Why a model is not published.
  init(_ error: PublicationError) {
    switch error {
    case .isPublic(let id):
      self.init(
        .cannotCreate, "\(id) exists already, and everybody can see it",
        why: "--private holds for a repository that is made, not for one that is there",
        advice: "make it private in its settings, choose another name, or leave out --private")
    case .tagTaken(let tag, let id, let commit):
      self.init(
        .cannotCreate, "\(id) has a tag \(tag) already", why: "it names the commit \(commit)",
        advice: "choose another tag; nothing has been uploaded")
    case .readOnlyToken(let account):
      self.init(
        .notPermitted, "the token of \(account) may only read",
        advice: "make one with the role \"write\" in the hub's settings and put it into HF_TOKEN")
    case .notAsPublished(let id, let commit, let paths):
      let more = paths.count > 3 ? " and \(paths.count - 3) more" : ""
      self.init(
        .inputOutput, "\(id) does not hold at \(commit) what was sent",
        why: "different: " + paths.prefix(3).joined(separator: ", ") + more,
        advice: "look at the history of the repository; push again")
    }
  }
}
