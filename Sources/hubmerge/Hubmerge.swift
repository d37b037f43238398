// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser

/// The program's name, version and table of contents.
struct Hubmerge: AsyncParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "hubmerge",
    abstract: "Merge language models and publish them.",
    discussion: """
      Fetches source models from a hub, merges their weights, writes the model card and pushes the result: \
      step by step, or as one job with "release". Reads the same YAML recipes as mergekit. Needs no \
      Python, no GPU and little memory.

        hubmerge plan recipe.yml               what a merge would do, and any mistake
        hubmerge merge recipe.yml ./merged     a model folder
        hubmerge release recipe.yml me/merged  fetch, merge, card and push in one go

      The token is taken from HF_TOKEN or from a stored login; HF_HOME, HF_HUB_CACHE, HF_ENDPOINT and \
      HF_HUB_OFFLINE mean what they mean to huggingface_hub.

      Exit codes: 0 done, 64 wrong usage, 65 bad recipe or broken weights, 66 model or file missing, \
      69 hub unreachable, 73 output cannot be created, 74 input/output error, 75 try again later, \
      77 not permitted, 130 interrupted.
      """,
    version: version,
    subcommands: [
      Fetch.self, Cache.self, Merge.self, Plan.self, Inspect.self, Diff.self, Card.self, Push.self,
      Verify.self, ReportCommand.self, ReleaseCommand.self, Serve.self, Methods.self,
    ])
}

@main
enum Main {
  static func main() async {
    Interruption.prepare()
    await Hubmerge.main()
  }
}
