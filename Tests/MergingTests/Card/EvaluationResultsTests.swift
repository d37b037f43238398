// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Merging
import Testing

@Suite("Results of lm-evaluation-harness")
struct EvaluationResultsTests {
  private func results(_ text: String) throws -> EvaluationResults {
    try EvaluationResults(harnessFile: Array(text.utf8))
  }

  @Test("become the hub's model-index, numbers as they are written")
  func modelIndex() throws {
    let found = try results(
      """
      {"results": {"arc": {"alias": "ARC", "acc,none": 0.30000000000000004, "acc_stderr,none": 0.01}},
       "configs": {"arc": {"dataset_path": "allenai/ai2_arc", "dataset_name": "ARC-Challenge",
                           "test_split": "test", "num_fewshot": 25}}}
      """)
    let card = ModelCard(
      metadata: .object([
        "license": "mit", "model-index": found.modelIndex(model: "Merged"),
      ]), body: "")
    #expect(card.problems.isEmpty)
    #expect(
      card.text == """
        ---
        license: mit
        model-index:
        - name: Merged
          results:
          - task:
              type: text-generation
              name: Text Generation
            dataset:
              type: allenai/ai2_arc
              name: ARC
              config: ARC-Challenge
              split: test
              args:
                num_few_shot: 25
            metrics:
            - type: acc
              value: 0.30000000000000004
              name: acc
            source:
              name: lm-evaluation-harness
              url: https://github.com/EleutherAI/lm-evaluation-harness
        ---

        """)
  }

  @Test(
    "leave out the members of a group that has results of its own, and data sets that are files")
  func groups() throws {
    let found = try results(
      """
      {"results": {"mmlu": {"acc,none": 0.6}, "mmlu_law": {"alias": "  - law", "acc,none": 0.5},
                   "pair": {"alias": "pair"}, "one": {"alias": " - one", "acc,none": 0.4},
                   "json": {"acc": 1}},
       "group_subtasks": {"mmlu": ["mmlu_law"], "pair": ["one"], "json": []},
       "configs": {"json": {"dataset_path": "/data/x"}}}
      """)
    #expect(found.tasks.map(\.name) == ["mmlu", "one", "json"])
    #expect(found.tasks.map(\.dataset) == ["mmlu", "one", "json"])
  }

  @Test(
    "are asked for by their names",
    arguments: ["", "{", "[]", "{\"results\": {}}", "{\"results\": {\"a\": {\"alias\": \"a\"}}}"])
  func faults(text: String) {
    #expect(throws: EvaluationResults.Fault.self) { try results(text) }
  }
}
