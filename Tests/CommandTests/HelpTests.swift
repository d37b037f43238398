// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import TestSupport
internal import Testing

@Suite struct HelpTests {
  private static let commands = [
    "fetch", "merge", "plan", "card", "verify", "report", "push", "release",
    "serve", "methods",
  ]

  @Test func `the help tells what the program is, how to begin, and every command`() async throws {
    try await withTemporaryFolder { folder in
      let result = try await CommandRunner(in: folder).run("--help")
      #expect(result.status == 0)
      #expect(result.errors == "")
      #expect(result.output.hasPrefix(Self.help))
      for command in Self.commands { #expect(result.output.contains("\n  \(command)  ")) }
    }
  }

  @Test(arguments: [
    ("fetch", "hubmerge fetch [<options>] <repo> ..."),
    ("merge", "hubmerge merge [<options>] <recipe> <out>"),
    ("plan", "hubmerge plan [<options>] <recipe>"),
    ("card", "hubmerge card [<folder>] [--repository <repo>]"),
    ("verify", "hubmerge verify [<options>] <model>"),
    ("report", "hubmerge report <folder> [--threads <n>]"),
    ("push", "hubmerge push [<options>] <folder> <repo>"),
    ("release", "hubmerge release [<options>] <recipe> <repo>"),
    ("serve", "hubmerge serve [--root <path>] [--port <port>]"),
    ("methods", "hubmerge methods [<method>] [--json]"),
  ])
  func `each command has a help of its own`(command: String, usage: String) async throws {
    try await withTemporaryFolder { folder in
      let result = try await CommandRunner(in: folder).run(command, "--help")
      #expect(result.status == 0)
      #expect(result.output.hasPrefix("OVERVIEW: "))
      #expect(result.output.contains("USAGE: " + usage), "\(result.output)")
      for option in ["--json", "--quiet", "-v, --verbose", "-h, --help"] {
        #expect(result.output.contains(option), "\(result.output)")
      }
    }
  }

  @Test func `the version is one line`() async throws {
    try await withTemporaryFolder { folder in
      let result = try await CommandRunner(in: folder).run("--version")
      #expect(result.status == 0)
      let parts = result.output.dropLast().split(separator: ".")
      #expect(parts.count == 3 && parts.allSatisfy { Int($0) != nil })
    }
  }

  @Test(arguments: ["bash", "zsh", "fish"])
  func `completions are made for each shell`(shell: String) async throws {
    try await withTemporaryFolder { folder in
      let result = try await CommandRunner(in: folder)
        .run("--generate-completion-script", shell)
      #expect(result.status == 0)
      for command in Self.commands { #expect(result.output.contains(command)) }
    }
  }

  @Test(arguments: [
    ["smelt"], ["merge"], ["merge", "recipe.yml"],
    ["merge", "recipe.yml", "out", "--no-such-option"],
    ["merge", "recipe.yml", "out", "--out-shard-size", "big"],
    ["merge", "recipe.yml", "out", "--num-threads", "0"], ["fetch"],
    ["fetch", "a/b", "--local-dir", "x", "c/d"], ["push", "a", "b/c", "--private", "--public"],
    ["methods", "smelting"], ["push", ".", "no/such/name"],
  ])
  func `wrong usage is told on standard error alone, with status 64`(
    arguments: [String]
  ) async throws {
    try await withTemporaryFolder { folder in
      let result = try await CommandRunner(in: folder).run(arguments)
      #expect(result.status == 64)
      #expect(result.output == "")
      #expect(result.errors.lowercased().hasPrefix("error: "), "\(result.errors)")
    }
  }

  private static let help = """
    OVERVIEW: Merge language models and publish them.

    Fetches source models from a hub, merges their weights, writes the model card
    and pushes the result: step by step, or as one job with "release". Reads the
    same YAML recipes as mergekit. Needs no Python, no GPU and little memory.

      hubmerge plan recipe.yml               what a merge would do, and any mistake
      hubmerge merge recipe.yml ./merged     a model folder
      hubmerge release recipe.yml me/merged  fetch, merge, card and push in one go

    The token is taken from HF_TOKEN or from a stored login; HF_HOME, HF_HUB_CACHE,
    HF_ENDPOINT and HF_HUB_OFFLINE mean what they mean to huggingface_hub.

    Exit codes: 0 done, 64 wrong usage, 65 bad recipe or broken weights, 66 model
    or file missing, 69 hub unreachable, 73 output cannot be created, 74
    input/output error, 75 try again later, 77 not permitted, 130 interrupted.

    USAGE: hubmerge <subcommand>

    OPTIONS:
      --version               Show the version.
      -h, --help              Show help information.

    SUBCOMMANDS:
    """
}

@Suite struct MethodsCommandTests {
  @Test func `the methods are listed, one a line`() async throws {
    try await withTemporaryFolder { folder in
      let runner = CommandRunner(in: folder)
      let names = try await runner.run("methods", "--quiet").output.split(separator: "\n")
      #expect(
        Set(["linear", "slerp", "ties", "dare_ties", "passthrough"]).isSubset(
          of: names.map(String.init)))
      let list = try await runner.run("methods").output.split(separator: "\n")
      #expect(list.count == names.count)
      let json = try await runner.run("methods", "--json").json
      #expect(json.array?.compactMap { $0["id"]?.string } == names.map(String.init))
    }
  }

  @Test func `a method is explained with its parameters`() async throws {
    try await withTemporaryFolder { folder in
      let runner = CommandRunner(in: folder)
      let text = try await runner.run("methods", "ties").output
      for word in ["TIES", "density", "weight", "arxiv.org", "for each model"] {
        #expect(text.contains(word), "\(text)")
      }
      let json = try await runner.run("methods", "ties", "--json").json
      let density = json["parameters"]?.array?.first { $0["name"]?.string == "density" }
      #expect(density?["scope"]?.string == "model")
      #expect(density?["summary"]?.string != nil)
    }
  }
}
