// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser

/// What a model card looks like.
struct CardOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Template of the card: a file, or a name that \"hubmerge card --list\" shows.",
      valueName: "file"),
    completion: .file())
  var template = "default"
}
