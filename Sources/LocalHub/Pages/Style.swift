// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import NIOHTTP1

extension Route {
  static let style = Route(.GET, .HEAD, path: "/style.css", access: .anyone) { _ in
    Response(
      headers: ["Content-Type": "text/css; charset=utf-8", "Cache-Control": "max-age=3600"],
      content: .bytes(Array(Style.sheet.utf8)))
  }
}

/// How the pages look.
private enum Style {
  static let sheet = """
    :root { color-scheme: light dark; --ink: #1c1f23; --soft: #5b6470; --paper: #fff; --wash: #f5f6f8;
      --line: #e0e3e8; --link: #1a5fb4; --mark: #7a3ea1; --good: #1d7a46; --bad: #b3261e; }
    @media (prefers-color-scheme: dark) { :root { --ink: #e4e7eb; --soft: #98a2b0; --paper: #15181c;
      --wash: #1d2127; --line: #2e343c; --link: #7fb4f5; --mark: #cf9df0; --good: #6fd39b;
      --bad: #ff8a80; } }
    * { box-sizing: border-box; }
    body { margin: 0; background: var(--paper); color: var(--ink);
      font: 15px/1.55 system-ui, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; }
    a { color: var(--link); text-decoration: none; } a:hover { text-decoration: underline; }
    code, pre, .mono { font-family: ui-monospace, "Cascadia Mono", "DejaVu Sans Mono", monospace;
      font-size: .88em; }
    header { border-bottom: 1px solid var(--line); background: var(--wash); }
    .bar, main { max-width: 66rem; margin: 0 auto; padding: .7rem 1.25rem; }
    .bar { display: flex; align-items: center; gap: 1.25rem; color: var(--soft); }
    .bar form { flex: 1; } .bar input { width: 100%; max-width: 26rem; font: inherit; color: inherit;
      padding: .3rem .7rem; border: 1px solid var(--line); border-radius: .5rem;
      background: var(--paper); }
    .brand { font-weight: 700; font-size: 1.1rem; color: var(--ink); }
    main { padding-bottom: 4rem; }
    h1 { font-size: 1.45rem; margin: 1rem 0 .5rem; overflow-wrap: anywhere; }
    h1 small { font-weight: 400; color: var(--soft); font-size: .95rem; }
    h2.section { font-size: 1.1rem; margin: 1.75rem 0 .6rem; }
    .count { color: var(--soft); font-weight: 400; }
    .tags { display: flex; flex-wrap: wrap; gap: .35rem; margin: .4rem 0 .9rem; padding: 0; }
    .tag { border: 1px solid var(--line); border-radius: 1rem; padding: .05rem .6rem; font-size: .82rem;
      color: var(--soft); background: var(--wash); } .tag.strong { color: var(--mark); }
    .list { list-style: none; margin: 0; padding: 0; border: 1px solid var(--line);
      border-radius: .6rem; overflow: hidden; }
    .list li { padding: .65rem .9rem; border-top: 1px solid var(--line); }
    .list li:first-child { border-top: 0; } .list .name { font-weight: 600; }
    .list .about { color: var(--soft); font-size: .86rem; }
    .tabs { display: flex; gap: 1.25rem; border-bottom: 1px solid var(--line); margin: .9rem 0 1.25rem; }
    .tabs a { padding: .35rem .1rem; color: var(--soft); border-bottom: 2px solid transparent; }
    .tabs a.here { color: var(--ink); border-color: var(--mark); font-weight: 600; }
    .columns { display: grid; grid-template-columns: minmax(0, 1fr) 17rem; gap: 2.25rem; }
    @media (max-width: 52rem) { .columns { grid-template-columns: minmax(0, 1fr); } }
    aside dl { margin: 0; font-size: .9rem; } aside dt { color: var(--soft); margin-top: .7rem; }
    aside dd { margin: 0; overflow-wrap: anywhere; }
    table.files { width: 100%; border-collapse: collapse; border: 1px solid var(--line); }
    .files td { padding: .42rem .8rem; border-top: 1px solid var(--line); }
    .files td:first-child { overflow-wrap: anywhere; }
    .files td.size, .files td.when { text-align: right; white-space: nowrap; color: var(--soft); }
    .files tr:hover { background: var(--wash); }
    .lfs { border: 1px solid var(--line); border-radius: .3rem; font-size: .7rem; padding: 0 .3rem;
      color: var(--soft); margin-left: .4rem; }
    pre { background: var(--wash); border: 1px solid var(--line); border-radius: .5rem;
      padding: .8rem 1rem; overflow-x: auto; }
    .card img { max-width: 100%; height: auto; } .card pre code { font-size: .86rem; }
    .card :not(pre) > code { background: var(--wash); padding: .1rem .3rem; border-radius: .3rem; }
    .card table { border-collapse: collapse; display: block; overflow-x: auto; margin: 1rem 0; }
    .card th, .card td { border: 1px solid var(--line); padding: .35rem .7rem; }
    .card th { background: var(--wash); } .card h1 { font-size: 1.5rem; }
    .card h1, .card h2 { border-bottom: 1px solid var(--line); padding-bottom: .25rem; }
    .card h2 { font-size: 1.2rem; } .card h3 { font-size: 1.05rem; }
    .card blockquote { margin: 1rem 0; padding: 0 1rem; border-left: 3px solid var(--line);
      color: var(--soft); }
    .note { border: 1px solid var(--line); border-left: 3px solid var(--mark); border-radius: .4rem;
      background: var(--wash); padding: .6rem 1rem; margin: 1rem 0; }
    .note form { display: inline; } button { font: inherit; padding: .25rem .9rem; cursor: pointer;
      border-radius: .45rem; border: 1px solid var(--line); background: var(--paper); color: var(--ink); }
    .added { color: var(--good); } .removed { color: var(--bad); } .changed { color: var(--mark); }
    .empty { color: var(--soft); } .refusal { text-align: center; padding-top: 12vh; }
    .preview { max-width: 100%; border: 1px solid var(--line); border-radius: .5rem; background: #fff; }

    """
}
