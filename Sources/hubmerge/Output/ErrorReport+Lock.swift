// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Merging
internal import Publishing

extension ErrorReport {
  init(_ error: LockFault) {
    switch error {
    case .malformed(let reason):
      self.init(.badInput, "the lock cannot be read", why: reason)
    case .otherRecipe:
      self.init(
        .badInput, "the lock belongs to another recipe",
        why: "the text of the recipe is not the one that was locked",
        advice: "use mergekit_config.yml of the model that the lock is from")
    case .otherSources(let names):
      self.init(
        .badInput, "the lock belongs to other models",
        why: "not in both: " + names.joined(separator: ", "))
    case .otherCommit(let model, let locked, let found):
      self.init(
        .badInput, "\(model) is not what was locked",
        why: "it was at \(locked), and is at \(found ?? "no commit")",
        advice: "fetch it at that commit: hubmerge fetch \(model) --revision \(locked)")
    case .otherFile(let model, let name):
      self.init(
        .badInput, "\(model) is not what was locked", why: "\(name) has another content",
        advice: "fetch or copy the model again")
    case .otherResult(let names):
      let shown = names.prefix(3).joined(separator: ", ")
      self.init(
        .badInput, "the result is not the one that was locked",
        why: names.count > 3 ? "\(shown) and \(names.count - 3) more differ" : "\(shown) differ",
        advice: "use the version of hubmerge that has written the lock")
    }
  }

  init(_ error: NotLocked) {
    self.init(
      .missingInput, "\(error.place) has no hubmerge.lock",
      advice: "\"hubmerge merge\" writes it, unless told not to; name another with --lock")
  }
}
