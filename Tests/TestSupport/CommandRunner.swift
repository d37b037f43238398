// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Documents
internal import Glibc
internal import Storage
internal import Synchronization
package import SystemPackage

/// Runs the program itself, in a folder and with a home of its own.
package struct CommandRunner: Sendable {
  /// What relative paths are relative to.
  package let folder: FilePath
  /// Added to the environment, which has nothing else of the test's own.
  package var environment: [String: String]

  package init(in folder: FilePath, environment: [String: String] = [:]) {
    self.folder = folder
    self.environment = [
      "PATH": "/usr/bin:/bin", "HOME": folder.appending("home").string, "TERM": "dumb",
    ].merging(environment) { $1 }
  }

  /// The folder of the hub's files: cache, token, work in progress.
  package var hubHome: FilePath { folder.appending("home/.cache/huggingface") }

  /// This runner with a variable more.
  package func setting(_ name: String, to value: String) -> CommandRunner {
    var runner = self
    runner.environment[name] = value
    return runner
  }

  /// Runs the program to its end.
  ///
  /// - Parameter limit: After this time the program is killed and the test fails.
  package func run(
    _ arguments: String..., limit: Duration = .seconds(60)
  ) async throws -> CommandResult {
    try await run(arguments, limit: limit)
  }

  package func run(_ arguments: [String], limit: Duration = .seconds(60)) async throws
    -> CommandResult
  {
    try await start(arguments).result(limit: limit)
  }

  /// Starts the program and lets it run.
  package func start(_ arguments: [String]) throws -> RunningCommand {
    try FileSystem.createFolder(folder)
    let binary = Self.builtProducts.appending("hubmerge")
    guard FileSystem.kind(binary) == .file else { throw CommandFailure.notBuilt(binary) }
    return try RunningCommand(binary, arguments, environment, in: folder)
  }

  /// Where the build has put the program: beside the executable that these tests are.
  private static var builtProducts: FilePath {
    FileSystem.symlinkTarget("/proc/self/exe")?.removingLastComponent() ?? ""
  }
}

/// What a command has printed, and how it ended.
package struct CommandResult: Sendable {
  /// The exit status, or minus the number of the signal that ended the program.
  package let status: Int32
  package let output: String
  package let errors: String

  /// Standard output as a JSON document.
  package var json: JSON {
    get throws { try JSON.parse(Array(output.utf8)) }
  }
}

package enum CommandFailure: Error {
  case notBuilt(FilePath)
  case notStarted(Errno)
  /// It did not end, or did not print what was waited for, in time; what it has printed.
  case timedOut(output: String, errors: String)
}

/// The program while it runs; killed with the last reference to it.
package final class RunningCommand: Sendable {
  private let process: pid_t
  private let printed: TemporaryFolder
  private let status = Mutex<Int32?>(nil)

  fileprivate init(
    _ binary: FilePath, _ arguments: [String], _ environment: [String: String], in folder: FilePath
  ) throws {
    printed = try TemporaryFolder()
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    let flags = O_WRONLY | O_CREAT | O_APPEND
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, printed.path.appending("1").string, flags, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, printed.path.appending("2").string, flags, 0o600)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

    // env(1) goes to the folder and becomes the program.
    let env = ["/usr/bin/env", "-C", folder.string, binary.string]
    var words = (env + arguments).map { strdup($0) } + [nil]
    var variables = environment.map { strdup("\($0)=\($1)") } + [nil]
    defer { for text in words + variables { free(text) } }
    var process = pid_t()
    let failure = posix_spawn(&process, env[0], &actions, &attributes, &words, &variables)
    guard failure == 0 else { throw CommandFailure.notStarted(Errno(rawValue: failure)) }
    self.process = process
  }

  deinit {
    guard ended() == nil else { return }
    kill(process, SIGKILL)
    var status: Int32 = 0
    waitpid(process, &status, 0)
  }

  /// Standard output and standard error up to now.
  package var output: String { text("1") }
  package var errors: String { text("2") }

  package func send(_ signal: Int32) { if ended() == nil { kill(process, signal) } }

  /// Waits for the end.
  package func result(limit: Duration = .seconds(60)) async throws -> CommandResult {
    try await wait(limit) {
      guard let status = self.ended() else { return nil }
      return CommandResult(status: status, output: self.output, errors: self.errors)
    }
  }

  /// Waits until `condition` has an answer.
  package func wait<Answer>(
    _ limit: Duration = .seconds(60), isolation: isolated (any Actor)? = #isolation,
    for condition: () -> Answer?
  ) async throws -> Answer {
    let start = ContinuousClock.now
    while true {
      if let answer = condition() { return answer }
      guard start.duration(to: .now) < limit else {
        throw CommandFailure.timedOut(output: output, errors: errors)
      }
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  /// How it ended; nil while it runs.
  package func ended() -> Int32? {
    status.withLock { known in
      if let known { return known }
      var status: Int32 = 0
      guard waitpid(process, &status, WNOHANG) == process else { return nil }
      let signal = status & 0x7f
      known = signal == 0 ? status >> 8 & 0xff : -signal
      return known
    }
  }

  private func text(_ name: String) -> String {
    let bytes = try? FileSystem.read(printed.path.appending(name))
    return String(decoding: bytes ?? [], as: UTF8.self)
  }
}
