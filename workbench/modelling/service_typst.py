"""A service report as a Typst document: A4, two pages; every text of a log is a quoted string, never markup."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from workbench.modelling.service_report import ReportSection, ServiceReport

_HEAD: Final = """\
#set page(paper: "a4", margin: 18mm, numbering: "1 / 1")
#set text(size: 9pt)
#set par(justify: false)
#set table(stroke: (x, y) => (bottom: 0.4pt + rgb("#d9dde1")), inset: (x: 4pt, y: 3pt))
"""
_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def make_typst(report: ServiceReport) -> str:
    """Return the source of the whole document."""
    facts = [cell for word, text in report.facts for cell in (_strong(word), _quote(text))]
    parts = [
        f"{_HEAD}#set document(title: {_quote(report.title)})",
        f"#text(size: 16pt, weight: 600, {_quote(report.title)})",
        f"#table(columns: (auto, 1fr), {', '.join(facts)})",
        f"#text(size: 11pt, {_quote(report.result)})",
        *(_format_section(section) for section in report.pages[0]),
        "#pagebreak()",
        *(_format_section(section) for section in report.pages[1]),
    ]
    return "\n\n".join(parts) + "\n"


def _format_section(section: ReportSection) -> str:
    parts = [f"#heading(level: 2, {_quote(section.title)})"]
    parts += [f"#par({_quote(sentence)})" for sentence in section.sentences]
    if section.rows:
        columns = ", ".join(["auto"] * (len(section.heads) - 1) + ["1fr"])
        heads = ", ".join(map(_strong, section.heads))
        lines = "".join(f"  {', '.join(map(_quote, row))},\n" for row in section.rows)
        parts.append(f"#table(\n  columns: ({columns}),\n  table.header({heads}),\n{lines})")
    return "\n".join(parts)


def _strong(text: str) -> str:
    return f"strong({_quote(text)})"


def _quote(text: str) -> str:
    """Return a Typst string: nothing inside it is markup."""
    return f'"{text.translate(_ESCAPES)}"'
