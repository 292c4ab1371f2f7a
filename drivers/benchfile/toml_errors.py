"""Why a line is not TOML, in words, and how to correct it: `tomllib` names the place but seldom the cause."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

DECIMAL_COMMA: Final = "write decimal points: a comma separates two values"
OTHER: Final = "correct the line; the line before it may lack a quote or a bracket"
STRING: Final = re.compile(r'"(?:\\.|[^"\\])*"|\'[^\']*\'')
ESCAPES: Final = ("Unescaped '\\' in a string", "Invalid hex value", "Escaped character is not")
QUOTES: Final = frozenset(
    "\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u201b\u00ab\u00bb\u2039\u203a\u2033\u2032\uff02`\u00b4"
)
WORDS: Final = frozenset({"true", "false", "yes", "no", "on", "off"})
OPENING: Final = {"Unclosed array": ("[", "]"), "Unclosed inline table": ("{", "}")}
NUMBER: Final = r"[-+]?\d[\d_]*(?:\.\d+)?"


def explain(lines: list[str], number: int, message: str) -> tuple[int, str, str]:
    """Return the line of the mistake (counted from 1), what is wrong with it, and how to correct it.

    `number` and `message` are the line and the reason of `tomllib`.
    """
    text = lines[number - 1] if number <= len(lines) else ""
    if message.startswith(ESCAPES) and "\\" in text:
        hint = 'write the path with / or in single quotes: in double quotes, "\\" begins an escape'
        return number, "a backslash in double quotes", hint
    if message in OPENING and (opened := _find_open(lines, number, *OPENING[message])):
        begin, end = OPENING[message]
        return opened, f"{begin} without {end}", f"add {end}"
    bare = STRING.sub('""', text).split("#", 1)[0]
    if message in OPENING and has_decimal_commas(bare):
        return number, "a comma between the digits of a number", DECIMAL_COMMA
    found = _explain_character(bare) or _explain_value(bare)
    return (number, *found) if found else (number, message, OTHER)


def has_decimal_commas(text: str) -> bool:
    """Return whether a list is written as `[0,5, 5,0]`: commas with and without a space behind them."""
    return bool(re.search(r"\d,\d", text) and re.search(r",\s", text))


def _find_open(lines: list[str], number: int, begin: str, end: str) -> int | None:
    """Return the nearest line, from `number` upwards, that opens more brackets than it closes."""
    for line in range(min(number, len(lines)), 0, -1):
        bare = STRING.sub('""', lines[line - 1]).split("#", 1)[0]
        if bare.count(begin) > bare.count(end):
            return line
    return None


def _explain_character(bare: str) -> tuple[str, str] | None:
    """Explain the first character that TOML allows only in text and comments."""
    for character in bare:
        if character.isascii() and (character.isprintable() or character == "\t") and character != "`":
            continue
        name = unicodedata.name(character, f"U+{ord(character):04X}").lower()
        if character in QUOTES:
            return f"a typographic quote, {character}", 'write straight quotes: "text"'
        if not character.isprintable() or character.isspace():
            return (
                f"an invisible character, {name} (U+{ord(character):04X})",
                "replace it by a plain space, or delete it",
            )
        return f'the character "{character}" ({name}) outside of quotes', "use plain ASCII outside of quotes"
    return None


def _explain_value(bare: str) -> tuple[str, str] | None:
    """Explain the value behind the first `=` that is none in TOML."""
    for pattern, explanation in EXPLANATIONS:
        if match := re.search(pattern, bare):
            return explanation(match)
    if bare.count('"') % 2 or bare.count("'") % 2:
        return "a quote that is not closed", "close it in the same line"
    return None


def _explain_comma(match: re.Match[str]) -> tuple[str, str]:
    right = match[1].replace(".", "").replace(",", ".")  # a point before a comma groups thousands
    return f"a decimal comma in {match[1]}", f"write {right}: a comma separates two values"


def _explain_colon(_: re.Match[str]) -> tuple[str, str]:
    return "a colon behind the key", "write = between key and value"


def _explain_nothing(_: re.Match[str]) -> tuple[str, str]:
    return "no value behind =", "write a value, or delete the line"


def _explain_word(match: re.Match[str]) -> tuple[str, str]:
    word = match[1]
    if word.lower() in WORDS:
        return f"the word {word}", "write true or false, in small letters and without quotes"
    quote = "'" if "\\" in word else '"'
    return f"text without quotes: {word}", f"write {quote}{word}{quote}"


def _explain_unit(match: re.Match[str]) -> tuple[str, str]:
    hint = "write the number alone; the name of the key says its unit"
    return f"{match[2]} behind the number {match[1]}", hint


def _explain_point(match: re.Match[str]) -> tuple[str, str]:
    return "a point without a digit on both sides", f"write {match[1]}{match[2] or 0}.{match[3] or 0}"


def _explain_zero(match: re.Match[str]) -> tuple[str, str]:
    return "a number that begins with 0", f"write {match[1]}{match[2]}"


EXPLANATIONS: Final = (  # what a line looks like without its texts and comment, and what explains it; the first holds
    (rf"=\s*({NUMBER},\d+)", _explain_comma),
    (r"^\s*[\w.-]+\s*:", _explain_colon),
    (r"=\s*$", _explain_nothing),
    (r"=\s*([^\W\d][\w./\\:+-]*)\s*[,}\]]?\s*$", _explain_word),
    (rf"=\s*({NUMBER})\s*([A-Za-z%][\w/%]*)", _explain_unit),
    (r"=\s*([-+]?)(\d*)\.(\d*)(?=\s*(?:[,}\]]|$))", _explain_point),
    (r"=\s*([-+]?)0+(\d+(?:\.\d+)?)", _explain_zero),
)
