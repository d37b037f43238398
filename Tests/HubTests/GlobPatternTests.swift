// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Hub
import Testing

/// Against a table made by Python's `fnmatch.fnmatchcase`.
@Suite struct GlobPatternTests {
  private static let names: [String] = [
    "a.json", "x/y.json", "", "a", "b", "c", "]", "x", "-", "a/b", "a/x/b", "a/x/y/b", "[a", "[",
    "[!", "[]", "a[b", "ax", "cx", "bx", "0", ".", "/", "^", "\\", "\\*", "*", "xaxbx", "abc1",
    "axbxc2", "y", "_", "Z", "éa", "é", "m.safetensors", "m.SAFETENSORS",
    "model-00001-of-00002.safetensors", "tokenizer.json", "d/config.json", "config.json", "a\nb",
    ".git", "e", "z", "!",
  ]

  private static let matches: [(pattern: String, names: [String])] = [
    ("*.json", ["a.json", "x/y.json", "tokenizer.json", "d/config.json", "config.json"]),
    (
      "*",
      [
        "a.json", "x/y.json", "", "a", "b", "c", "]", "x", "-", "a/b", "a/x/b", "a/x/y/b", "[a",
        "[", "[!", "[]", "a[b", "ax", "cx", "bx", "0", ".", "/", "^", "\\", "\\*", "*", "xaxbx",
        "abc1", "axbxc2", "y", "_", "Z", "éa", "é", "m.safetensors", "m.SAFETENSORS",
        "model-00001-of-00002.safetensors", "tokenizer.json", "d/config.json", "config.json",
        "a\nb", ".git", "e", "z", "!",
      ]
    ),
    (
      "?",
      [
        "a", "b", "c", "]", "x", "-", "[", "0", ".", "/", "^", "\\", "*", "y", "_", "Z", "é", "e",
        "z", "!",
      ]
    ),
    ("a/*", ["a/b", "a/x/b", "a/x/y/b"]),
    ("a/**/b", ["a/x/b", "a/x/y/b"]),
    ("[ab]", ["a", "b"]),
    (
      "[!ab]",
      ["c", "]", "x", "-", "[", "0", ".", "/", "^", "\\", "*", "y", "_", "Z", "é", "e", "z", "!"]
    ),
    ("[]a]", ["a", "]"]),
    (
      "[!]a]",
      ["b", "c", "x", "-", "[", "0", ".", "/", "^", "\\", "*", "y", "_", "Z", "é", "e", "z", "!"]
    ),
    ("[a", ["[a"]),
    ("[", ["["]),
    ("[!", ["[!"]),
    ("[]", ["[]"]),
    ("a[b", ["a[b"]),
    (
      "*[!a]",
      [
        "a.json", "x/y.json", "b", "c", "]", "x", "-", "a/b", "a/x/b", "a/x/y/b", "[", "[!", "[]",
        "a[b", "ax", "cx", "bx", "0", ".", "/", "^", "\\", "\\*", "*", "xaxbx", "abc1", "axbxc2",
        "y", "_", "Z", "é", "m.safetensors", "m.SAFETENSORS", "model-00001-of-00002.safetensors",
        "tokenizer.json", "d/config.json", "config.json", "a\nb", ".git", "e", "z", "!",
      ]
    ),
    ("[a-c]x", ["ax", "cx", "bx"]),
    ("[c-a]x", []),
    ("[!c-a]x", ["ax", "cx", "bx"]),
    ("[a-]", ["a", "-"]),
    ("[-a]", ["a", "-"]),
    ("[--0]", ["-", "0", ".", "/"]),
    ("[a-c-e]", ["a", "b", "c", "-", "e"]),
    ("[^a]", ["a", "^"]),
    ("[[]", ["["]),
    ("[a\\]", ["a", "\\"]),
    ("\\*", ["\\", "\\*"]),
    (
      "**",
      [
        "a.json", "x/y.json", "", "a", "b", "c", "]", "x", "-", "a/b", "a/x/b", "a/x/y/b", "[a",
        "[", "[!", "[]", "a[b", "ax", "cx", "bx", "0", ".", "/", "^", "\\", "\\*", "*", "xaxbx",
        "abc1", "axbxc2", "y", "_", "Z", "éa", "é", "m.safetensors", "m.SAFETENSORS",
        "model-00001-of-00002.safetensors", "tokenizer.json", "d/config.json", "config.json",
        "a\nb", ".git", "e", "z", "!",
      ]
    ),
    ("*a*b*", ["a/b", "a/x/b", "a/x/y/b", "a[b", "xaxbx", "abc1", "axbxc2", "a\nb"]),
    ("a*b*c?", ["abc1", "axbxc2"]),
    ("[xb-ay]", ["x", "y"]),
    ("[A-z]", ["a", "b", "c", "]", "x", "[", "^", "\\", "y", "_", "Z", "e", "z"]),
    ("é?", ["éa"]),
    ("*.SAFETENSORS", ["m.SAFETENSORS"]),
    ("[a-cx-z]", ["a", "b", "c", "x", "y", "z"]),
    (
      "[!a-c]",
      ["]", "x", "-", "[", "0", ".", "/", "^", "\\", "*", "y", "_", "Z", "é", "e", "z", "!"]
    ),
    ("model-?????-of-*", ["model-00001-of-00002.safetensors"]),
    ("tokenizer*", ["tokenizer.json"]),
    ("*/config.json", ["d/config.json"]),
    ("a\nb", ["a\nb"]),
    ("a?b", ["a/b", "a[b", "a\nb"]),
    (".*", [".", ".git"]),
  ]

  @Test func `every pattern matches exactly the names that Python matches`() {
    for (pattern, expected) in Self.matches {
      let glob = GlobPattern(pattern)
      #expect(Self.names.filter { glob.matches($0) } == expected, "\(pattern)")
    }
  }

  @Test func `a pattern that ends in a slash means what is below the folder`() {
    #expect(GlobPattern("onnx/").matches("onnx/a/b.bin"))
    #expect(!GlobPattern("onnx/").matches("onnx"))
  }

  @Test func `many stars take no longer than one`() {
    let glob = GlobPattern(String(repeating: "*a", count: 40) + "b")
    #expect(!glob.matches(String(repeating: "a", count: 400)))
  }
}
