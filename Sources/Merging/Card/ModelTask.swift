// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// What a model is for: the hub's task, and the library and class that run it.
package struct ModelTask: Sendable, Hashable {
  /// The hub's name of the task; nil if it cannot be told.
  package private(set) var pipelineTag: String?
  /// The library that loads the model.
  package private(set) var libraryName = "transformers"

  /// The class of transformers that loads the model with the head that its architecture has.
  package private(set) var autoClass = "AutoModel"

  /// A task that is not known.
  package init() {}

  /// The task that the files of a model tell.
  ///
  /// - Parameters:
  ///   - architecture: the first of `architectures` in config.json.
  ///   - modelType: `model_type` in config.json; nil with the architecture if there is none, only weights.
  ///   - hasVision: whether config.json has a `vision_config`.
  ///   - hasModules: whether there is a `modules.json`, the mark of sentence-transformers.
  package init(architecture: String?, modelType: String?, hasVision: Bool, hasModules: Bool) {
    if architecture == nil, modelType == nil { libraryName = "safetensors" }
    let name = architecture ?? ""
    if let head = Self.heads.first(where: { name.hasSuffix($0.ending) || name == $0.ending }) {
      let isText = head.ending == "ForConditionalGeneration" && !hasVision
      pipelineTag = isText ? "text2text-generation" : head.tag
      autoClass = isText ? "AutoModelForSeq2SeqLM" : head.autoClass
    } else if name.hasSuffix("Model"), Self.encoders.contains(modelType ?? "") {
      pipelineTag = "feature-extraction"
    }
    if hasModules {
      pipelineTag = "sentence-similarity"
      libraryName = "sentence-transformers"
    }
  }

  /// Takes the tag of the sources' own cards if those that have one agree.
  package mutating func prefer(tags: [String?]) {
    let tags = Set(tags.compactMap { $0 })
    if let tag = tags.first, tags.count == 1 { pipelineTag = tag }
  }

  /// What the ending of a class's name says; the first that fits counts.
  private static let heads: [(ending: String, tag: String, autoClass: String)] = [
    (
      "WhisperForConditionalGeneration", "automatic-speech-recognition", "AutoModelForSpeechSeq2Seq"
    ),
    ("ForSpeechSeq2Seq", "automatic-speech-recognition", "AutoModelForSpeechSeq2Seq"),
    (
      "SpeechToTextForConditionalGeneration", "automatic-speech-recognition",
      "AutoModelForSpeechSeq2Seq"
    ),
    (
      "Speech2TextForConditionalGeneration", "automatic-speech-recognition",
      "AutoModelForSpeechSeq2Seq"
    ),
    ("ForCTC", "automatic-speech-recognition", "AutoModelForCTC"),
    ("ForCausalLM", "text-generation", "AutoModelForCausalLM"),
    ("LMHeadModel", "text-generation", "AutoModelForCausalLM"),
    ("ForMaskedLM", "fill-mask", "AutoModelForMaskedLM"),
    ("ForSequenceClassification", "text-classification", "AutoModelForSequenceClassification"),
    ("ForTokenClassification", "token-classification", "AutoModelForTokenClassification"),
    ("ForQuestionAnswering", "question-answering", "AutoModelForQuestionAnswering"),
    ("ForMultipleChoice", "multiple-choice", "AutoModelForMultipleChoice"),
    ("ForConditionalGeneration", "image-text-to-text", "AutoModelForImageTextToText"),
    ("ForImageTextToText", "image-text-to-text", "AutoModelForImageTextToText"),
    ("ForImageClassification", "image-classification", "AutoModelForImageClassification"),
    ("ForAudioClassification", "audio-classification", "AutoModelForAudioClassification"),
  ]

  /// Model types whose bare model gives embeddings.
  private static let encoders: Set<String> = [
    "albert", "bert", "camembert", "deberta", "deberta-v2", "distilbert", "electra", "ernie",
    "eurobert", "modernbert", "mpnet", "new", "nomic_bert", "roberta", "roformer", "xlm-roberta",
    "xlm-roberta-xl",
  ]
}
