// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import CMarkdown

/// Markdown as GitHub and the hub write it, rendered by cmark-gfm.
enum Markdown {
  /// Beyond this a text is shown as it is: the time that rendering takes is not bounded by anything else.
  private static let sizeLimit = 256 << 10

  /// The HTML of a text that somebody else wrote: nothing of it can run, load from elsewhere unasked, or
  /// leave its place in the page.
  ///
  /// - Parameter link: The address to write in place of one in the text, of a link or an image; nil for
  ///   one that is refused.
  static func html(_ text: String, link: @escaping (String, _ isImage: Bool) -> String?) -> HTML {
    guard text.utf8.count <= sizeLimit, let document = parse(text) else {
      return "<pre>\(text)</pre>"
    }
    defer { cmark_node_free(document) }
    var safe = SafeHTML(link: link)
    clean(document, &safe, link)
    // Raw HTML passes, because by now all of it is ours.
    guard let rendered = cmark_render_html(document, CMARK_OPT_UNSAFE, nil) else {
      return "<pre>\(text)</pre>"
    }
    defer { cmark_get_default_mem_allocator().pointee.free(rendered) }
    return HTML(trusted: String(cString: rendered) + safe.closing())
  }

  private static let registered: Void = cmark_gfm_core_extensions_ensure_registered()

  private static func parse(_ text: String) -> OpaquePointer? {
    registered
    guard let parser = cmark_parser_new(CMARK_OPT_VALIDATE_UTF8 | CMARK_OPT_FOOTNOTES) else {
      return nil
    }
    defer { cmark_parser_free(parser) }
    for name in ["table", "strikethrough", "autolink", "tasklist"] {
      if let syntax = cmark_find_syntax_extension(name) {
        cmark_parser_attach_syntax_extension(parser, syntax)
      }
    }
    var text = text
    text.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) {
        cmark_parser_feed(parser, $0.baseAddress, $0.count)
      }
    }
    return cmark_parser_finish(parser)
  }

  /// Replaces raw HTML by its harmless part, and addresses by those to be written.
  private static func clean(
    _ document: OpaquePointer, _ safe: inout SafeHTML,
    _ link: (String, _ isImage: Bool) -> String?
  ) {
    let walk = cmark_iter_new(document)
    defer { cmark_iter_free(walk) }
    while case let event = cmark_iter_next(walk), event != CMARK_EVENT_DONE {
      guard event == CMARK_EVENT_ENTER, let node = cmark_iter_get_node(walk) else { continue }
      switch cmark_node_get_type(node) {
      case CMARK_NODE_HTML_BLOCK, CMARK_NODE_HTML_INLINE:
        let text = cmark_node_get_literal(node).map { String(cString: $0) } ?? ""
        cmark_node_set_literal(node, safe.clean(text))
      case CMARK_NODE_LINK, CMARK_NODE_IMAGE:
        let isImage = cmark_node_get_type(node) == CMARK_NODE_IMAGE
        let url = cmark_node_get_url(node).map { String(cString: $0) } ?? ""
        cmark_node_set_url(node, link(url, isImage) ?? "")
      default: break
      }
    }
  }
}
