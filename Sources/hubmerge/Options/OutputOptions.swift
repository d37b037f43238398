// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser

/// How a command tells what it does.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print the result as JSON.")
  var json = false

  @Flag(
    name: .long, inversion: .prefixedNo,
    help: "Print only the essence of the result, and no progress.")
  var quiet = false

  @Flag(name: .shortAndLong, help: "Tell more on standard error; twice for every request.")
  var verbose: Int

  var console: Console { Console(isJSON: json, isQuiet: quiet, verbosity: verbose) }
}
