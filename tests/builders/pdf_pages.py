"""The words on each page of a PDF that Chromium printed."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

OBJECT = re.compile(rb"(\d+) 0 obj\b(.*?)\bendobj", re.DOTALL)
STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)
SHOWN = re.compile(rb"/(F\d+) [\d.]+ Tf|<([0-9A-F]+)> Tj")


def words_of_pages(path: Path) -> list[str]:
    """Return the text that each page shows, in the order it is drawn, blanks left out."""
    objects = {int(number): body for number, body in OBJECT.findall(path.read_bytes())}
    pages = [body for body in objects.values() if re.search(rb"/Type /Page\b(?!s)", body)]
    return [_words(page, objects) for page in pages]


def _words(page: bytes, objects: dict[int, bytes]) -> str:
    fonts = {
        name: _letters(objects[int(number)], objects)
        for name, number in re.findall(rb"/(F\d+) (\d+) 0 R", page)
    }
    text, letters = [], {}
    for font, glyphs in SHOWN.findall(_stream(page, rb"/Contents", objects)):
        letters = fonts[font] if font else letters
        codes = [glyphs[place : place + 4] for place in range(0, len(glyphs), 4)]
        text += [letters.get(int(code, 16), "") for code in codes]
    return "".join(text)


def _letters(font: bytes, objects: dict[int, bytes]) -> dict[int, str]:
    """Return what each glyph of a font stands for."""
    table = _stream(font, rb"/ToUnicode", objects)
    letters: dict[int, str] = {}
    for block in re.findall(rb"beginbfchar(.*?)endbfchar", table, re.DOTALL):
        for glyph, letter in re.findall(rb"<(\w+)> <(\w+)>", block):
            letters[int(glyph, 16)] = bytes.fromhex(letter.decode()).decode("utf-16-be")
    for block in re.findall(rb"beginbfrange(.*?)endbfrange", table, re.DOTALL):
        for first, last, letter in re.findall(rb"<(\w+)> <(\w+)> <(\w+)>", block):
            for step in range(int(last, 16) - int(first, 16) + 1):
                letters[int(first, 16) + step] = chr(int(letter, 16) + step)
    return letters


def _stream(holder: bytes, key: bytes, objects: dict[int, bytes]) -> bytes:
    found = re.search(key + rb" (\d+) 0 R", holder)
    assert found, holder
    body = objects[int(found[1])]
    packed = STREAM.search(body)
    assert packed, body[:80]
    return zlib.decompressobj().decompress(packed[1]) if b"/FlateDecode" in body else packed[1]
