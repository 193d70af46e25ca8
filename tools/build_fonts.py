"""Rebuild the vendored Shinan Sans SC from Noto Sans SC, byte for byte.

    python build_fonts.py SOURCE CHARACTERS OUT

SOURCE is the variable TrueType font named in FONTLOG.md, CHARACTERS the text file of the characters to keep, and OUT
the directory that receives ShinanSansSC-Regular.ttf and ShinanSansSC-Bold.ttf. The bytes depend on the version of
fontTools, which FONTLOG.md records, and on nothing else.
"""

import argparse
import hashlib
from io import BytesIO
from pathlib import Path

from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

SOURCE_SHA256 = "a3041811a78c361b1de50f953c805e0244951c21c5bd412f7232ef0d899af0da"
FAMILY = "Shinan Sans SC"
WEIGHTS = {"Regular": 400, "Bold": 700}
DROPPED_TABLES = ["BASE", "GDEF", "GPOS", "GSUB", "STAT", "vhea", "vmtx"]
KEPT_NAMES = {0, 7, 9, 10, 13, 14}  # copyright, trademark, designers, credits, licence and its address
VARIATION_SEQUENCES = 14  # the cmap format

# Characters the source lacks, and those whose outlines they are drawn with. Units are 1/1000 em.
BRACKETS = {"⟨": ("〈", -500), "⟩": ("〉", 0)}  # with the shift into a box half an em wide
SUPERSCRIPTS = dict(zip("⁰⁵⁶⁷⁸⁹⁺⁻", "056789+−", strict=True))
SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", strict=True))
SUPERSCRIPT_SCALE = (0.67, 0.60)  # width and height of the source's ² in those of its 2
SUBSCRIPT_SHIFT = -575
DERIVED = {*BRACKETS, "✕", *SUPERSCRIPTS, *SUBSCRIPTS}


def subset(source: Path, characters: str) -> bytes:
    """Return SOURCE, still variable, without all but CHARACTERS, layout rules and hints."""
    font = TTFont(source, recalcTimestamp=False)
    wanted = sorted(ord(character) for character in characters if character not in DERIVED)
    if lacking := [f"U+{code:04X}" for code in wanted if code not in font.getBestCmap()]:
        message = f"{source.name} lacks {' '.join(lacking)}: remove them from CHARACTERS."
        raise SystemExit(message)
    font["cmap"].tables = [table for table in font["cmap"].tables if table.format != VARIATION_SEQUENCES]
    subsetter = Subsetter(Options(drop_tables=DROPPED_TABLES, hinting=False, notdef_outline=True, name_IDs=["*"]))
    subsetter.populate(unicodes=wanted)
    subsetter.subset(font)
    font.save(buffer := BytesIO())
    return buffer.getvalue()


def draw(font: TTFont, new: str, base: str, transform: tuple[float, ...], width: int) -> None:
    """Add the character NEW, WIDTH units wide, with the transformed outline of the character BASE."""
    pen = TTGlyphPen(None)
    font.getGlyphSet()[font.getBestCmap()[ord(base)]].draw(TransformPen(pen, transform))
    name = f"uni{ord(new):04X}"
    font["glyf"][name] = glyph = pen.glyph()
    glyph.recalcBounds(font["glyf"])
    font["hmtx"][name] = (width, glyph.xMin)
    for table in font["cmap"].tables:
        table.cmap[ord(new)] = name


def add_derived(font: TTFont) -> None:
    """Add the characters the source lacks."""
    widths = {chr(code): font["hmtx"][name][0] for code, name in font.getBestCmap().items()}
    width, rise = widths["¹"], font["glyf"][font.getBestCmap()[ord("¹")]].yMin
    scale_x, scale_y = SUPERSCRIPT_SCALE
    for new, (base, shift) in BRACKETS.items():
        draw(font, new, base, (1, 0, 0, 1, shift, 0), 500)
    draw(font, "✕", "×", (1, 0, 0, 1, 0, 0), widths["×"])
    for new, base in SUPERSCRIPTS.items():
        draw(font, new, base, (scale_x, 0, 0, scale_y, (width - scale_x * widths[base]) / 2, rise), width)
    for new, base in SUBSCRIPTS.items():
        draw(font, new, base, (1, 0, 0, 1, 0, SUBSCRIPT_SHIFT), width)


def rename(font: TTFont, style: str) -> None:
    """Give the font its own name and STYLE, and keep the copyright, the credits and the licence."""
    names, postscript, bold = font["name"], f"{FAMILY.replace(' ', '')}-{style}", style == "Bold"
    credit = f"A modified subset of Noto Sans SC 2.004. Credits of the original: {names.getDebugName(10)}"
    names.names = [record for record in names.names if record.nameID in KEPT_NAMES]
    own = {1: FAMILY, 2: style, 3: f"2.004;{postscript}", 4: f"{FAMILY} {style}", 5: "Version 2.004", 6: postscript}
    for number, text in {**own, 10: credit}.items():
        names.setName(text, number, 3, 1, 0x409)
    font["head"].macStyle = int(bold)
    os2 = font["OS/2"]
    os2.usWeightClass = WEIGHTS[style]
    os2.panose.bWeight = 8 if bold else 5
    os2.fsSelection = 1 << (5 if bold else 6)
    os2.achVendID = "    "  # the original's vendor did not make this font


def main() -> None:
    """Build both styles into OUT and print their SHA-256 digests."""
    parser = argparse.ArgumentParser(description="Rebuild the vendored fonts, byte for byte.")
    for argument in ("source", "characters", "out"):
        parser.add_argument(argument, type=Path)
    paths = parser.parse_args()
    if (digest := hashlib.sha256(paths.source.read_bytes()).hexdigest()) != SOURCE_SHA256:
        message = f"{paths.source} has SHA-256 {digest}, expected {SOURCE_SHA256}: take the version in FONTLOG.md."
        raise SystemExit(message)
    reduced = subset(paths.source, paths.characters.read_text(encoding="utf-8").replace("\n", ""))
    paths.out.mkdir(parents=True, exist_ok=True)
    for style, weight in WEIGHTS.items():
        font = instancer.instantiateVariableFont(TTFont(BytesIO(reduced), recalcTimestamp=False), {"wght": weight})
        add_derived(font)
        rename(font, style)
        target = paths.out / f"{FAMILY.replace(' ', '')}-{style}.ttf"
        font.save(target)
        print(hashlib.sha256(target.read_bytes()).hexdigest(), target.name)


if __name__ == "__main__":
    main()
