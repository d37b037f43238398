// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents

/// A few lines of Python that load the model and do something with it. `make interop` runs them.
struct UsageSnippet {
  let task: ModelTask
  /// What the model is loaded by.
  let id: String
  let usesChatTemplate: Bool
  /// Whether the model comes with Python code of its own.
  let usesOwnCode: Bool

  var text: String {
    let name = "model_id = \(JSON.string(id).serialized(.compact))\n"
    switch task.libraryName {
    case "sentence-transformers":
      return """
        # pip install sentence-transformers
        from sentence_transformers import SentenceTransformer

        \(name)model = SentenceTransformer(model_id\(trust))
        embeddings = model.encode(["First sentence.", "Another sentence."])
        print(model.similarity(embeddings, embeddings))
        """
    case "safetensors":
      return """
        # pip install safetensors huggingface_hub torch
        import glob
        from huggingface_hub import snapshot_download
        from safetensors.torch import load_file

        \(name)weights = {}
        for path in glob.glob(snapshot_download(model_id) + "/*.safetensors"):
            weights.update(load_file(path))
        print(len(weights), "tensors")
        """
    default:
      return """
        # pip install \(packages.joined(separator: " "))
        \(imports)

        \(name)\(companion) = \(companionClass).from_pretrained(model_id\(trust))
        model = \(task.autoClass).from_pretrained(model_id, dtype="auto"\(placement)\(trust))
        \(use)
        """
    }
  }

  private var trust: String { usesOwnCode ? ", trust_remote_code=True" : "" }

  private var placement: String {
    isLarge ? ", device_map=\"auto\"" : ""
  }

  /// Whether such models are spread over what devices there are.
  private var isLarge: Bool {
    ["AutoModelForCausalLM", "AutoModelForSeq2SeqLM", "AutoModelForImageTextToText"]
      .contains(task.autoClass)
  }

  private var packages: [String] {
    ["transformers", "torch"] + (isLarge ? ["accelerate"] : [])
      + (companion == "processor" && !isAudio ? ["pillow", "torchvision"] : [])
  }

  private var isAudio: Bool {
    ["AutoModelForSpeechSeq2Seq", "AutoModelForCTC", "AutoModelForAudioClassification"]
      .contains(task.autoClass)
  }

  /// What prepares the model's input.
  private var companion: String { companionClass == "AutoTokenizer" ? "tokenizer" : "processor" }

  private var companionClass: String {
    switch task.autoClass {
    case "AutoModelForSpeechSeq2Seq", "AutoModelForCTC", "AutoModelForImageTextToText":
      "AutoProcessor"
    case "AutoModelForAudioClassification": "AutoFeatureExtractor"
    case "AutoModelForImageClassification": "AutoImageProcessor"
    default: "AutoTokenizer"
    }
  }

  private var imports: String {
    let classes = [task.autoClass, companionClass].sorted().joined(separator: ", ")
    let others =
      isAudio
      ? "import numpy\n"
      : task.autoClass == "AutoModelForImageClassification" ? "from PIL import Image\n" : ""
    return others + "from transformers import \(classes)"
  }

  private var use: String {
    switch task.autoClass {
    case "AutoModelForCausalLM": usesChatTemplate ? Self.chat : Self.text
    case "AutoModelForSeq2SeqLM": Self.translation
    case "AutoModelForImageTextToText": Self.picture
    case "AutoModelForSpeechSeq2Seq": Self.speech
    case "AutoModelForCTC": Self.letters
    case "AutoModelForMaskedLM": Self.mask
    case "AutoModelForQuestionAnswering": Self.question
    case "AutoModelForSequenceClassification": Self.classes
    case "AutoModelForTokenClassification": Self.tokens
    case "AutoModelForAudioClassification": Self.sound
    case "AutoModelForImageClassification": Self.image
    default: Self.embedding
    }
  }
}

/// What is done with each kind of model.
extension UsageSnippet {
  private static let chat = """

    messages = [{"role": "user", "content": "What is a model merge?"}]
    inputs = tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
    ).to(model.device)
    output = model.generate(**inputs, max_new_tokens=256)
    print(tokenizer.decode(output[0][inputs["input_ids"].shape[1]:], skip_special_tokens=True))
    """

  private static let text = """

    inputs = tokenizer("A model merge is", return_tensors="pt").to(model.device)
    output = model.generate(**inputs, max_new_tokens=64)
    print(tokenizer.decode(output[0], skip_special_tokens=True))
    """

  private static let translation = """

    inputs = tokenizer("translate English to German: The house is old.", return_tensors="pt")
    output = model.generate(**inputs.to(model.device), max_new_tokens=64)
    print(tokenizer.decode(output[0], skip_special_tokens=True))
    """

  private static let picture = """

    messages = [{"role": "user", "content": [
        {"type": "image", "path": "picture.jpg"}, {"type": "text", "text": "What is in the picture?"},
    ]}]
    inputs = processor.apply_chat_template(
        messages, add_generation_prompt=True, tokenize=True, return_tensors="pt", return_dict=True
    ).to(model.device, model.dtype)
    output = model.generate(**inputs, max_new_tokens=64)
    print(processor.decode(output[0][inputs["input_ids"].shape[1]:], skip_special_tokens=True))
    """

  private static let second = """

    sound = numpy.zeros(16000, dtype="float32")  # one second of silence: your recording, mono
    """

  private static let speech =
    second + """

      inputs = processor(sound, sampling_rate=16000, return_tensors="pt")
      output = model.generate(**inputs.to(model.device, model.dtype))
      print(processor.batch_decode(output, skip_special_tokens=True)[0])
      """

  private static let letters =
    second + """

      inputs = processor(sound, sampling_rate=16000, return_tensors="pt").to(model.dtype)
      print(processor.batch_decode(model(**inputs).logits.argmax(dim=-1))[0])
      """

  private static let sound =
    second + """

      inputs = processor(sound, sampling_rate=16000, return_tensors="pt").to(model.dtype)
      print(model.config.id2label[model(**inputs).logits.argmax(dim=-1).item()])
      """

  private static let image = """

    inputs = processor(Image.open("picture.jpg"), return_tensors="pt").to(model.dtype)
    print(model.config.id2label[model(**inputs).logits.argmax(dim=-1).item()])
    """

  private static let mask = """

    inputs = tokenizer(f"Paris is the {tokenizer.mask_token} of France.", return_tensors="pt")
    place = (inputs.input_ids[0] == tokenizer.mask_token_id).nonzero()[0]
    best = model(**inputs).logits[0, place].topk(5).indices[0]
    print([tokenizer.decode(token) for token in best])
    """

  private static let question = """

    inputs = tokenizer("Who wrote it?", "Ada wrote it in 1843.", return_tensors="pt")
    output = model(**inputs)
    start, end = output.start_logits.argmax(), output.end_logits.argmax()
    print(tokenizer.decode(inputs.input_ids[0, start:end + 1]))
    """

  private static let classes = """

    inputs = tokenizer("I like this a lot.", return_tensors="pt")
    print(model.config.id2label[model(**inputs).logits.argmax(dim=-1).item()])
    """

  private static let tokens = """

    inputs = tokenizer("Ada Lovelace lived in London.", return_tensors="pt")
    labels = model(**inputs).logits.argmax(dim=-1)[0]
    print([model.config.id2label[label.item()] for label in labels])
    """

  private static let embedding = """

    inputs = tokenizer("An example sentence.", return_tensors="pt")
    print(model(**inputs).last_hidden_state.mean(dim=1))
    """
}
