// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Hub
import Storage
import Synchronization
import SystemPackage

/// A folder that is removed when the test is over.
final class TemporaryFolder: Sendable {
  let path: FilePath

  init() throws {
    path = FileSystem.temporarySibling(of: "/tmp/hubmerge-hub-tests")
    try FileSystem.createFolder(path)
  }

  deinit { try? FileSystem.remove(path) }
}

/// The events of a client, in order.
final class EventLog: Sendable {
  private let events = Mutex<[HubEvent]>([])

  func add(_ event: HubEvent) { events.withLock { $0.append(event) } }

  var all: [HubEvent] { events.withLock { $0 } }

  var waits: [(reason: HubEvent.WaitReason, seconds: Double)] {
    all.compactMap {
      if case .waiting(let reason, let seconds) = $0 { (reason, seconds) } else { nil }
    }
  }

  /// Bytes told as moved, minus those told as moved in vain.
  var advanced: Int {
    all.reduce(0) { if case .advanced(_, _, let bytes) = $1 { $0 + bytes } else { $0 } }
  }
}

extension HubConfiguration {
  /// A client of a test server that does not sleep long between attempts.
  static func testing(
    _ endpoint: String, token: String? = nil, retries: Int = 5
  ) -> HubConfiguration {
    var configuration = HubConfiguration(
      endpoint: WebURL(endpoint)!, token: token.flatMap { Token($0) }, userAgent: "hubmerge/test")
    configuration.retry.firstDelay = 0.01
    configuration.retry.longestDelay = 0.02
    configuration.retry.retries = retries
    configuration.pieceLength = 64 << 10
    return configuration
  }
}

/// The same bytes for the same seed, without pattern.
func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
  var state = seed
  return (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return UInt8(truncatingIfNeeded: state >> 56)
  }
}

/// True for the first `count` calls.
final class Countdown: Sendable {
  private let left: Mutex<Int>

  init(_ count: Int) { left = Mutex(count) }

  func next() -> Bool {
    left.withLock {
      $0 -= 1
      return $0 >= 0
    }
  }
}

/// Counts from one.
final class Counter: Sendable {
  private let value = Mutex(0)

  func next() -> Int {
    value.withLock {
      $0 += 1
      return $0
    }
  }
}

/// Makes a file look as if it had last been changed some time ago.
func age(_ path: FilePath, seconds: Int) throws {
  let then = time(nil) - seconds
  var times = [timeval(tv_sec: then, tv_usec: 0), timeval(tv_sec: then, tv_usec: 0)]
  guard utimes(path.string, &times) == 0 else { throw Errno(rawValue: errno) }
}

/// Blocks the calling thread, for servers that let a client wait.
func pause(_ seconds: UInt32) { sleep(seconds) }
