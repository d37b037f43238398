// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// Which files a repository keeps outside of git, as `.gitattributes` says.
struct GitAttributes: Sendable {
  private let rules: [(pattern: GitPattern, isLarge: Bool)]

  init(_ text: String) {
    rules = text.split(whereSeparator: \.isNewline).compactMap { line in
      let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
      guard let first = words.first, !first.hasPrefix("#"),
        let filter = words.dropFirst().last(where: { $0.hasPrefix("filter") || $0 == "-filter" }),
        let pattern = GitPattern(first.replacing("[[:space:]]", with: " "))
      else { return nil }
      return (pattern, filter == "filter=lfs")
    }
  }

  /// Whether the last rule that matches says so.
  func isLarge(_ path: String) -> Bool {
    rules.last { $0.pattern.matches(path, isFolder: false) }?.isLarge ?? false
  }

  /// The line that makes one file large.
  static func line(for path: String) -> String {
    "\(path.replacing(" ", with: "[[:space:]]")) filter=lfs diff=lfs merge=lfs -text\n"
  }

  /// What the hub puts into a new repository.
  static let initial = [
    "*.7z", "*.arrow", "*.bin", "*.bz2", "*.ckpt", "*.ftz", "*.gz", "*.h5", "*.joblib", "*.lfs.*",
    "*.mlmodel", "*.model", "*.msgpack", "*.npy", "*.npz", "*.onnx", "*.ot", "*.parquet", "*.pb",
    "*.pickle", "*.pkl", "*.pt", "*.pth", "*.rar", "*.safetensors", "saved_model/**/*", "*.tar.*",
    "*.tar", "*.tflite", "*.tgz", "*.wasm", "*.xz", "*.zip", "*.zst", "*tfevents*",
  ].map(line).joined()
}
