// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Merging
import Testing

@Suite("Model cards")
struct ModelCardTests {
  @Test(
    "come apart and together again",
    arguments: [
      "---\nlicense: mit\ntags:\n- a\n- b\n---\n\n# T\n", "# no metadata\n---\nx\n", "",
      "---\r\nlicense: mit\r\n---\r\n\r\n# T\r\n", "---\nlicense: 'no'\n---\n",
      "---\nno end\n", "text\n---\na: 1\n---\n",
    ])
  func roundTrip(text: String) throws {
    #expect(try ModelCard(parsing: text).text.utf8.elementsEqual(text.utf8))
  }

  @Test("may begin with a byte order mark and blank lines")
  func byteOrderMark() throws {
    let card = try ModelCard(parsing: "\u{FEFF}\n\n--- \nlicense: mit\n---  \nbody")
    #expect(card.metadata["license"]?.string == "mit")
    #expect(card.body == "body")
    #expect(try ModelCard(parsing: "---\n---\nx").body == "x")
  }

  @Test("name the line of the file where the metadata are wrong")
  func brokenMetadata() throws {
    let error = #expect(throws: YAMLError.self) {
      try ModelCard(parsing: "\n---\nlicense: mit\nlicense: mit\n---\n")
    }
    #expect(error?.location.line == 4)
    #expect(throws: YAMLError.self) { try ModelCard(parsing: "---\n- a\n---\n") }
  }

  @Test(
    "are checked as hubs do",
    arguments: [
      ("license: mit", []),
      ("tags: [a]", ["license"]),
      ("license: no", ["license"]),
      ("license: other", ["license_name", "license_link"]),
      ("license: mit\ntags: a", ["tags"]),
      ("license: mit\nlanguage: no", ["language"]),
      ("license: mit\nlanguage: [en, no]", ["language[1]"]),
      ("license: mit\nbase_model: /home/me/x", ["base_model"]),
      ("license: mit\nbase_model: [a/b, ./c, a/b/c]", ["base_model[1]", "base_model[2]"]),
      ("license: mit\nbase_model_relation: parent", ["base_model_relation"]),
      ("license: mit\nx: {a.b: 1, $c: 2}", ["x.a.b", "x.$c"]),
      ("license: mit\nmodel-index: []", []),
      (
        "license: mit\nmodel-index: [{name: m, results: [{task: {type: t}, dataset: {type: d}, "
          + "metrics: [{type: acc}]}]}]",
        [
          "model-index[0].results[0].dataset.name",
          "model-index[0].results[0].metrics[0].value",
        ]
      ),
    ] as [(String, [String])])
  func problems(metadata: String, fields: [String]) throws {
    #expect(try ModelCard(parsing: "---\n\(metadata)\n---\n").problems.map(\.field) == fields)
  }
}

@Suite("The licence of a merge")
struct LicenseRuleTests {
  func decide(_ licenses: String?...) -> LicenseDecision {
    LicenseRule.decide(
      licenses.enumerated().map { SourceLicense(model: "m\($0.offset)", license: $0.element) })
  }

  @Test("is that of the sources, or the most demanding of permissive ones")
  func agreement() {
    #expect(decide("llama3.1", "llama3.1") == LicenseDecision(license: "llama3.1"))
    #expect(decide("mit", "apache-2.0", "bsd-3-clause") == LicenseDecision(license: "apache-2.0"))
    #expect(decide("mit", "cc0-1.0") == LicenseDecision(license: "mit"))
    #expect(decide() == LicenseDecision())
  }

  @Test("is called after all of them if they differ, with a warning that names the sources")
  func conflict() {
    let decision = decide("apache-2.0", "llama3.1", nil)
    #expect(decision.license == "other")
    #expect(decision.name == "apache-2.0-and-llama3.1")
    #expect(decision.link == "README.md")
    #expect(
      decision.warnings.first?.contains("m0 (apache-2.0), m1 (llama3.1), m2 (none declared)")
        == true)
  }

  @Test("is none if none is declared")
  func silence() {
    #expect(decide(nil, nil).license == nil)
    #expect(decide(nil, nil).warnings.count == 1)
  }

  @Test("keeps the name and link of a named one")
  func named() {
    let named = SourceLicense(
      model: "a", license: "other", name: "my-license", link: "https://x.org/l")
    let mit = SourceLicense(model: "b", license: "mit")
    #expect(
      LicenseRule.decide([named, named])
        == LicenseDecision(license: "other", name: "my-license", link: "https://x.org/l"))
    let mixed = LicenseRule.decide([mit, named])
    #expect(mixed.name == "my-license")
    #expect(mixed.warnings.count == 1)
  }
}

