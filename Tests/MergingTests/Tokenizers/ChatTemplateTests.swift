// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Merging
internal import Storage
internal import SystemPackage
internal import TestSupport
internal import Testing

@Suite("Chat template") struct ChatTemplateTests {
  private static let turns: [(String, String)] = [
    ("system", " Be brief. "), ("user", "Hi"), ("assistant", "Hello"), ("user", "Bye "),
  ]

  private func render(
    _ name: String, _ turns: [(String, String)], prompt: Bool = true
  ) throws -> String {
    let template = try #require(ChatTemplate(named: name))
    // Everyone who renders chat templates has line ends after tags dropped.
    let text = template.text.replacing("%}\n", with: "%}")
    return try JinjaTemplate(text, name: name).render([
      "messages": .array(
        turns.map { ["role": .string($0), "content": .string($1)] }),
      "add_generation_prompt": .bool(prompt), "bos_token": "<s>", "eos_token": "</s>",
    ])
  }

  @Test(
    "A built-in template renders its format to the blank",
    arguments: [
      (
        "chatml",
        "<|im_start|>system\n Be brief. <|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
          + "<|im_start|>assistant\nHello<|im_end|>\n<|im_start|>user\nBye <|im_end|>\n"
          + "<|im_start|>assistant\n"
      ),
      (
        "llama3",
        "<s><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
          + "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
          + "<|start_header_id|>assistant<|end_header_id|>\n\nHello<|eot_id|>"
          + "<|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|>"
          + "<|start_header_id|>assistant<|end_header_id|>\n\n"
      ),
      (
        "alpaca",
        "Be brief.\n\n### Instruction:\nHi\n\n### Response:\nHello</s>\n\n"
          + "### Instruction:\nBye \n\n### Response:\n"
      ),
      (
        "exaone",
        "[|system|] Be brief. [|endofturn|]\n[|user|]Hi\n[|assistant|]Hello[|endofturn|]\n"
          + "[|user|]Bye \n[|assistant|]"
      ),
    ])
  func formats(name: String, expected: String) throws {
    #expect(try render(name, Self.turns) == expected)
  }

  @Test("Exaone opens with an empty system turn if there is none") func exaone() throws {
    #expect(
      try render("exaone", [("user", "Hi")], prompt: false)
        == "[|system|][|endofturn|]\n[|user|]Hi\n")
  }

  @Test("All five are built in, and parse") func names() throws {
    #expect(
      ChatTemplate.builtInNames.sorted() == ["alpaca", "chatml", "exaone", "llama3", "mistral"])
    #expect(ChatTemplate(named: "none") == nil)
    for name in ChatTemplate.builtInNames {
      let text = try #require(ChatTemplate(named: name)?.text)
      #expect(!text.hasSuffix("\n"))
    }
  }

  @Test("Special tokens are found in a template, also the end of a turn") func tokens() throws {
    let chatml = try #require(ChatTemplate(named: "chatml"))
    #expect(chatml.specialTokens == ["<|im_start|>", "<|im_end|>"])
    #expect(chatml.turnEnd == "<|im_end|>")
    let exaone = try #require(ChatTemplate(named: "exaone"))
    #expect(exaone.specialTokens.contains("[|endofturn|]"))
    let phi = ChatTemplate("{{ '<|' + role + '|>' }}<tools><start_of_turn>x<end_of_turn> a < b > c")
    #expect(phi.specialTokens == ["<start_of_turn>", "<end_of_turn>"])
    #expect(phi.turnEnd == "<end_of_turn>")
    let mistral = try #require(ChatTemplate(named: "mistral"))
    #expect(mistral.turnEnd == nil)
  }

  @Test("Most models decide, the base where as many disagree, else the first") func vote() {
    let a = ChatTemplate("{{ a }}")
    let b = ChatTemplate("{{ b }}")
    let aAgain = ChatTemplate("\r\n{{ a }}\n")
    #expect(ChatTemplateVote([b, a, aAgain], base: 0).winner == a)
    #expect(ChatTemplateVote([b, a], base: 1).winner == a)
    #expect(ChatTemplateVote([b, a], base: nil).winner == b)
    #expect(ChatTemplateVote([nil, a], base: 0).winner == a)
    #expect(ChatTemplateVote([nil, nil], base: 0).winner == nil)
    #expect(ChatTemplateVote([b, a, aAgain], base: 0).sides.map(\.models) == [[1, 2], [0]])
  }

  @Test("A template is found in each of its places and written into all of them") func homes()
    throws
  {
    try withTemporaryFolder { folder in
      let config = try JSONDocument(
        parsing:
          #"{"chat_template": [{"name": "rag", "template": "r"}, {"name": "default", "template": "d"}]}"#
      )
      #expect(ChatTemplate(ModelFiles(folder: folder), config: config)?.text == "d")
      try FileSystem.write(#"{"chat_template": "j"}"#, to: folder.appending("chat_template.json"))
      #expect(ChatTemplate(ModelFiles(folder: folder), config: config)?.text == "j")
      try FileSystem.write("f", to: folder.appending("chat_template.jinja"))
      #expect(ChatTemplate(ModelFiles(folder: folder), config: config)?.text == "f")

      let files = try ChatTemplate("new \"one\"")
        .files(config: config, home: ModelFiles(folder: folder))
      #expect(
        files.map(\.name) == ["chat_template.jinja", "tokenizer_config.json", "chat_template.json"])
      #expect(files[0].bytes == Array("new \"one\"".utf8))
      let list = try JSON.parse(files[1].bytes)["chat_template"]?.array
      #expect(list?.map { $0["template"] } == ["r", "new \"one\""])
      #expect(try JSON.parse(files[2].bytes) == ["chat_template": "new \"one\""])
    }
  }
}
