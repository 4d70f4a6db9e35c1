"""Make the fonts that the PDF report embeds, as subsets of two free ones.

    python docs/fonts.py FOLDER

FOLDER holds the originals: `DejaVuSansCondensed.ttf` and `DejaVuSansCondensed-Bold.ttf` of DejaVu
2.37 (Debian's fonts-dejavu-core) and `DroidSansFallbackFull.ttf` (Debian's fonts-droid-fallback,
6.0.1r16). The subsets go to `src/heartseg/report/fonts/`, beside the licences. It needs fonttools,
which heartseg[train] brings with matplotlib. The same originals give the same bytes.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

TARGET = Path(__file__).parents[1] / "src" / "heartseg" / "report" / "fonts"

LATIN_CYRILLIC_GREEK = (
    *((0x0020, 0x007E), (0x00A0, 0x024F), (0x0250, 0x02FF), (0x0300, 0x036F), (0x0370, 0x03FF)),
    *((0x0400, 0x052F), (0x1E00, 0x1EFF), (0x1F00, 0x1FFF), (0x2010, 0x205E), (0x2070, 0x209C)),
    *((0x20A0, 0x20BF), (0x2100, 0x214F), (0x2150, 0x215F), (0x2190, 0x21FF), (0x2200, 0x22FF)),
    (0x25A0, 0x25FF),
)

EAST_ASIAN_SIGNS = ((0x3001, 0x301F), (0x3041, 0x30FF), (0xFF01, 0xFF5E), (0xFFE5, 0xFFE5))
"""Punctuation, kana and full-width forms."""

NAMES = (
    "喆堃镕珺玥琰瑄翀祎玮赟昇甯煊炘犇淼焱垚骉旻旸昉晞晟晗暐璟璇琎珣珩瑀瑭璐璠韪龑翯翾赑仝亓佟郄逯麹"
)
"""Characters of Chinese names that no set below holds, or hardly."""


def main(folder: Path) -> None:
    """Write all three."""
    for name in ("DejaVuSansCondensed.ttf", "DejaVuSansCondensed-Bold.ttf"):
        _write(folder / name, set(_of(LATIN_CYRILLIC_GREEK)))
    hanzi = {*_ideographs("gb2312"), *_ideographs("big5", 0xA4, 0xC6), *_ideographs("euc_jp")}
    wanted = {*_of(EAST_ASIAN_SIGNS), *map(ord, hanzi), *map(ord, NAMES)}
    _write(folder / "DroidSansFallbackFull.ttf", wanted, "DroidSansFallback.ttf")


def _of(ranges: tuple[tuple[int, int], ...]) -> Iterator[int]:
    for first, last in ranges:
        yield from range(first, last + 1)


def _ideographs(encoding: str, first: int = 0xB0, last: int = 0xF7) -> Iterator[str]:
    """GB 2312 whole, the 5401 frequent ones of Big5, JIS X 0208 whole."""
    for high in range(first, last + 1):
        for low in range(0x40, 0xFF):
            try:
                character = bytes((high, low)).decode(encoding)
            except UnicodeDecodeError:
                continue
            if len(character) == 1 and "\u4e00" <= character <= "\u9fff":
                yield character


def _write(source: Path, wanted: set[int], name: str | None = None) -> None:
    font = TTFont(source, recalcTimestamp=False)
    options = subset.Options(hinting=False, layout_features=[], notdef_outline=True)
    options.drop_tables += ["FFTM", "GDEF", "GPOS", "GSUB", "kern", "vhea", "vmtx"]
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=wanted)
    cutter.subset(font)
    target = TARGET / (name or source.name)
    font.save(target)
    held = len(font.getBestCmap())
    print(f"{target.name}: {held} characters, {target.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
