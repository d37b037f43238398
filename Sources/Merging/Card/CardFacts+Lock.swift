// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage

extension CardFacts {
  /// The most files of weights that are listed one by one.
  private static let weightLimit = 12

  /// The facts with what a lock proves: the recipe, the sources' commits, the digests of the weights.
  package func proved(by lock: MergeLock?) -> CardFacts {
    guard let lock else { return self }
    var facts = self
    facts.provenance = [
      Provenance(
        kind: "recipe", name: "mergekit_config.yml", digest: ContentDigest.sha256(lock.recipe).text)
    ]
    facts.provenance += lock.sources.compactMap { source in
      guard let id = source.hubID, let commit = source.commit else { return nil }
      return Provenance(kind: "source", name: id, digest: "commit \(commit)")
    }
    let weights = lock.files.filter { $0.name.hasSuffix(".safetensors") }
    facts.provenance += weights.prefix(Self.weightLimit).map {
      Provenance(kind: "weights", name: $0.name, digest: $0.digest.text)
    }
    if weights.count > Self.weightLimit {
      facts.provenance.append(
        Provenance(
          kind: "weights", name: "\(weights.count - Self.weightLimit) more files",
          digest: "in \(MergeLock.fileName)"))
    }
    return facts
  }
}