@Suite("The task of a model")
struct ModelTaskTests {
  @Test(
    "follows from its architecture",
    arguments: [
      ("LlamaForCausalLM", "text-generation", "AutoModelForCausalLM"),
      ("GPT2LMHeadModel", "text-generation", "AutoModelForCausalLM"),
      ("BertForMaskedLM", "fill-mask", "AutoModelForMaskedLM"),
      ("BertModel", "feature-extraction", "AutoModel"),
      ("T5ForConditionalGeneration", "text2text-generation", "AutoModelForSeq2SeqLM"),
      (
        "WhisperForConditionalGeneration", "automatic-speech-recognition",
        "AutoModelForSpeechSeq2Seq"
      ),
      ("Wav2Vec2ForCTC", "automatic-speech-recognition", "AutoModelForCTC"),
      ("ViTForImageClassification", "image-classification", "AutoModelForImageClassification"),
      ("Strange", nil, "AutoModel"),
    ] as [(String, String?, String)])
  func architecture(name: String, tag: String?, autoClass: String) {
    let task = ModelTask(
      architecture: name, modelType: "bert", hasVision: false, hasModules: false)
    #expect(task.pipelineTag == tag)
    #expect(task.autoClass == autoClass)
  }

  @Test("takes the sources' word if they agree, and modules for sentences")
  func sources() {
    var task = ModelTask(
      architecture: "LlavaForConditionalGeneration", modelType: nil, hasVision: true,
      hasModules: false)
    #expect(task.pipelineTag == "image-text-to-text")
    task.prefer(tags: ["a", "b"])
    #expect(task.pipelineTag == "image-text-to-text")
    task.prefer(tags: ["translation", nil, "translation"])
    #expect(task.pipelineTag == "translation")
    // What loads the model is a matter of its head, not of what somebody uses it for.
    #expect(task.autoClass == "AutoModelForImageTextToText")
    let sentences = ModelTask(
      architecture: "BertModel", modelType: "bert", hasVision: false, hasModules: true)
    #expect(sentences.libraryName == "sentence-transformers")
  }
}

@Suite("Links of cards")
struct HubLinksTests {
  @Test(
    "lead to the public hub unless the endpoint is another one that others can reach",
    arguments: [
      ("https://huggingface.co", "https://huggingface.co"),
      ("https://hub.example.org:8443/hf", "https://hub.example.org:8443/hf"),
      ("http://10.0.0.7:8080", "http://10.0.0.7:8080"),
      ("http://127.example.org", "http://127.example.org"),
      ("http://127.0.0.1:39425", "https://huggingface.co"),
      ("http://127.1.2.3", "https://huggingface.co"),
      ("http://localhost:8080/", "https://huggingface.co"),
      ("HTTP://LocalHost", "https://huggingface.co"),
      ("http://hub.localhost", "https://huggingface.co"),
      ("http://me@localhost:1", "https://huggingface.co"),
      ("http://[::1]:8080", "https://huggingface.co"),
      ("http://0.0.0.0:8080", "https://huggingface.co"),
    ])
  func links(endpoint: String, address: String) {
    #expect(HubLinks(endpoint: endpoint).model("a/b") == address + "/a/b")
  }
}

@Suite("Assets")
struct AssetTests {
  @Test("are the files of the folder, and all of them are templates")
  func templates() throws {
    #expect(CardTemplate.builtinNames == ["default", "lazymergekit", "lora", "minimal"])
    for name in CardTemplate.builtinNames { #expect(try CardTemplate(builtin: name) != nil) }
    #expect(Assets.text(named: "none.md") == nil)
  }
}
