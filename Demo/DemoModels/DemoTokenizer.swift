// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Storage
internal import SystemPackage

/// The models' byte-level tokenizer, as the files of Hugging Face `tokenizers` and `transformers`.
struct DemoTokenizer {
  enum Special: String, CaseIterable {
    case begin = "<|begin_of_text|>"
    case end = "<|end_of_text|>"
    case turnStart = "<|im_start|>"
    case turnEnd = "<|im_end|>"
  }

  /// Tokens by number: the special ones, the bytes, the pairs in the order they were learnt.
  private let vocabulary: [String]
  private let merges: [(left: String, right: String)]

  /// Learns as many words from the texts as the model has rows for.
  init(learning paths: [FilePath]) throws {
    var text: [UInt8] = []
    for path in paths { text += try FileSystem.read(path) }
    var trainer = BytePairTrainer(text)
    let limit = LlamaShape.demo.vocabulary - 256 - Special.allCases.count
    let pairs = trainer.learn(limit: limit)
    var symbols = (0...255).map { String(Self.letter(for: UInt8($0))) }
    for pair in pairs { symbols.append(symbols[pair.left] + symbols[pair.right]) }
    vocabulary = Special.allCases.map(\.rawValue) + symbols
    merges = pairs.map { (symbols[$0.left], symbols[$0.right]) }
  }

  func id(of special: Special) -> Int { Special.allCases.firstIndex(of: special) ?? 0 }

  /// GPT-2's visible letter for a byte: itself where that is visible, else one from 256 on.
  private static func letter(for byte: UInt8) -> Character {
    let isVisible: (UInt8) -> Bool = { (33...126).contains($0) || $0 >= 161 && $0 != 173 }
    if isVisible(byte) { return Character(Unicode.Scalar(byte)) }
    let place = (0..<byte).count { !isVisible($0) }
    return Unicode.Scalar(UInt32(256 + place)).map { Character($0) } ?? " "
  }

  /// Names and contents.
  var files: [(String, String)] {
    [
      ("tokenizer.json", text(tokenizer)),
      ("tokenizer_config.json", text(configuration)),
      ("special_tokens_map.json", text(["bos_token": bos, "eos_token": eos, "pad_token": eos])),
    ]
  }

  private var bos: JSON { .string(Special.begin.rawValue) }
  private var eos: JSON { .string(Special.end.rawValue) }

  private func text(_ json: JSON) -> String { json.serialized(.pretty(indent: 2)) + "\n" }

  private var tokenizer: JSON {
    let byteLevel: JSON = [
      "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true,
    ]
    let first: JSON = ["SpecialToken": ["id": bos, "type_id": 0]]
    let template: JSON = [
      "type": "TemplateProcessing",
      "single": [first, ["Sequence": ["id": "A", "type_id": 0]]],
      "pair": [
        first, ["Sequence": ["id": "A", "type_id": 0]],
        ["SpecialToken": ["id": bos, "type_id": 1]], ["Sequence": ["id": "B", "type_id": 1]],
      ],
      "special_tokens": .object([
        .init(
          Special.begin.rawValue,
          ["id": bos, "ids": [.int(id(of: .begin))], "tokens": [bos]])
      ]),
    ]
    return [
      "version": "1.0", "truncation": .null, "padding": .null,
      "added_tokens": .array(
        Special.allCases.map { addedToken($0).setting("id", to: .int(id(of: $0))) }),
      "normalizer": .null, "pre_tokenizer": byteLevel, "post_processor": template,
      "decoder": byteLevel,
      "model": [
        "type": "BPE", "dropout": .null, "unk_token": .null, "continuing_subword_prefix": .null,
        "end_of_word_suffix": .null, "fuse_unk": false, "byte_fallback": false,
        "ignore_merges": false,
        "vocab": .object(vocabulary.enumerated().map { .init($1, .int($0)) }),
        "merges": .array(merges.map { [.string($0.left), .string($0.right)] }),
      ],
    ]
  }

  private func addedToken(_ token: Special) -> JSON {
    [
      "content": .string(token.rawValue), "lstrip": false, "normalized": false, "rstrip": false,
      "single_word": false, "special": true,
    ]
  }

  private var configuration: JSON {
    [
      "added_tokens_decoder": .object(
        Special.allCases.map { .init(String(id(of: $0)), addedToken($0)) }),
      "bos_token": bos, "chat_template": .string(chatTemplate),
      "clean_up_tokenization_spaces": false, "eos_token": eos, "model_max_length": 2048,
      "pad_token": eos, "tokenizer_class": "PreTrainedTokenizerFast",
    ]
  }

  private var chatTemplate: String {
    """
    {{ bos_token }}{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' \
    + message['content'] + '<|im_end|>\\n' }}{% endfor %}\
    {% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}
    """
  }
}
