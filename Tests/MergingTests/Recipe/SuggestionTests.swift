// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Merging

@Suite("Guesses at what somebody meant")
struct SuggestionTests {
  @Test(
    "The number of letters to change",
    arguments: [
      ("", "", 0), ("a", "", 1), ("", "abc", 3), ("weight", "weight", 0), ("weihgt", "weight", 1),
      ("Weight", "wEIGHT", 0), ("densty", "density", 1), ("kitten", "sitting", 3), ("ca", "abc", 3),
    ])
  func distance(a: String, b: String, distance: Int) {
    #expect(Suggestion.distance(a, b) == distance)
    #expect(Suggestion.distance(b, a) == distance)
  }

  @Test("The closest word within two letters, one for short words; ties by the alphabet")
  func closest() {
    let words = ["weight", "density", "t", "ties", "dare"]
    #expect(Suggestion.closest(to: "wieght", among: words) == "weight")
    #expect(Suggestion.closest(to: "desnty", among: words) == "density")
    #expect(Suggestion.closest(to: "tise", among: words) == "ties")
    #expect(Suggestion.closest(to: "tose", among: words) == nil)
    #expect(Suggestion.closest(to: "gamma", among: words) == nil)
    #expect(Suggestion.closest(to: "ab", among: ["ac", "aa"]) == "aa")
    #expect(Suggestion.closest(to: "x", among: []) == nil)
  }
}
