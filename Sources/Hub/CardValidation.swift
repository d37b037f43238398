// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents

/// What the Hub says about a model card's metadata.
package struct CardValidation: Sendable {
  package let warnings: [String]
  /// False if the Hub could not be asked; it checks again when the card is committed.
  package let wasChecked: Bool
}

extension HubClient {
  /// Has the Hub check the metadata of a model card, exactly as it will be committed.
  ///
  /// - Throws: `HubError` of kind `cardRejected` with the Hub's reasons.
  package func validateCard(_ text: String, kind: RepoID.Kind = .model) async throws
    -> CardValidation
  {
    let body = JSON.object(["content": .string(text), "repoType": .string(kind.rawValue)])
    do {
      let json = try await connection.json(.post, connection.urls.validateCard, body)
      return CardValidation(
        warnings: json["warnings"]?.array?.compactMap { $0["message"]?.string } ?? [],
        wasChecked: true)
    } catch let error as HubError {
      switch error.kind {
      case .badRequest:
        let reasons = error.exchange?.message.map { $0.split(separator: "\n").map(String.init) }
        throw HubError(.cardRejected(reasons ?? []), exchange: error.exchange)
      case .notFound, .server, .unreachable, .timedOut, .interrupted:
        return CardValidation(warnings: [], wasChecked: false)
      default: throw error
      }
    }
  }
}
