// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Storage
internal import Weights

extension MergeLock {
  /// The version of the format.
  private static let format = 1

  /// The file: the same lock is the same bytes.
  package var bytes: [UInt8] {
    let json = JSON.object([
      "hubmerge_lock": .int(Self.format),
      "tool": .object(["name": "hubmerge", "version": .string(toolVersion)]),
      "recipe": .string(ContentDigest.sha256(recipe).text),
      "seed": .number(String(seed)),
      "options": options.json,
      "sources": .array(
        sources.map { source in
          .object([
            "model": .string(source.model), "hub_id": source.hubID.map { .string($0) },
            "commit": source.commit.map { .string($0) }, "files": .array(source.files.map(\.json)),
          ])
        }),
      "files": .array(files.map(\.json)),
      "tensors": .object([
        "scheme": .string(FastDigest.name),
        "digests": .object(tensors.map { .init($0.name.text, .string($0.digest.hex)) }),
      ]),
    ])
    return Array((json.serialized(.pretty(indent: 2)) + "\n").utf8)
  }

  /// - Throws: `LockFault.malformed`.
  package init(parsing bytes: [UInt8]) throws(LockFault) {
    let json: JSON
    do throws(JSONError) { json = try JSON.parse(bytes) } catch { throw .malformed("\(error)") }
    guard let format = json["hubmerge_lock"]?.int else { throw .malformed("it is no lock") }
    guard format == Self.format else {
      throw .malformed("it is of version \(format), and this hubmerge reads \(Self.format)")
    }
    guard let version = json["tool"]?["version"]?.string,
      case .sha256(let recipe)? = json["recipe"]?.string.flatMap(ContentDigest.init(text:)),
      case .number(let digits)? = json["seed"], let seed = UInt64(digits),
      let options = json["options"].flatMap(PlanOptions.init(json:))
    else { throw .malformed("tool, recipe, seed or options are missing") }
    let tensors = json["tensors"]
    guard let digests = tensors?["digests"]?.members, tensors?["scheme"]?.string == FastDigest.name
    else { throw .malformed("the digests of the tensors are missing, or of an unknown scheme") }
    self.init(
      toolVersion: version, recipe: recipe, options: options, seed: seed,
      sources: try Self.list(json, "sources") { source in
        guard let model = source["model"]?.string, let files = source["files"]?.array else {
          return nil
        }
        let read = files.compactMap(File.init(json:))
        guard read.count == files.count else { return nil }
        return Source(
          model: model, hubID: source["hub_id"]?.string, commit: source["commit"]?.string,
          files: read)
      }, files: try Self.list(json, "files", File.init(json:)),
      tensors: try digests.map { (member) throws(LockFault) in
        guard let digest = member.value.string.flatMap(FastDigest.init(hex:)) else {
          throw .malformed("the digest of \(member.key) is none")
        }
        return Tensor(name: TensorName(member.key), digest: digest)
      })
  }

  private static func list<Item>(_ json: JSON, _ key: String, _ item: (JSON) -> Item?)
    throws(LockFault) -> [Item]
  {
    guard let values = json[key]?.array else { throw .malformed("\(key) is no list") }
    let items = values.compactMap(item)
    guard items.count == values.count else { throw .malformed("\(key) is incomplete") }
    return items
  }
}

extension MergeLock.File {
  fileprivate var json: JSON {
    .object(["name": .string(name), "size": .int(size), "digest": .string(digest.text)])
  }

  fileprivate init?(json: JSON) {
    guard let name = json["name"]?.string, let size = json["size"]?.int, size >= 0,
      let digest = json["digest"]?.string.flatMap(ContentDigest.init(text:))
    else { return nil }
    self.init(name: name, size: size, digest: digest)
  }
}

extension PlanOptions {
  /// By the names of the command line, underscores for dashes.
  var json: JSON {
    .object([
      "out_shard_size": .int(maximumShardSize),
      "allow_crimes": .bool(allowsMixedArchitectures),
      "copy_tokenizer": .bool(copiesTokenizer),
      "allow_dead_tokens": .bool(allowsDeadTokens),
      "unsafe_truncate_embeddings": .bool(truncatesEmbeddings),
      "fix_eos": .bool(fixesEndOfTurn),
      "lora_merge_dtype": adapterDType.map { .string($0.rawValue) },
    ])
  }

  fileprivate init?(json: JSON) {
    self.init()
    guard let size = json["out_shard_size"]?.int, size >= 0,
      let allowsMixedArchitectures = json["allow_crimes"]?.bool,
      let copiesTokenizer = json["copy_tokenizer"]?.bool,
      let allowsDeadTokens = json["allow_dead_tokens"]?.bool,
      let truncatesEmbeddings = json["unsafe_truncate_embeddings"]?.bool,
      let fixesEndOfTurn = json["fix_eos"]?.bool
    else { return nil }
    maximumShardSize = size
    self.allowsMixedArchitectures = allowsMixedArchitectures
    self.copiesTokenizer = copiesTokenizer
    self.allowsDeadTokens = allowsDeadTokens
    self.truncatesEmbeddings = truncatesEmbeddings
    self.fixesEndOfTurn = fixesEndOfTurn
    if let name = json["lora_merge_dtype"]?.string {
      guard let dtype = DType(rawValue: name) else { return nil }
      adapterDType = dtype
    }
  }
}
