// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import NIOHTTP1

/// Faults to order while the server runs; there are these routes only if it was started with faults.
extension Route {
  static let faultsPath = "/api/faults"

  /// Adds rules, one on each line of the body.
  static let addFaults = Route(.POST, path: "/api/faults", access: .anyone) { exchange in
    guard case .bytes(let bytes) = exchange.body, let faults = exchange.service.configuration.faults
    else { return Response() }
    do throws(InvalidFault) {
      var rules: [Faults.Rule] = []
      for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
        rules += try Faults.rules(line)
      }
      guard faults.count + rules.count <= 1000 else {
        throw InvalidFault(text: "the body", reason: "there are 1000 rules at most")
      }
      for rule in rules { faults.add(rule) }
    } catch {
      throw HubFailure.badRequest("\"\(error.text)\" is no fault: \(error.reason)")
    }
    return .json(faults.listed)
  }

  /// How many rules there are, and how many requests were hit.
  static let countFaults = Route(.GET, path: "/api/faults", access: .anyone) { exchange in
    .json(exchange.service.configuration.faults?.listed ?? [:])
  }

  static let removeFaults = Route(.DELETE, path: "/api/faults", access: .anyone) { exchange in
    exchange.service.configuration.faults?.removeAll()
    return .json(exchange.service.configuration.faults?.listed ?? [:])
  }
}

extension Faults {
  fileprivate var listed: JSON { ["rules": .int(count), "hits": .int(hits)] }
}
