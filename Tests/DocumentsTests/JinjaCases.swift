// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents

/// Templates and what Jinja2 3.1.6, in its default environment, makes of them with `context`.
enum JinjaCases {
  static let context: JSON = .object([
    .init("name", .string("Llama <3> & co")),
    .init("empty", .string("")),
    .init("zero", .number("0")),
    .init("n", .number("7")),
    .init("neg", .number("-7")),
    .init("pi", .number("3.14159")),
    .init("big", .number("1e+16")),
    .init("mid", .number("1.2345678901234568e+16")),
    .init("tiny", .number("1e-05")),
    .init("t", .bool(true)),
    .init("f", .bool(false)),
    .init("nil", .null),
    .init("list", .array([.number("3"), .number("1"), .number("2")])),
    .init("words", .array([.string("pear"), .string("Apple"), .string("fig"), .string("apple")])),
    .init(
      "mixed",
      .array([
        .number("1"), .string("a"), .null, .bool(true), .number("2.5"), .array([.number("1")]),
        .object([.init("k", .string("v"))]),
      ])),
    .init(
      "nested",
      .object([
        .init(
          "a",
          .object([.init("b", .array([.number("10"), .object([.init("c", .string("deep"))])]))]))
      ])),
    .init(
      "d", .object([.init("b", .number("2")), .init("a", .number("1")), .init("C", .number("3"))])),
    .init(
      "rows",
      .array([
        .object([.init("n", .string("x")), .init("v", .number("3")), .init("on", .bool(true))]),
        .object([.init("n", .string("Y")), .init("v", .number("1")), .init("on", .bool(false))]),
        .object([.init("n", .string("z")), .init("v", .number("2")), .init("on", .bool(true))]),
      ])),
    .init("text", .string("one two\nthree\n\nfour")),
    .init("uni", .string("Ünïcødé 🤗 é")),
    .init("sp", .string("  pad\t\n")),
    .init(
      "pairs",
      .array([.array([.number("1"), .number("2")]), .array([.number("3"), .number("4")])])),
    .init("path", .string("/a/b/c")),
    .init("quote", .string("it's")),
    .init("dq", .string("say \"hi\"")),
    .init("both", .string("a'b\"c")),
    .init("ctrl", .string("a\u{1}b\u{a0}c\u{2028}")),
    .init(
      "messages",
      .array([
        .object([.init("role", .string("system")), .init("content", .string(" Be kind. "))]),
        .object([.init("role", .string("user")), .init("content", .string("Hi"))]),
        .object([.init("role", .string("assistant")), .init("content", .string("Hello"))]),
      ])),
    .init("float2", .number("2.0")),
    .init("half", .number("2.5")),
    .init("r", .number("2.675")),
    .init("bytes", .number("123456789")),
    .init("crlf", .string("a\r\nb")),
  ])

