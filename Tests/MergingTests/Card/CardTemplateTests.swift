// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Merging
import Storage
import SystemPackage
import Testing

@Suite("Card templates")
struct CardTemplateTests {
  @Test("the shortest card is what it says")
  func minimalCard() throws {
    let card = try #require(try CardTemplate(builtin: "minimal")).render(.example)
    #expect(
      card == """
        ---
        base_model:
        - org/base
        - org/math
        base_model_relation: merge
        library_name: transformers
        license: apache-2.0
        language:
        - en
        - 'no'
        pipeline_tag: text-generation
        tags:
        - merge
        - hubmerge
        - mergekit
        - dare_ties
        ---

        # Merged-8B

        A merge of org/math and code\\_model onto org/base by DARE-TIES.

        - [org/base](https://huggingface.co/org/base) (base)
        - [org/math](https://huggingface.co/org/math)
        - code\\_model

        ```yaml
        merge_method: dare_ties
        models:
        - model: org/math
        ```

        <!-- hubmerge:keep -->
        <!-- /hubmerge:keep -->

        Made with hubmerge 1.0.0.

        """)
  }

  @Test("the default card shows models, parameters, recipe, result, usage and how to repeat it")
  func defaultCard() throws {
    let card = try #require(try CardTemplate(builtin: "default")).render(.example)
    let lines = [
      "Paper: [Language Models are Super Mario](https://arxiv.org/abs/2311.03099).",
      "| [org/base](https://huggingface.co/org/base) **(base)** "
        + "| [012345678901](https://huggingface.co/org/base/tree/0123) | apache-2.0 |  |",
      "| [org/math](https://huggingface.co/org/math) | abababababab | mit "
        + "| `weight: 0.5`, `density: 0.53` |",
      "| code\\_model | – | – | `weight: [0, 0.5]` |",
      "### Parameters\n\n- normalize: `true`\n\n### Recipe\n\n```yaml\nmerge_method: dare_ties\n",
      "- Parameters: 8,030,261,248 (8.0B)\n- Tensors: 291 in 4 files, 16.1 GB\n",
      "model_id = \"me/Merged-8B\"\n",
      "model = AutoModelForCausalLM.from_pretrained(model_id, dtype=\"auto\"",
      "tokenizer.apply_chat_template(",
      "```sh\nhubmerge release recipe.yml me/Merged-8B\n```\n",
    ]
    for line in lines { #expect(card.contains(line)) }
    #expect(!card.contains("/home/me"))
    #expect(try ModelCard(parsing: card).problems.isEmpty)
  }

  @Test("layers and warnings have their own places, and nothing is left of what there is not")
  func optionalParts() throws {
    var facts = CardFacts.example
    facts.layers = [.init(output: "0–15", source: "org/math", sourceLayers: "8–23")]
    facts.warnings = ["Mind the | gap.", "And <this>."]
    facts.parameters = []
    facts.models = facts.models.map { model in
      var model = model
      model.parameters = []
      return model
    }
    facts.seed = nil
    let card = try #require(try CardTemplate(builtin: "default")).render(facts)
    #expect(
      card.contains(
        "> [!WARNING]\n> Mind the \\| gap.<br>\n> And &lt;this&gt;.\n\n## Merge details"))
    #expect(
      card.contains(
        "### Layers\n\n| Output layers | Source | Source layers |\n|---|---|---|\n"
          + "| 0–15 | org/math | 8–23 |\n\n### Recipe"))
    #expect(card.contains("| Model | Commit | License |\n|---|---|---|\n| [org/base]"))
    #expect(!card.contains("Seed"))
    #expect(!card.contains("\n\n\n"))
  }

  @Test(
    "hostile names and recipes stay inside of their places",
    arguments: [
      "no", "a: b", "x\ny: z\n---\n", "`a` | <b>", "# t", "]({{ 1 }})", "\"'\\", "- ", "",
    ])
  func hostileValues(text: String) throws {
    var facts = CardFacts.example
    facts.title = text
    facts.languages = [text]
    facts.license = LicenseDecision(license: "other", name: text, link: text)
    facts.models[1].name = text
    facts.models[1].hubID = nil
    facts.models[1].parameters = [(text, text)]
    facts.recipe = "# ```\n" + text + "\n````\n<!-- hubmerge:keep -->\n"
    let text = try #require(try CardTemplate(builtin: "default")).render(facts)
    let card = try ModelCard(parsing: text)
    #expect(card.metadata == facts.frontMatter)
    #expect(card.text == text)
    #expect(text.contains("\n`````yaml\n# ```\n"))
    #expect(KeptSections(of: text).texts == [""])
  }

  @Test("a template's own front matter wins, and its other keys follow")
  func ownFrontMatter() throws {
    let template = try CardTemplate(
      "---\n# note\n{{ card_data }}\nthumbnail: t.png\n---\n# {{ model_id | default('x', true) }}",
      name: "own.md")
    let card = try ModelCard(parsing: try template.render(.example))
    #expect(card.metadata["thumbnail"]?.string == "t.png")
    #expect(card.metadata["license"]?.string == "apache-2.0")
    #expect(card.body == "\n# Merged-8B\n")
    #expect(throws: CardError.self) {
      try CardTemplate("---\na: [\n---\n", name: "bad.md").render(.example)
    }
  }

  @Test("metadata that a merge tells nothing of survive, those that it tells of are told anew")
  func ownMetadata() throws {
    let template = try #require(try CardTemplate(builtin: "minimal"))
    let old = "---\nlicense: mit\nthumbnail: t.png\nlicense_name: old\nmodel-index: []\n---\n"
    let card = try ModelCard(parsing: try template.render(.example, keeping: old))
    #expect(card.metadata["thumbnail"]?.string == "t.png")
    #expect(card.metadata["model-index"] == [])
    #expect(card.metadata["license"]?.string == "apache-2.0")
    #expect(card.metadata["license_name"] == nil)
  }

  @Test("every template says in its first line what it is for")
  func summaries() {
    for name in CardTemplate.builtinNames {
      #expect((CardTemplate.summary(ofBuiltin: name)?.count ?? 0) > 20, "\(name)")
    }
  }

  @Test("docs/cards.md has every variable that templates have, and no other")
  func documentation() throws {
    var facts = CardFacts.example
    facts.models[1].adapter = .init(name: "lora", rank: 8, alpha: 16)
    facts.layers = [.init(output: "0", source: "a", sourceLayers: "1")]
    facts.pictures = [.init(title: "a", path: "b")]
    facts.provenance = [.init(kind: "a", name: "b", digest: "c")]
    facts.results = try EvaluationResults(
      harnessFile: Array(#"{"results": {"a": {"acc": 1}}}"#.utf8))
    let page = FilePath(#filePath).removingLastComponent().removingLastComponent()
      .removingLastComponent().removingLastComponent().pushing("docs/cards.md")
    let text = String(decoding: try FileSystem.read(page), as: UTF8.self)
    let documented = text.matches(of: /(?m)^\| `([a-z_.\[\]]+)` \|/).map { String($0.1) }
    #expect(Set(documented).count == documented.count)
    #expect(documented.sorted() == facts.json.paths.sorted())
  }

  @Test("what the owner wrote between the markers survives")
  func keptSections() throws {
    let keep = "<!-- hubmerge:keep -->\nMy *results*.\n<!-- /hubmerge:keep -->\n"
    let old = "---\nlicense: mit\n---\nold\n\(keep)\n\(keep)\nend\n"
    let template = try #require(try CardTemplate(builtin: "minimal"))
    let card = try template.render(.example, keeping: old)
    #expect(KeptSections(of: card).texts == ["My *results*.\n", "My *results*.\n"])
    #expect(!card.contains("old\n"))
    #expect(try template.render(.example, keeping: card) == card)
    #expect(KeptSections(of: "```\n\(keep)```\n").texts == [])
    #expect(KeptSections(of: "<!-- hubmerge:keep -->\nno end").texts == [])
  }
}

extension JSON {
  /// The names of all values, as templates write them: `method.paper.url`, `models[].name`.
  fileprivate var paths: Set<String> {
    // Keyed by the recipe's own names.
    let free = ["parameters"]
    switch self {
    case .object(let members):
      return members.reduce(into: []) { found, member in
        found.insert(member.key)
        guard !free.contains(member.key) else { return }
        for path in member.value.paths {
          found.insert(member.key + (path.hasPrefix("[") ? "" : ".") + path)
        }
      }
    case .array(let values):
      return values.reduce(into: []) { found, value in
        found.formUnion(value.paths.map { "[].\($0)" })
      }
    default: return []
    }
  }
}

extension CardFacts {
  /// A merge of two models onto a base.
  static var example: CardFacts {
    var facts = CardFacts(
      title: "Merged-8B",
      method: Method(
        id: "dare_ties", title: "DARE-TIES",
        sentence: "Drops task vector entries at random, rescales the rest and elects signs.",
        paperTitle: "Language Models are Super Mario", paperURL: "https://arxiv.org/abs/2311.03099"),
      recipe: "merge_method: dare_ties\nmodels:\n- model: org/math\n", toolVersion: "1.0.0")
    facts.repository = "me/Merged-8B"
    facts.models = [
      Model(
        name: "org/base", hubID: "org/base", url: "https://huggingface.co/org/base",
        commit: String(repeating: "0123456789", count: 4),
        commitURL: "https://huggingface.co/org/base/tree/0123", license: "apache-2.0", isBase: true),
      Model(
        name: "org/math", hubID: "org/math", url: "https://huggingface.co/org/math",
        commit: String(repeating: "ab", count: 20), license: "mit",
        parameters: [("weight", "0.5"), ("density", "0.53")]),
      Model(name: "/home/me/secret/models/code_model", parameters: [("weight", "[0, 0.5]")]),
    ]
    facts.parameters = [("normalize", "true")]
    facts.dtype = "bfloat16"
    facts.architecture = "LlamaForCausalLM"
    facts.task = ModelTask(
      architecture: "LlamaForCausalLM", modelType: "llama", hasVision: false, hasModules: false)
    facts.license = LicenseDecision(license: "apache-2.0")
    facts.languages = ["en", "no"]
    facts.parameterCount = 8_030_261_248
    facts.tensorCount = 291
    facts.shardCount = 4
    facts.totalBytes = 16_060_522_496
    facts.seed = 42
    facts.tokenizerSource = "union"
    facts.usesChatTemplate = true
    return facts
  }
}
