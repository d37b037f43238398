// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import NIOHTTP1
internal import Synchronization

/// A switchboard of deliberate misbehaviour, for tests of clients.
package final class Faults: Sendable {
  /// What goes wrong.
  package enum Action: Sendable {
    /// The reply comes later.
    case latency(Duration)
    /// The body comes at this many bytes a second.
    case rate(bytesPerSecond: Int)
    /// Another status in place of the reply.
    case status(Int, headers: [(name: String, value: String)] = [])
    /// 429 with a `RateLimit` header: nothing remains for this number of seconds.
    case rateLimited(seconds: Int)
    /// The body ends (and the connection with it) after this many bytes.
    case truncate(after: Int)
    /// The connection is reset after this many bytes of the body.
    case reset(after: Int)
    /// The first byte of the body is another one.
    case wrongBytes
    /// 200 and the whole file, whatever range was asked for.
    case ignoreRange
    /// 403, as of a signed link that is too old.
    case expiredLink
    /// 302 to this address, which may be of another origin.
    case redirect(String)
    /// The reply has this header besides its own, or in place of one of its own.
    case header(name: String, value: String)
    /// `Content-Length` promises this many bytes more than there are.
    case wrongLength(excess: Int)
  }

  /// When something goes wrong, and what.
  package struct Rule: Sendable {
    let method: String?
    let path: String
    let skip: Int
    let times: Int
    let action: Action

    /// - Parameters:
    ///   - method: The request's method; nil for any.
    ///   - path: A part of the request's path and query, on either origin.
    ///   - skip: How many matching requests pass unharmed first.
    ///   - times: How many requests are hit then.
    package init(
      _ action: Action, method: String? = nil, path: String = "", skip: Int = 0, times: Int = 1
    ) {
      self.method = method
      self.path = path
      self.skip = skip
      self.times = times
      self.action = action
    }
  }

  private struct State {
    var rules: [(rule: Rule, seen: Int)] = []
    var hits = 0
  }
  private let state = Mutex(State())

  package init(_ rules: [Rule] = []) {
    for rule in rules { add(rule) }
  }

  package func add(_ rule: Rule) {
    state.withLock { $0.rules.append((rule, 0)) }
  }

  /// How many rules there are, those included that have done all they were to do.
  package var count: Int { state.withLock { $0.rules.count } }

  package func removeAll() {
    state.withLock { $0.rules.removeAll() }
  }

  /// How many requests were hit so far.
  package var hits: Int { state.withLock { $0.hits } }

  /// What happens to a request; every rule that matches it counts it.
  func actions(method: HTTPMethod, target: String) -> [Action] {
    state.withLock { state in
      var actions: [Action] = []
      for index in state.rules.indices {
        let rule = state.rules[index].rule
        guard rule.method == nil || rule.method == method.rawValue,
          rule.path.isEmpty || target.contains(rule.path)
        else { continue }
        let seen = state.rules[index].seen
        state.rules[index].seen += 1
        if seen >= rule.skip, seen - rule.skip < rule.times { actions.append(rule.action) }
      }
      if !actions.isEmpty { state.hits += 1 }
      return actions
    }
  }
}
