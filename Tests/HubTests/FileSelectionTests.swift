// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Hub
import Testing

@Suite struct FileSelectionTests {
  private func selected(_ selection: FileSelection, _ paths: [String]) -> [String] {
    selection.select(
      from: paths.map { TreeEntry(path: $0, size: 1, gitID: "aa", lfsID: nil, xetHash: nil) }
    ).map(\.path)
  }

  @Test func `include and exclude patterns are both heeded`() {
    let selection = FileSelection(include: ["*.json", "sub/"], exclude: ["*/private.json"])
    #expect(
      selected(selection, ["a.json", "sub/x.bin", "sub/private.json", "b.bin"])
        == ["a.json", "sub/x.bin"])
  }

  @Test func `a merge takes safetensors and the small files around them`() {
    let taken = [
      "README.md", "LICENSE", "config.json", "generation_config.json", "merges.txt",
      "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
      "model.safetensors.index.json", "modeling_x.py", "tokenizer.json", "tokenizer.model",
      "chat_template.jinja",
    ]
    let left = [
      ".gitattributes", "pytorch_model-00001-of-00001.bin", "pytorch_model.bin.index.json",
      "original/consolidated.00.pth", "original/params.json", "consolidated.safetensors",
      "model.gguf", "tf_model.h5", "flax_model.msgpack", "onnx/model.onnx", "training_args.bin",
      "checkpoint-500/model.safetensors", "plot.png", "rust_model.ot",
    ]
    #expect(Set(selected(.forMerging, taken + left)) == Set(taken))
  }

  @Test func `pickled weights are taken if there are no others`() {
    let paths = ["config.json", "pytorch_model.bin", "optimizer.pt", "training_args.bin"]
    #expect(selected(.forMerging, paths) == ["config.json", "pytorch_model.bin"])
  }

  @Test func `the first publisher's format is taken if there is no other`() {
    #expect(
      selected(.forMerging, ["params.json", "consolidated.safetensors"])
        == ["params.json", "consolidated.safetensors"])
  }
}
