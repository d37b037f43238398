// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// What a model is for: the hub's task, and the library and class that run it.
package struct ModelTask: Sendable, Hashable {
  /// The hub's name of the task; nil if it cannot be told.
  package private(set) var pipelineTag: String?
  /// The library that loads the model.
  package private(set) var libraryName = "transformers"

  /// A task that is not known.
  package init() {}

  /// The task that the files of a model tell.
  ///
  /// - Parameters:
  ///   - architecture: the first of `architectures` in config.json.
  ///   - modelType: `model_type` in config.json.
  ///   - hasVision: whether config.json has a `vision_config`.
  ///   - hasModules: whether there is a `modules.json`, the mark of sentence-transformers.
  package init(architecture: String?, modelType: String?, hasVision: Bool, hasModules: Bool) {
    if hasModules {
      pipelineTag = "sentence-similarity"
      libraryName = "sentence-transformers"
      return
    }
    let name = architecture ?? ""
    let isSpeech =
      name.hasPrefix("Whisper") || name.hasSuffix("ForSpeechSeq2Seq") || name.hasSuffix("ForCTC")
    if isSpeech {
      pipelineTag = "automatic-speech-recognition"
    } else if let ending = Self.tagsByEnding.first(where: { name.hasSuffix($0.ending) }) {
      let isText = ending.ending == "ForConditionalGeneration" && !hasVision
      pipelineTag = isText ? "text2text-generation" : ending.tag
    } else if name.hasSuffix("Model"), Self.encoders.contains(modelType ?? "") {
      pipelineTag = "feature-extraction"
    }
  }

  /// Takes the tag of the sources' own cards if those that have one agree.
  package mutating func prefer(tags: [String?]) {
    let tags = Set(tags.compactMap { $0 })
    if let tag = tags.first, tags.count == 1 { pipelineTag = tag }
  }

  /// The class of transformers that loads the model with the head for the task.
  package var autoClass: String {
    Self.classes.first { $0.tag == pipelineTag }?.name ?? "AutoModel"
  }

  private static let tagsByEnding: [(ending: String, tag: String)] = [
    ("ForCausalLM", "text-generation"),
    ("LMHeadModel", "text-generation"),
    ("ForMaskedLM", "fill-mask"),
    ("ForSequenceClassification", "text-classification"),
    ("ForTokenClassification", "token-classification"),
    ("ForQuestionAnswering", "question-answering"),
    ("ForMultipleChoice", "multiple-choice"),
    ("ForConditionalGeneration", "image-text-to-text"),
    ("ForImageTextToText", "image-text-to-text"),
    ("ForImageClassification", "image-classification"),
    ("ForAudioClassification", "audio-classification"),
  ]

  /// Model types whose bare model gives embeddings.
  private static let encoders: Set<String> = [
    "albert", "bert", "camembert", "deberta", "deberta-v2", "distilbert", "electra", "ernie",
    "eurobert", "modernbert", "mpnet", "new", "nomic_bert", "roberta", "roformer", "xlm-roberta",
    "xlm-roberta-xl",
  ]

  private static let classes: [(tag: String, name: String)] = [
    ("text-generation", "AutoModelForCausalLM"),
    ("text2text-generation", "AutoModelForSeq2SeqLM"),
    ("translation", "AutoModelForSeq2SeqLM"),
    ("summarization", "AutoModelForSeq2SeqLM"),
    ("fill-mask", "AutoModelForMaskedLM"),
    ("text-classification", "AutoModelForSequenceClassification"),
    ("token-classification", "AutoModelForTokenClassification"),
    ("question-answering", "AutoModelForQuestionAnswering"),
    ("multiple-choice", "AutoModelForMultipleChoice"),
    ("automatic-speech-recognition", "AutoModelForSpeechSeq2Seq"),
    ("image-text-to-text", "AutoModelForImageTextToText"),
  ]
}
