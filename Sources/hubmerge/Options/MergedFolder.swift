// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import SystemPackage

/// A folder that "hubmerge merge" has made, as an argument.
struct MergedFolder {
  let path: FilePath

  /// - Throws: `UserError` if there is no recipe in the folder.
  init(_ argument: String) throws {
    path = FilePath(argument)
    guard FileSystem.kind(recipe) == .file else {
      throw UserError(
        status: .missingInput, what: "\(argument) has no mergekit_config.yml",
        advice: "name a folder that \"hubmerge merge\" has made")
    }
  }

  /// The recipe that the merge has left in the folder.
  var recipe: FilePath { path.appending("mergekit_config.yml") }
}
