// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser

/// A command whose work ends in a report, or in an error that is explained.
protocol ReportingCommand: AsyncParsableCommand {
  var output: OutputOptions { get }

  func perform(_ console: Console) async throws -> any Report & Sendable
}

extension ReportingCommand where Self: Sendable {
  func run() async throws {
    let console = output.console
    let command = self
    do {
      let report = try await Interruption.guarding { try await command.perform(console) }
      console.show(report)
      if let status = report.status { throw status.exitCode }
    } catch let code as ExitCode {
      throw code
    } catch let error as ValidationError {
      throw error
    } catch let status as ExitCode {
      // The report has been shown already, and says it all.
      throw status
    } catch {
      console.progress.finish()
      if let signal = Interruption.received {
        console.show(ErrorReport(interruptedBy: signal))
        throw ExitCode(128 + signal)
      }
      throw console.explain(error).exitCode
    }
  }
}
