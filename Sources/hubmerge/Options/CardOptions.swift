// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser

/// What a model card looks like.
struct CardOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Template of the card: a file, or default or minimal.", valueName: "file"),
    completion: .file())
  var template = "default"
}
