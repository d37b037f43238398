// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Documents
internal import Storage
internal import Weights

extension MergeLock {
  /// An in-toto statement with SLSA's provenance: the files of the model, and what they were made from and how.
  ///
  /// It is not signed; `cosign attest-blob --statement` and the like do that.
  ///
  /// - Parameter recipe: The text of the recipe.
  package func statement(recipe: String) -> JSON {
    .object([
      "_type": "https://in-toto.io/Statement/v1",
      "subject": .array(
        files.compactMap { file in
          guard case .sha256(let digest) = file.digest else { return nil }
          return .object([
            "name": .string(file.name), "digest": .object(["sha256": .string(digest.hex)]),
          ])
        }),
      "predicateType": "https://slsa.dev/provenance/v1",
      "predicate": .object([
        "buildDefinition": .object([
          "buildType": "urn:hubmerge:merge:v1",
          "externalParameters": .object([
            "recipe": .string(recipe), "seed": .number(String(seed)),
          ]),
          "internalParameters": .object(["options": options.json]),
          "resolvedDependencies": .array(sources.flatMap(\.dependencies)),
        ]),
        "runDetails": .object([
          "builder": .object([
            "id": "urn:hubmerge", "version": .object(["hubmerge": .string(toolVersion)]),
          ])
        ]),
      ]),
    ])
  }
}

extension MergeLock.Source {
  /// The source itself if it has a commit, and its files.
  fileprivate var dependencies: [JSON] {
    let address = hubID.map { "pkg:huggingface/\($0)" + (commit.map { "@\($0)" } ?? "") }
    let own = commit.map { commit in
      JSON.object([
        "name": .string(hubID ?? model), "uri": address.map { .string($0) },
        "digest": .object(["gitCommit": .string(commit)]),
      ])
    }
    return (own.map { [$0] } ?? [])
      + files.map { file in
        .object([
          "name": .string("\(hubID ?? model)/\(file.name)"),
          "uri": address.map { .string("\($0)#\(file.name)") },
          "digest": .object([file.digest.inTotoMember]),
        ])
      }
  }
}

extension ContentDigest {
  /// By in-toto's names of digests where it has one.
  fileprivate var inTotoMember: JSON.Member {
    switch self {
    case .sha256(let digest): .init("sha256", .string(digest.hex))
    case .gitBlob(let digest): .init("gitBlob", .string(digest.hex))
    case .fast(let digest): .init("xxh3-128-256k", .string(digest.hex))
    }
  }
}
