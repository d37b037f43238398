// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Hub

extension ErrorReport {
  /// What the hub said, or why it could not be asked.
  init(_ error: HubError) {
    let name = error.repository?.description ?? "the repository"
    switch error.kind {
    case .unauthorized:
      self.init(
        .notPermitted, "the hub wants to know who you are", advice: Self.login)
    case .invalidToken:
      self.init(
        .notPermitted, "the hub does not accept the token",
        advice: "make a new one in the hub's settings and put it into HF_TOKEN")
    case .publisherRefused(let resource):
      self.init(
        .notPermitted, "the hub does not trust this job to publish to \(resource)",
        advice: "name this repository and workflow as a trusted publisher in the hub's settings")
    case .gated:
      let page = error.page.map { "at \($0)" } ?? "on its page"
      self.init(
        .notPermitted, "\(name) is gated",
        advice: error.exchange?.status == 401
          ? "accept its conditions \(page), then \(Self.login)"
          : "ask for access \(page), then use a token of the same account")
    case .repositoryDisabled: self.init(.notPermitted, "\(name) has been disabled by the hub")
    case .repositoryNotFoundOrPrivate:
      self.init(
        .missingInput, "there is no \(name), or it is private",
        advice: "check the name; for a private repository " + Self.login)
    case .revisionNotFound: self.init(.missingInput, "\(name) has no such revision")
    case .entryNotFound: self.init(.missingInput, "\(name) has no such file")
    case .notFound: self.init(.missingInput, "the hub does not have what was asked for")
    case .forbidden:
      self.init(
        .notPermitted, "the hub does not allow this for \(name)",
        advice: "use a token that may write to it")
    case .conflict:
      self.init(.tryAgain, "somebody else is changing \(name)", advice: "try again in a moment")
    case .staleParent:
      self.init(.tryAgain, "\(name) has a newer commit", advice: "look at it and push again")
    case .payloadTooLarge: self.init(.unavailable, "the hub finds the upload too large")
    case .rangeNotSatisfiable:
      self.init(.inputOutput, "a file of \(name) is shorter than announced")
    case .badRequest: self.init(.unavailable, "the hub does not accept the request")
    case .rateLimited(let seconds):
      self.init(
        .tryAgain, "the hub's rate limit is used up",
        advice: seconds.map { "try again in \($0) s" } ?? "try again in some minutes")
    case .server: self.init(.tryAgain, "the hub has a problem", advice: "try again later")
    case .cardRejected(let reasons):
      self.init(
        .badInput, "the hub rejects the model card", why: reasons.joined(separator: "; "),
        advice: "correct README.md and push again; nothing has been uploaded")
    case .objectsMissing(let digests):
      self.init(
        .tryAgain, "the hub has lost \(digests.count == 1 ? "a file" : "files") sent to \(name)",
        advice: "run the same command again; they are sent once more")
    case .repositoryExists:
      self.init(
        .cannotCreate, "\(name) exists already",
        advice: "choose another name, or leave out --no-exist-ok")
    case .offline:
      self.init(
        .unavailable, "\(name) is not in the cache, and the hub is not asked when offline",
        advice: "run once without --offline and HF_HUB_OFFLINE")
    case .unreachable(let host, let reason):
      self.init(
        .unavailable, "\(host) cannot be reached", why: reason, advice: "check the network")
    case .insecure(let host, let reason):
      self.init(.unavailable, "the connection to \(host) is not secure", why: reason)
    case .timedOut(let host):
      self.init(.tryAgain, "\(host) does not answer", advice: "try again; it goes on where it was")
    case .interrupted(let host, let reason):
      self.init(
        .tryAgain, "the connection to \(host) broke", why: reason,
        advice: "try again; it goes on where it was")
    case .redirectRefused(let reason):
      self.init(.unavailable, "the hub redirects to where no client should go", why: reason)
    case .unexpectedReply(let reason):
      self.init(.unavailable, "the server does not speak as a hub does", why: reason)
    case .rangesIgnored:
      self.init(
        .unavailable, "the server cannot send parts of files",
        advice: "fetch whole files: merge without --stream")
    case .corrupt(let path, let expected, let actual):
      self.init(
        .inputOutput, "\(path) arrives damaged", why: "its digest is \(actual), not \(expected)",
        advice: "try again; if it stays so, the file on the hub is damaged")
    case .unsafePath(let path):
      self.init(.badInput, "\(name) has a file that would leave its folder", why: "\"\(path)\"")
    case .notInCache:
      self.init(.missingInput, "\(name) is not in the cache", advice: "fetch it while online")
    case .incompleteSnapshot(let missing):
      self.init(
        .missingInput, "\(name) is not complete in the cache",
        why: "missing: " + missing.prefix(3).joined(separator: ", "),
        advice: "fetch it while online")
    case .diskFull(let needed, let free):
      self.init(
        .cannotCreate, "the disk is too small for \(name)",
        why: "\(Quantity.bytes(needed)) are needed, \(Quantity.bytes(free)) are free")
    case .fileChanged(let path):
      self.init(.inputOutput, "\(path) changed while it was being uploaded", advice: "push again")
    case .nothingToUpload: self.init(.missingInput, "there is nothing to upload")
    }
    if why == nil { why = Self.exchange(error) }
  }

  private static let login = "put a token into HF_TOKEN, or log in with \"hf auth login\""

  private static func exchange(_ error: HubError) -> String? {
    guard let exchange = error.exchange else { return nil }
    var text = "\(exchange.method) \(exchange.url)"
    if let status = exchange.status { text += ": \(status)" }
    if let message = exchange.message { text += " \(message)" }
    if let id = exchange.requestID { text += " (request \(id))" }
    return text
  }
}
