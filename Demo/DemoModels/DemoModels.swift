// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Storage
internal import SystemPackage

/// Writes the three models that the demonstration merges.
///
/// They have the form of real checkpoints down to the tokenizer, and weights that mean nothing. The same
/// texts give the same bytes on every machine.
@main
enum DemoModels {
  static func main() {
    let arguments = CommandLine.arguments.dropFirst()
    guard let folder = arguments.first, arguments.count > 1, !folder.hasPrefix("-") else {
      fail("usage: DemoModels OUTDIR TEXT...\n  TEXT  what the tokenizer learns its words from", 64)
    }
    do {
      let tokenizer = try DemoTokenizer(learning: arguments.dropFirst().map { FilePath($0) })
      for model in DemoModel.all {
        let target = FilePath(folder).appending(model.name)
        let size = try model.write(to: target, tokenizer: tokenizer)
        print("\(target)  \(size / 1_000_000) MB")
      }
    } catch {
      fail("error: \(error)", 1)
    }
  }

  private static func fail(_ message: String, _ status: Int32) -> Never {
    var line = Array("\(message)\n".utf8)
    _ = write(2, &line, line.count)
    exit(status)
  }
}
