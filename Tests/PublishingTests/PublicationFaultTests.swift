// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Hub
internal import LocalHub
internal import Publishing
internal import TestSupport
internal import Testing

/// What becomes of a push when something goes wrong at one of its requests.
@Suite struct PublicationFaultTests {
  /// The requests of a push, in their order.
  enum Phase: String, CaseIterable, Sendable {
    case card, create, head, preupload, batch, put, part, completion, verification, commit

    /// What the request's path has in it, and its method.
    var request: (method: String, path: String) {
      switch self {
      case .card: ("POST", "/api/validate-yaml")
      case .create: ("POST", "/api/repos/create")
      case .head: ("GET", "/revision/main")
      case .preupload: ("POST", "/preupload/")
      case .batch: ("POST", "/objects/batch")
      case .put: ("PUT", "/objects/")
      case .part: ("PUT", "/uploads/")
      case .completion: ("POST", "/complete_multipart/")
      case .verification: ("POST", "/objects/verify")
      case .commit: ("POST", "/commit/main")
      }
    }
  }

  enum Fault: String, CaseIterable, Sendable {
    /// The server is busy, twice.
    case busy
    /// The quota is used up, once.
    case limited
    /// The request is carried out and the reply lost, twice.
    case replyLost
    /// It is refused, always.
    case refused
    /// The server is broken, always.
    case broken

    func rule(_ phase: Phase) -> Faults.Rule {
      let (action, times): (Faults.Action, Int) =
        switch self {
        case .busy: (.status(503), 2)
        case .limited: (.status(429), 1)
        case .replyLost: (.reset(after: 0), 2)
        case .refused: (.status(403), 1000)
        case .broken: (.status(500), 1000)
        }
      return Faults.Rule(
        action, method: phase.request.method, path: phase.request.path, times: times)
    }

    /// What the push throws; nil if it succeeds.
    func outcome(_ phase: Phase) -> HubError.Kind? {
      switch self {
      case .busy, .limited, .replyLost: nil
      // Asked again, the hub says that it has the object.
      case .refused where phase == .verification: nil
      case .refused where phase == .put || phase == .part: .storeRefused(host: "127.0.0.1")
      case .refused: .forbidden
      // The card is checked again when it is committed.
      case .broken: phase == .card ? nil : .server
      }
    }
  }

  @Test(arguments: Phase.allCases, Fault.allCases)
  func `a push overcomes what passes, and changes nothing if it cannot`(
    phase: Phase, fault: Fault
  ) async throws {
    try await PublicationScene.with { scene in
      scene.faults.add(fault.rule(phase))
      var failure: HubError.Kind?
      do {
        _ = try await scene.publication { $0.verifies = true }.push(scene.model)
      } catch let error as HubError {
        failure = error.kind
      }
      #expect(scene.faults.hits > 0)
      #expect(failure == fault.outcome(phase))

      scene.faults.removeAll()
      if failure == nil {
        #expect(try await scene.published() == scene.expected)
      } else {
        // Nothing is visible, and the next push ends as the first one should have.
        if phase != .create, phase != .card { #expect(try await scene.published() == [:]) }
        _ = try await scene.publication { $0.verifies = true }.push(scene.model)
        #expect(try await scene.published() == scene.expected)
      }
      #expect(try await scene.repository().commits().count == 2)
    }
  }
}
