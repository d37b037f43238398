// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Glibc
internal import Merging
internal import Weights

/// How a merge is done. Names are mergekit's wherever it has one.
struct MergeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The most bytes of tensors in a shard, such as 5B or 500M; 0 for one shard.",
      valueName: "size"))
  var outShardSize = SizeArgument(bytes: 5_000_000_000)

  @Option(help: "Seed of random methods; wins over the recipe's (default 0).")
  var randomSeed: UInt64?

  @Option(
    name: [.customShort("j"), .customLong("num-threads")],
    help: "Threads that merge (default: one for each processor).")
  var threads: Int?

  @Option(
    help: ArgumentHelp(
      "Round models that a LoRA is applied to, such as float16 or bfloat16 (default: as stored).",
      valueName: "dtype"))
  var loraMergeDtype: String?

  @Flag(inversion: .prefixedNo, help: "Merge models of different architectures.")
  var allowCrimes = false

  @Flag(help: "Unite tokenizers that split text differently, though some tokens will never occur.")
  var allowDeadTokens = false

  @Flag(help: "Add the chat template's end of turn to the tokens that end a text.")
  var fixEos = false

  @Flag(
    inversion: .prefixedNo,
    help: "Cut embeddings to the model with the fewest rows where vocabularies differ.")
  var unsafeTruncateEmbeddings = false

  @Flag(inversion: .prefixedNo, help: "Take over the tokenizer's files.")
  var copyTokenizer = true

  @Flag(inversion: .prefixedNo, help: "Write README.md.")
  var writeModelCard = true

  @Flag(
    inversion: .prefixedNo,
    help: ArgumentHelp(
      "Write hubmerge.lock (release does unless told not to).",
      discussion: "Models that are folders are read once more for it."))
  var writeLock: Bool?

  @Option(
    help: ArgumentHelp(
      "A hubmerge.lock: merge with its options, at its commits; refuse other sources.",
      valueName: "file"),
    completion: .file())
  var lock: String?

  @OptionGroup var card: CardOptions

  @OptionGroup(title: "Accepted from mergekit, with nothing to do here")
  var inert: InertMergeOptions

  var planOptions: PlanOptions {
    var options = PlanOptions()
    options.maximumShardSize = outShardSize.bytes
    options.seed = randomSeed
    options.allowsMixedArchitectures = allowCrimes
    options.copiesTokenizer = copyTokenizer
    options.allowsDeadTokens = allowDeadTokens
    options.fixesEndOfTurn = fixEos
    options.truncatesEmbeddings = unsafeTruncateEmbeddings
    options.adapterDType = loraMergeDtype.flatMap(DType.init(recipeName:))
    return options
  }

  var threadCount: Int { max(1, threads ?? Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

  func validate() throws {
    if let threads, threads < 1 { throw ValidationError("--num-threads is at least 1.") }
    if let loraMergeDtype, DType(recipeName: loraMergeDtype) == nil {
      throw ValidationError("--lora-merge-dtype: \"\(loraMergeDtype)\" is not a dtype.")
    }
    if !inert.safeSerialization {
      throw ValidationError("--no-safe-serialization: only safetensors files are written.")
    }
  }
}

/// mergekit's options for things that are settled otherwise here.
struct InertMergeOptions: ParsableArguments {
  @Flag(inversion: .prefixedNo, help: .hidden) var cuda = false
  @Flag(inversion: .prefixedNo, help: .hidden) var lowCpuMemory = false
  @Flag(inversion: .prefixedNo, help: .hidden) var lazyUnpickle = false
  @Flag(inversion: .prefixedNo, help: .hidden) var readToGpu = false
  @Flag(inversion: .prefixedNo, help: .hidden) var multiGpu = false
  @Flag(inversion: .prefixedNo, help: .hidden) var asyncWrite = false
  @Flag(inversion: .prefixedNo, help: .hidden) var cloneTensors = false
  @Flag(inversion: .prefixedNo, help: .hidden) var trustRemoteCode = false
  @Flag(help: .hidden) var gpuRich = false
  @Flag(inversion: .prefixedNo, help: .hidden) var safeSerialization = true
  @Option(help: .hidden) var device: String?
  @Option(help: .hidden) var writeThreads: Int?
  @Option(help: .hidden) var loraMergeCache: String?

  /// The options that were given, as they were spelt.
  var given: [String] {
    let flags: [(String, Bool)] = [
      ("--cuda", cuda), ("--low-cpu-memory", lowCpuMemory), ("--lazy-unpickle", lazyUnpickle),
      ("--read-to-gpu", readToGpu), ("--multi-gpu", multiGpu), ("--async-write", asyncWrite),
      ("--clone-tensors", cloneTensors), ("--trust-remote-code", trustRemoteCode),
      ("--gpu-rich", gpuRich), ("--device", device != nil),
      ("--write-threads", writeThreads != nil), ("--lora-merge-cache", loraMergeCache != nil),
    ]
    return flags.filter(\.1).map(\.0)
  }
}
