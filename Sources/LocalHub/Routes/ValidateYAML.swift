// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import NIOHTTP1

extension Route {
  static let validateYAML = Route(
    .POST, path: "/api/validate-yaml", access: .anyone, body: .memory(limit: 8 << 20)
  ) { exchange in
    guard let content = try exchange.json()["content"]?.string else {
      throw HubFailure.badRequest("\"content\" is required")
    }
    let card = CardMetadata(readme: content)
    func list(_ messages: [String]) -> JSON { .array(messages.map { ["message": .string($0)] }) }
    return .json(
      ["errors": list(card.errors), "warnings": list(card.warnings)],
      status: card.errors.isEmpty ? .ok : .badRequest)
  }
}
