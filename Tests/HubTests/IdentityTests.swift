// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Hub
import Storage
import Testing

@Suite struct IdentityTests {
  @Test(arguments: ["gpt2", "acme/One_2.b-c", "a/b", "0x/y.z"])
  func `a valid id is kept as written`(_ text: String) throws {
    #expect(try RepoID(text).description == text)
  }

  @Test(arguments: [
    ("", InvalidRepoID.Reason.shape), ("/b", .shape), ("a/", .shape), ("a/b/c", .shape),
    ("a b/c", .character), ("a/ü", .character), ("a/b%2Fc", .character), ("a\\b", .character),
    ("-a/b", .edge), ("a/b.", .edge), ("./b", .edge), ("a/..", .edge), ("a--b/c", .doubled),
    ("a/b..c", .doubled), ("a/b.git", .gitSuffix),
    (String(repeating: "x", count: 97), .length),
  ])
  func `an invalid id names the rule that it breaks`(
    _ text: String, _ reason: InvalidRepoID.Reason
  ) {
    let error = #expect(throws: InvalidRepoID.self) { try RepoID(text) }
    #expect(error?.reason == reason)
  }

  @Test(arguments: [
    "main", "v1.0", "refs/pr/3", "refs/convert/parquet", "feature/x-1",
    "1234567890123456789012345678901234567890",
  ])
  func `a ref that git allows is a revision`(_ text: String) {
    #expect(Revision(text)?.text == text)
  }

  @Test(arguments: [
    "", "/", "a//b", "../x", "a/../b", ".a", "a/.b", "a b", "a\nb", "a~1", "a^", "a:b", "-a",
    "a.lock",
    "a/", "@", "a@{1}", "a\\b", "a.", "*",
  ])
  func `a name that could leave the folder of refs is none`(_ text: String) {
    #expect(Revision(text) == nil)
  }

  @Test func `only forty lower-case digits are a commit`() {
    #expect(Revision("abcdef7890123456789012345678901234567890")?.commit != nil)
    #expect(Revision("ABCDEF7890123456789012345678901234567890")?.commit == nil)
    #expect(Revision("abcdef7")?.commit == nil)
  }

  @Test func `a pointer is written as git-lfs writes it and read back`() throws {
    let digest = Digest.sha256([1, 2, 3])
    let pointer = LFSPointer(digest: digest, size: 3)
    #expect(
      pointer.text
        == "version https://git-lfs.github.com/spec/v1\noid sha256:\(digest.hex)\nsize 3\n")
    #expect(LFSPointer(pointer.text) == pointer)
    #expect(LFSPointer(pointer.text + "x") == nil)
    #expect(LFSPointer("version 1\n") == nil)
    #expect(LFSPointer(pointer.text.replacing("size 3", with: "size -3")) == nil)
  }

  @Test(arguments: [
    "/etc/passwd", "../x", "a/../b", "a//b", "", ".", "a/.", "C:/x", "a\\b", "\\\\server\\x",
    "a\u{0}b",
    ".git/hooks/post-checkout", "sub/.GIT/config", String(repeating: "x", count: 256),
  ])
  func `an unsafe path is refused`(_ path: String) {
    let error = #expect(throws: HubError.self) { try SafePath.check(path) }
    #expect(error?.kind == .unsafePath(path))
  }

  @Test(arguments: ["a", "a/b.c", ".gitattributes", "...", "ünï/ço dé.txt", ".gitignore"])
  func `a safe path is kept`(_ path: String) throws {
    #expect(try SafePath.check(path) == path)
  }

  @Test(arguments: [
    ("\"abc\"", "abc"), ("W/\"abc\"", "abc"), ("abc", "abc"), ("\"a-b_c.1\"", "a-b_c.1"),
  ])
  func `an etag loses its quotes`(_ header: String, _ name: String) throws {
    #expect(try ETag.normalized(header) == name)
  }

  @Test(arguments: ["", "\"\"", "a/b", "..", "a b", "\"../../x\""])
  func `an etag that cannot name a file is refused`(_ header: String) {
    #expect(throws: HubError.self) { try ETag.normalized(header) }
  }
}
