// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Documents

/// Models of a recipe that cannot be read, all of them, each with the place where the recipe names it.
package struct UnavailableModels: Error {
  package struct Failure: Sendable {
    package let model: ModelReference
    package let node: YAMLNode?
    /// What the model's source threw.
    package let error: any Error
  }

  /// In the order of the recipe; not empty.
  package let failures: [Failure]
  /// What else is wrong, found without the models.
  package let findings: [Diagnostic]
  /// The recipe's file, as the user named it, and its text: for showing the lines at fault.
  package let file: String
  package let text: String
}
