// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser

/// What the program says by its exit status, after sysexits.h.
enum ExitStatus: Int32 {
  case usage = 64
  case badInput = 65
  case missingInput = 66
  case unavailable = 69
  case internalError = 70
  case cannotCreate = 73
  case inputOutput = 74
  case tryAgain = 75
  case notPermitted = 77
  case interrupted = 130
  case terminated = 143

  var exitCode: ExitCode { ExitCode(rawValue) }
}
