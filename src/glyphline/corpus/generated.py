"""Lines that running text has too little of: numbers, dates, addresses, mixed scripts, in each language's own form.

Forms of numbers and dates are those of CLDR, by way of Babel.
"""

from __future__ import annotations

import datetime
import logging
import warnings
from collections.abc import Callable, Sequence

import numpy as np

from glyphline.languages import Language
from glyphline.text import normalise

ATTEMPTS = 8
_DIRECTION_MARKS = dict.fromkeys((0x200E, 0x200F, 0x061C))
_CURRENCIES = ("EUR", "USD", "KRW", "JPY", "GBP", "CNY", "INR", "THB", "TRY", "PLN", "CZK", "VND", "IDR", "RUB", "ILS")
_UNITS = ("km", "cm", "kg", "g", "m²", "°C", "l", "km/h", "kWh", "GB", "mm", "ha")
# Of another script than the text around them: abbreviations for the many, Greek and signs for Latin.
_LATIN = ("PDF", "USB-C", "GPS", "TV", "DNA", "LED", "Wi-Fi", "A4", "km/h", "OECD", "IT", "No. 7", "kWh", "PC", "vs.")
_SIGNS = ("α", "β", "π", "µm", "Ω", "Δt", "№ 3", "§ 12", "50 °C", "H₂O", "x²", "±5", "≈ 10", "½", "→", "©", "日本", "Ж")


class Inventor:
    """Makes generated lines of one language from a generator and words of the corpus."""

    def __init__(self, language: Language, shortest: int, longest: int) -> None:
        logging.getLogger("babel").setLevel(logging.ERROR)
        self.language, self.shortest, self.longest = language, shortest, longest
        self.locale = language.code
        self.foreign = _SIGNS if language.scripts[0] == "Latin" else _LATIN
        self.makers: dict[str, Callable[[np.random.Generator, Sequence[str]], str]] = {
            "number": self._number,
            "date": self._date,
            "address": self._address,
            "mixed": self._mixed,
        }

    def invent(self, kind: str, generator: np.random.Generator, words: Sequence[str]) -> str:
        """Return a line of `kind`, or '' where none of some attempts has a fitting length."""
        from glyphline.text import count_graphemes

        for _ in range(ATTEMPTS):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                made = self.makers[kind](generator, words)
            # Marks of direction that CLDR puts into forms are nothing that a reader sees.
            line = normalise(self._digits(generator, made.translate(_DIRECTION_MARKS)), self.language.rules)
            if self.shortest <= count_graphemes(line) <= self.longest:
                return line
        return ""

    def _digits(self, generator: np.random.Generator, text: str) -> str:
        """Write the digits in one of the language's sets."""
        digits = self.language.digits
        first = 10 * int(generator.integers(0, len(digits) // 10))
        return text.translate({ord("0") + i: digits[first + i] for i in range(10)})

    def _number(self, generator: np.random.Generator, words: Sequence[str]) -> str:
        from babel import numbers

        size = int(generator.integers(1, 8))
        value = int(generator.integers(0, 10**size))
        fraction = round(value + float(generator.random()), int(generator.integers(1, 3)))
        form = int(generator.integers(0, 7))
        if form == 0:
            return numbers.format_decimal(value, locale=self.locale)
        if form == 1:
            return numbers.format_decimal(fraction, locale=self.locale)
        if form == 2:
            return numbers.format_percent(fraction % 1000 / 100, locale=self.locale, decimal_quantization=False)
        if form == 3:
            currency = _CURRENCIES[int(generator.integers(0, len(_CURRENCIES)))]
            return numbers.format_currency(fraction, currency, locale=self.locale)
        if form == 4:
            unit = _UNITS[int(generator.integers(0, len(_UNITS)))]
            return f"{numbers.format_decimal(fraction % 1000, locale=self.locale)} {unit}"
        if form == 5:
            return f"{value % 24}:{int(generator.integers(0, 60)):02d}"
        return f"{value % 1000}-{int(generator.integers(0, 1000))}"

    def _date(self, generator: np.random.Generator, words: Sequence[str]) -> str:
        from babel import dates

        day = datetime.date(1900, 1, 1) + datetime.timedelta(days=int(generator.integers(0, 55_000)))
        form = ("short", "medium", "long", "full", "numeric")[int(generator.integers(0, 5))]
        if form == "numeric":
            separator = ".-/"[int(generator.integers(0, 3))]
            return separator.join((f"{day.year}", f"{day.month:02d}", f"{day.day:02d}"))
        return dates.format_date(day, form, locale=self.locale)

    def _address(self, generator: np.random.Generator, words: Sequence[str]) -> str:
        form = _one(generator, self.language.addresses)
        return form.format(
            place=_one(generator, self.language.places),
            word=_one(generator, words).capitalize(),
            number=int(generator.integers(1, 250)),
            postcode=f"{int(generator.integers(1000, 100_000)):05d}",
        )

    def _mixed(self, generator: np.random.Generator, words: Sequence[str]) -> str:
        """Put something foreign among a few words that follow one another in the corpus."""
        count = int(generator.integers(2, 6))
        start = int(generator.integers(0, max(1, len(words) - count)))
        phrase = list(words[start : start + count])
        foreign = _one(generator, self.foreign)
        form = int(generator.integers(0, 4))
        foreign = (foreign, f"({foreign})", f"{foreign} {int(generator.integers(1, 100))}", f"“{foreign}”")[form]
        phrase.insert(int(generator.integers(0, len(phrase) + 1)), foreign)
        return (" " if self.language.spaces else "").join(phrase)


def _one(generator: np.random.Generator, choices: Sequence[str]) -> str:
    return choices[int(generator.integers(0, len(choices)))]
