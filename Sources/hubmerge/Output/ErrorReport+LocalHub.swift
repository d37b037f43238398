// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import LocalHub
internal import SystemPackage

extension ErrorReport {
  init(_ error: HubServer.Failure) {
    switch error {
    case .folderInUse(let folder):
      self.init(
        .tryAgain, "another hub serves \(folder)", why: "\(folder.appending("lock")) is locked",
        advice: "end it, or name another folder with --root")
    case .cannotListen(let host, let port, let reason):
      self.init(
        .unavailable, "cannot listen on \(host):\(port)", why: reason,
        advice: "--port 0 takes any port that is free")
    case .linkLeavesFolder(let link, let target):
      self.init(
        .badInput, "\(link) links to \(target), which is not in the folder to be imported",
        advice: "copy the file there; what is in the cache is imported by --import namespace/name")
    case .alreadyStarted: self.init(.internalError, "\(error)")
    }
  }
}