  static let rendered: [(template: String, output: String)] = [
    (
      "",
      ""
    ),
    (
      "\n",
      ""
    ),
    (
      "\n\n",
      "\n"
    ),
    (
      "a\n",
      "a"
    ),
    (
      "a\n\n",
      "a\n"
    ),
    (
      "a\r\nb\rc\n",
      "a\nb\nc"
    ),
    (
      "{% if t %}\n  x\n{% endif %}\n\ny\n",
      "\n  x\n\n\ny"
    ),
    (
      "{%- for m in rows -%}\n  {{ m.n }}\n{%- endfor %}\n\n| a | b |\n|---|---|\n{% for m in rows %}| {{ m.n }} | {{ m.v }} |\n{% endfor %}\nend\n",
      "xYz\n\n| a | b |\n|---|---|\n| x | 3 |\n| Y | 1 |\n| z | 2 |\n\nend"
    ),
    (
      "a {#\nmulti {{ n }} line #}d\n{#- x -#}\n  e {#-#} f",
      "a de f"
    ),
    (
      "{{ n\n  +\n 1 }}\n{% if t and\n   n %}ok{% endif %}\n",
      "8\nok"
    ),
    (
      "{% raw %}\n{{ x }}\n{% endraw %}\n z\n",
      "\n{{ x }}\n\n z"
    ),
    (
      "  {%- set x = 1 -%}  \n  {{ x }}",
      "1"
    ),
    (
      "{{ n }}\n{% for x in list -%}\n  {{ x }}\n{%- else -%}\n none\n{% endfor +%}\n done\n\n",
      "7\n312\n done\n"
    ),
    (
      "---\n{{ card_data }}\n---\n\n# {{ model_id | default(\"Model ID\", true) }}\n\n<!-- Quick summary. -->\n\n{{ model_summary | default(\"\", true) }}\n\n- **Language(s):** {{ language | default(\"[More Information Needed]\", true)}}\n- **License:** {{ name | default(\"x\", true)}} <!--fp32 -->\n\n{{ quote | default(\"Users (both direct and downstream) should be made aware.\", true)}}\n",
      "---\n\n---\n\n# Model ID\n\n<!-- Quick summary. -->\n\n\n\n- **Language(s):** [More Information Needed]\n- **License:** Llama <3> & co <!--fp32 -->\n\nit's"
    ),
    (
      "plain text",
      "plain text"
    ),
    (
      "{{ name }}|{{ nil }}|{{ t }}|{{ f }}|{{ pi }}|{{ n }}",
      "Llama <3> & co|None|True|False|3.14159|7"
    ),
    (
      "{{ big }} {{ mid }} {{ tiny }} {{ float2 }} {{ 1e100 }} {{ 1.5e3 }} {{ 1_000 }} {{ 0.1 + 0.2 }}",
      "1e+16 1.2345678901234568e+16 1e-05 2.0 1e+100 1500.0 1000 0.30000000000000004"
    ),
    (
      "{{ missing }}|{{ missing is defined }}|{{ missing|length }}|{{ missing|default(\"x\") }}|{{ d.nope }}|{{ d['nope'] }}|{{ list[9] }}",
      "|False|0|x|||"
    ),
    (
      "{{ mixed }}",
      "[1, 'a', None, True, 2.5, [1], {'k': 'v'}]"
    ),
    (
      "{{ nested }}{{ nested.a.b[1].c }}{{ nested['a']['b'][0] }}{{ list.0 }}{{ list[-1] }}{{ name[0] }}",
      "{'a': {'b': [10, {'c': 'deep'}]}}deep1032L"
    ),
    (
      "{{ quote }}{{ [quote, dq, both, ctrl, crlf, uni] }}",
      "it's[\"it's\", 'say \"hi\"', 'a\\'b\"c', 'a\\x01b\\xa0c\\u2028', 'a\\r\\nb', 'Ünïcødé 🤗 é']"
    ),
    (
      "{{ (1,) }}{{ (1, 2) }}{{ () }}{{ 1, 2 }}{{ [] }}{{ {} }}{{ {'a': 1, \"b\": [1,2,],} }}",
      "(1,)(1, 2)()(1, 2)[]{}{'a': 1, 'b': [1, 2]}"
    ),
    (
      "{{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ 7 / 2 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ 7.5 // 2 }} {{ -7.5 % 2 }} {{ 2 * 3.0 }}",
      "3 -4 2 -2 3.5 1024 0.5 3.0 0.5 6.0"
    ),
    (
      "{{ -2 ** 2 }} {{ - 3 + +4 }} {{ 2 + 3 * 4 }} {{ (2 + 3) * 4 }} {{ 10 - 3 - 2 }} {{ 2 ** 3 ** 2 }} {{ 1 ~ 2 + 3 ~ 4|string }}",
      "4 1 14 20 5 64 1234"
    ),
    (
      "{{ \"ab\" * 3 }}{{ 2 * [1] }}{{ [1] + [2] }}{{ (1,) + (2,) }}{{ \"a\" + \"b\" }}{{ \"x\" * -1 }}{{ true + 1 }}",
      "ababab[1, 1][1, 2](1, 2)ab2"
    ),
    (
      "{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 1 == 1.0 }} {{ \"a\" < \"b\" }} {{ [1,2] < [1,3] }} {{ true == 1 }} {{ none == false }} {{ \"1\" == 1 }} {{ (1,2) == [1,2] }} {{ 3 >= 3 }} {{ 3 != 4 }}",
      "True False True True True True False False False True True"
    ),
    (
      "{{ 1 in list }} {{ 9 not in list }} {{ \"la\" in name }} {{ \"a\" in d }} {{ not 1 in list }} {{ \"x\" in missing }}",
      "True True True True False False"
    ),
    (
      "{{ n and zero }} {{ zero or \"dflt\" }} {{ not empty }} {{ t and f or n }} {{ nil or empty }}",
      "0 dflt True 7 "
    ),
    (
      "{{ \"yes\" if t else \"no\" }} {{ \"yes\" if f }} {{ 1 if f else 2 if f else 3 }} {{ (1 if t else 2) + 1 }}",
      "yes  3 2"
    ),
    (
      "{{ 'a\\'b' }}{{ \"t\\tn\\n\\\\x\\x41\\u00e9\\U0001F917\\q\\101\" }}{{ 'a' \"b\" 'c' }}",
      "a'bt\tn\n\\xAé🤗\\qAabc"
    ),
    (
      "{{ list[1:] }}{{ list[:1] }}{{ list[::-1] }}{{ name[-5:-1] }}{{ name[::3] }}{{ list[5:] }}{{ list[-9:9:2] }}{{ uni[2:8] }}",
      "[1, 2][3][2, 1, 3] & cLm< c[][3, 2]ïcødé "
    ),
    (
      "{{ n is odd }} {{ n is even }} {{ n is divisibleby 7 }} {{ n is divisibleby(3) }} {{ nil is none }} {{ nil is not none }} {{ name is string }} {{ d is mapping }} {{ list is sequence }} {{ list is iterable }} {{ n is number }} {{ pi is float }} {{ n is integer }} {{ t is integer }} {{ t is boolean }} {{ t is true }} {{ f is false }} {{ t is number }}",
      "True False True False True False True True True True True True True False True True True True"
    ),
    (
      "{{ \"abc\" is lower }} {{ \"ABC\" is upper }} {{ \"123\" is lower }} {{ n is eq 7 }} {{ n is equalto(7) }} {{ n is gt 3 }} {{ n is lt(3) }} {{ n is ge 7 }} {{ n is ne 7 }} {{ 1 is in [1,2] }} {{ n is sameas n }} {{ missing is undefined }} {{ n is string }} {{ not n is string }}",
      "True True False True True True False True False True True True False True"
    ),
    (
      "{{ n is defined and t }} {{ missing is defined or n is odd }} {{ \"in\" if n is odd else \"out\" }}",
      "True True in"
    ),
    (
      "{% if n > 5 %}big{% elif n > 2 %}mid{% else %}small{% endif %}",
      "big"
    ),
    (
      "{% if zero %}a{% elif empty %}b{% elif nil %}c{% else %}d{% endif %}!",
      "d!"
    ),
    (
      "{% for x in list %}{{ loop.index }}/{{ loop.length }}:{{ x }}{% if not loop.last %}, {% endif %}{% endfor %}",
      "1/3:3, 2/3:1, 3/3:2"
    ),
    (
      "{% for x in [] %}x{% else %}none{% endfor %}{% for x in missing %}x{% else %}gone{% endfor %}",
      "nonegone"
    ),
    (
      "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{% for k in d %}{{ k }}{% endfor %}{% for c in \"añ\" %}[{{ c }}]{% endfor %}",
      "b=2;a=1;C=3;baC[a][ñ]"
    ),
    (
      "{% for k, v in d|dictsort %}{{ k }}={{ v }};{% endfor %}{% for k, v in d|dictsort(by=\"value\", reverse=true) %}{{ k }}={{ v }};{% endfor %}{% for k, v in d|dictsort(true) %}{{ k }}{% endfor %}",
      "a=1;b=2;C=3;C=3;b=2;a=1;Cab"
    ),
    (
      "{% for r in rows if r.on %}{{ loop.index }}{{ r.n }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }} {% endfor %}",
      "1x21TrueFalse 2z10FalseTrue "
    ),
    (
      "{% for a, b in pairs %}{% for c in [a, b] %}{{ loop.index0 }}{{ loop.depth }}{{ loop.depth0 }} {% endfor %}{{ loop.index }}{% endfor %}",
      "010 110 1010 110 2"
    ),
    (
      "{% for x in list %}{{ loop.previtem|default(\"-\") }}<{{ x }}>{{ loop.nextitem|default(\"-\") }} {% endfor %}{% for x in list %}{{ loop.cycle(\"odd\", \"even\") }} {% endfor %}",
      "-<3>1 3<1>2 1<2>- odd even odd "
    ),
    (
      "{% set x = 1 %}{% for i in list %}{{ x }}{% set x = 2 %}{{ x }}{% endfor %}{{ x }}",
      "1212121"
    ),
    (
      "{% set ns = namespace(total=0, seen=[]) %}{% for i in list %}{% set ns.total = ns.total + i %}{% endfor %}{{ ns.total }}",
      "6"
    ),
    (
      "{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set (c, e) = pairs[0] %}{{ c }}{{ e }}{% for (p, q) in pairs %}{{ p + q }}{% endfor %}",
      "121237"
    ),
    (
      "{% set block %}in {{ n }} block{% endset %}[{{ block }}]{% set up | upper | trim %} shout {% endset %}[{{ up }}]",
      "[in 7 block][SHOUT]"
    ),
    (
      "{% with a = 1, b = n %}{{ a + b }}{% endwith %}{{ a }}{% if true %}{% set q = 5 %}{% endif %}{{ q }}",
      "85"
    ),
    (
      "a  {%- if t -%}  b  {%- endif -%}  c",
      "abc"
    ),
    (
      "a  {{- n -}}  b  {{ n -}}",
      "a7b  7"
    ),
    (
      " c {%+ if t +%} d {% endif %}",
      " c  d "
    ),
    (
      "{% raw %}{{ n }} {% if %}{# no #}{% endraw %}|{%- raw -%}  {{ x }}  {%- endraw -%}  z",
      "{{ n }} {% if %}{# no #}|{{ x }}z"
    ),
    (
      "{{ \"{{ n }}\" }}{{ '%}' }}{{ {'a': {'b': 1}}.a.b }}{% if {'a': 1} %}ok{% endif %}",
      "{{ n }}%}1ok"
    ),
    (
      "{{ name|upper }} {{ name|lower }} {{ \"hello wORLD-foo (bar\" | title }} {{ \"hELLO\" | capitalize }} {{ uni|upper }} {{ \"ß\"|upper }}",
      "LLAMA <3> & CO llama <3> & co Hello World-Foo (Bar Hello ÜNÏCØDÉ 🤗 É SS"
    ),
    (
      "[{{ sp|trim }}] [{{ \"xxhixx\"|trim(\"x\") }}] [{{ \"ab\"|center(7) }}] [{{ \"abc\"|center(8) }}] [{{ \"abcd\"|center(7) }}]",
      "[pad] [hi] [   ab  ] [  abc   ] [  abcd ]"
    ),
    (
      "{{ name|replace(\"l\", \"L\") }} {{ name|replace(\"l\", \"L\", 1) }} {{ \"aaa\"|replace(\"\", \"-\") }} {{ n|replace(7, 8) }}",
      "LLama <3> & co LLama <3> & co -a-a-a- 8"
    ),
    (
      "{{ text|indent }}|{{ text|indent(2, true) }}|{{ text|indent(2, first=false, blank=true) }}|{{ text|indent(\">> \") }}",
      "one two\n    three\n\n    four|  one two\n  three\n\n  four|one two\n  three\n  \n  four|one two\n>> three\n\n>> four"
    ),
    (
      "{{ list|join }} {{ list|join(\", \") }} {{ rows|join(\"-\", attribute=\"n\") }} {{ mixed|join(\"|\") }} {{ \"abc\"|join(\"-\") }} {{ list|join(d=\":\") }}",
      "312 3, 1, 2 x-Y-z 1|a|None|True|2.5|[1]|{'k': 'v'} a-b-c 3:1:2"
    ),
    (
      "{{ list|first }} {{ list|last }} {{ []|first }} {{ \"abc\"|first }}{{ \"abc\"|last }} {{ list|length }} {{ uni|length }} {{ d|length }} {{ d|count }}",
      "3 2  ac 3 11 3 3"
    ),
    (
      "{{ list|sort }} {{ words|sort }} {{ words|sort(case_sensitive=true) }} {{ list|sort(reverse=true) }} {{ rows|sort(attribute=\"v\")|map(attribute=\"n\")|join }} {{ words|unique|join(\",\") }} {{ words|unique(true)|join(\",\") }}",
      "[1, 2, 3] ['Apple', 'apple', 'fig', 'pear'] ['Apple', 'apple', 'fig', 'pear'] [3, 2, 1] Yzx pear,Apple,fig pear,Apple,fig,apple"
    ),
    (
      "{{ words|sort(reverse=true) }} {{ rows|sort(attribute=\"on,v\", reverse=true)|map(attribute=\"n\")|join }} {{ d|list }} {{ \"abc\"|list }} {{ list|reverse|list }} {{ \"abc\"|reverse }}",
      "['pear', 'fig', 'Apple', 'apple'] xzY ['b', 'a', 'C'] ['a', 'b', 'c'] [2, 1, 3] cba"
    ),
    (
      "{{ list|max }} {{ list|min }} {{ words|max }} {{ words|min }} {{ rows|max(attribute=\"v\") }} {{ list|sum }} {{ rows|sum(attribute=\"v\") }} {{ list|sum(start=10) }} {{ []|max }}",
      "3 1 pear Apple {'n': 'x', 'v': 3, 'on': True} 6 6 16 "
    ),
    (
      "{{ words|map(\"upper\")|list }} {{ words|map(\"replace\", \"p\", \"b\")|join(\" \") }} {{ rows|map(attribute=\"q\", default=\"?\")|join }} {{ list|map(\"string\")|list }}",
      "['PEAR', 'APPLE', 'FIG', 'APPLE'] bear Abble fig abble ??? ['3', '1', '2']"
    ),
    (
      "{{ list|select(\"odd\")|list }} {{ list|reject(\"odd\")|list }} {{ mixed|select|list }} {{ rows|selectattr(\"on\")|map(attribute=\"n\")|join }} {{ rows|rejectattr(\"on\")|map(attribute=\"n\")|join }} {{ rows|selectattr(\"v\", \"gt\", 1)|list|length }} {{ rows|selectattr(\"n\", \"equalto\", \"z\")|first }}",
      "[3, 1] [2] [1, 'a', True, 2.5, [1], {'k': 'v'}] xz Y 2 {'n': 'z', 'v': 2, 'on': True}"
    ),
    (
      "{{ pi|round }} {{ pi|round(2) }} {{ pi|round(1, \"ceil\") }} {{ pi|round(1, \"floor\") }} {{ r|round(2) }} {{ half|round }} {{ n|round(2) }} {{ 1234.5|round(-2) }} {{ 2.5|round|int }} {{ 3.2|round(method=\"ceil\") }}",
      "3.0 3.14 3.2 3.1 2.67 2.0 7 1200.0 2 4.0"
    ),
    (
      "{{ \"42\"|int }} {{ \"42.7\"|int }} {{ \"x\"|int }} {{ \"x\"|int(5) }} {{ \"ff\"|int(base=16) }} {{ -3.9|int }} {{ t|int }} {{ nil|int }} {{ \" 8 \"|int }} {{ \"3.5\"|float }} {{ \"x\"|float }} {{ \"x\"|float(1.5) }} {{ n|float }} {{ \"1e3\"|float }}",
      "42 42 0 5 255 -3 1 0 8 3.5 0.0 1.5 7.0 1000.0"
    ),
    (
      "{{ n|abs }} {{ neg|abs }} {{ -2.5|abs }} {{ 5|string + \"5\" }} {{ n|string|length }}",
      "7 7 2.5 55 1"
    ),
    (
      "{{ \"%.2f\"|format(pi) }} {{ \"%s-%d-%5d|%-5s|%05d|%x|%e|%g|%%\"|format(\"a\", 3, 42, \"b\", 42, 255, pi, 0.0001) }} {{ \"%+d % d\"|format(1, 2) }} {{ \"%s\" % name }} {{ \"%s %s\" % (1, nil) }}",
      "3.14 a-3-   42|b    |00042|ff|3.141590e+00|0.0001|% +1  2 Llama <3> & co 1 None"
    ),
    (
      "{{ bytes|filesizeformat }} {{ bytes|filesizeformat(true) }} {{ 1|filesizeformat }} {{ 999|filesizeformat }} {{ 1000|filesizeformat }} {{ 14483498752|filesizeformat }}",
      "123.5 MB 117.7 MiB 1 Byte 999 Bytes 1.0 kB 14.5 GB"
    ),
    (
      "{{ \"hello world again\"|truncate(9) }} {{ \"hello world again\"|truncate(9, true) }} {{ \"hello world\"|truncate(9) }} {{ \"hello world again\"|truncate(11, end=\"…\") }} {{ \"hello big world\"|truncate(9, leeway=0) }}",
      "hello... hello ... hello world hello… hello..."
    ),
    (
      "{{ \"one two,three\"|wordcount }} {{ \"a b/c?d=é\"|urlencode }} {{ name|e }} {{ \"<a>'\\\"\"|escape }} {{ name|safe }}",
      "3 a%20b/c%3Fd%3D%C3%A9 Llama &lt;3&gt; &amp; co &lt;a&gt;&#39;&#34; Llama <3> & co"
    ),
    (
      "{{ d|tojson }} {{ mixed|tojson }} {{ ctrl|tojson }} {{ uni|tojson }} {{ \"<&'\\\">\"|tojson }} {{ d|tojson(indent=2) }} {{ []|tojson(2) }} {{ [[1],{}]|tojson(indent=1) }} {{ big|tojson }}",
      "{\"C\": 3, \"a\": 1, \"b\": 2} [1, \"a\", null, true, 2.5, [1], {\"k\": \"v\"}] \"a\\u0001b\\u00a0c\\u2028\" \"\\u00dcn\\u00efc\\u00f8d\\u00e9 \\ud83e\\udd17 \\u00e9\" \"\\u003c\\u0026\\u0027\\\"\\u003e\" {\n  \"C\": 3,\n  \"a\": 1,\n  \"b\": 2\n} [] [\n [\n  1\n ],\n {}\n] 1e+16"
    ),
    (
      "{{ list|batch(2)|list }} {{ list|batch(2, 0)|list }} {{ list|slice(2)|list }} {{ list|slice(2, 'x')|list }}",
      "[[3, 1], [2]] [[3, 1], [2, 0]] [[3, 1], [2]] [[3, 1], [2, 'x']]"
    ),
    (
      "{{ d|items|list }} {{ d.items()|list }} {{ d.keys()|list }} {{ d.values()|list }} {{ d.get(\"a\") }} {{ d.get(\"z\", 9) }} {{ d.get(\"z\") }}",
      "[('b', 2), ('a', 1), ('C', 3)] [('b', 2), ('a', 1), ('C', 3)] ['b', 'a', 'C'] [2, 1, 3] 1 9 None"
    ),
    (
      "{{ sp.strip() }}|{{ sp.lstrip() }}|{{ sp.rstrip() }}|{{ \"xxaxx\".strip(\"x\") }}|{{ \"xxaxx\".lstrip(\"x\") }}|{{ \"xxaxx\".rstrip(\"x\") }}",
      "pad|pad\t\n|  pad|a|axx|xxa"
    ),
    (
      "{{ path.split(\"/\") }} {{ \"a b  c\".split() }} {{ \"a b  c\".split(\" \", 1) }} {{ path.rsplit(\"/\", 1) }} {{ \" a b c \".split(None, 1) }} {{ \" a b c \".rsplit(None, 1) }} {{ text.splitlines() }} {{ \"\".split(\",\") }} {{ \"\".split() }} {{ path.split(\"/\")[-1] }} {{ \"a,b,c\".split(\",\", maxsplit=1) }}",
      "['', 'a', 'b', 'c'] ['a', 'b', 'c'] ['a', 'b  c'] ['/a/b', 'c'] ['a', 'b c '] [' a b', 'c'] ['one two', 'three', '', 'four'] [''] [] c ['a', 'b,c']"
    ),
    (
      "{{ path.startswith(\"/a\") }} {{ path.endswith(\"c\") }} {{ path.startswith((\"x\", \"/\")) }} {{ path.replace(\"/\", \".\") }} {{ path.replace(\"/\", \".\", 1) }} {{ \"x\".join([\"a\", \"b\"]) }} {{ path.count(\"/\") }} {{ path.find(\"b\") }} {{ path.find(\"z\") }} {{ uni.find(\"🤗\") }}",
      "True True True .a.b.c .a/b/c axb 3 3 -1 8"
    ),
    (
      "{{ name.upper() }} {{ name.lower() }} {{ \"they're bill's\".title() }} {{ \"hELLO wORLD\".capitalize() }} {{ \"12\".isdigit() }} {{ \"ab\".isalpha() }} {{ \"a1\".isalnum() }} {{ \" \".isspace() }} {{ \"abc\".removeprefix(\"a\") }} {{ \"abc\".removesuffix(\"c\") }} {{ \"A\".isupper() }} {{ \"a\".islower() }} {{ list.count(1) }}",
      "LLAMA <3> & CO llama <3> & co They'Re Bill'S Hello world True True True True bc ab True True 1"
    ),
    (
      "{{ range(3)|list }} {{ range(1, 10, 3)|list }} {{ range(5, 0, -2)|list }} {% for i in range(2) %}{{ i }}{% endfor %}",
      "[0, 1, 2] [1, 4, 7] [5, 3, 1] 01"
    ),
    (
      "{% for message in messages %}{% if loop.first and message['role'] == 'system' %}{{ '<|sys|>' + message['content'].strip() }}{% else %}{{ '<|im_start|>' ~ message.role ~ '\\n' ~ message['content'] | trim ~ '<|im_end|>\\n' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
      "<|sys|>Be kind.<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello<|im_end|>\n"
    ),
    (
      "{{ missing ~ \"x\" ~ nil ~ 1.0 }} {{ missing or \"fallback\" }} {{ empty|default(\"d\") }} {{ empty|default(\"d\", true) }} {{ nil|default(\"d\") }} {{ nil|d(\"d\", boolean=true) }} {{ d.nope|default(n + 1) }}",
      "xNone1.0 fallback  d None d 8"
    ),
    (
      "{{ 5 is divisibleby 5 and 6 is even }} {{ [1, 2]|length == 2 and \"ok\" }} {{ words|first|upper|lower }} {{ -n|abs }} {{ (n - 10)|abs }}",
      "True ok pear 7 3"
    ),
    (
      "{{ 'a' in 'abc' and 'b' not in 'xyz' }} {{ not t or t }} {{ 1 if not f and n else 0 }}",
      "True True 1"
    ),
    (
      "{{ 1 }}{{ 'é' < 'z' }} {{ \"10\" < \"9\" }} {{ 1.0 }} {{ 100000000000000000000.0 }} {{ 1e15 }} {{ 123456.789e-10 }} {{ -0.0 }}",
      "1False True 1.0 1e+20 1000000000000000.0 1.23456789e-05 -0.0"
    ),
    (
      "{{ 3 | float | round(1) | string | replace(\".\", \",\") }}{{ n.nope is defined }}{{ nested.a.x is defined }}",
      "3,0FalseFalse"
    ),
  ]
}
