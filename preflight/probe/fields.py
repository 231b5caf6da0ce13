"""Reads a JSON object field by field, and says which field is not what it should be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any, TypeVar

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


class ReadingError(ValueError):
    """The payload's answer has not the form that this version reads; the text names the field."""


class Fields:
    """One object of the document; ``where`` is its path from the top, for error texts."""

    def __init__(self, data: object, where: str) -> None:
        if not isinstance(data, dict):
            raise ReadingError(f"{where}: wanted an object, found {_shown(data)}")
        self._data: dict[str, Any] = data
        self.where = where

    def _get(self, key: str, kinds: tuple[type, ...], wanted: str) -> Any:
        value = self._data.get(key)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise ReadingError(f"{self.where}.{key}: wanted {wanted}, found {_shown(value)}")
        return value

    def text(self, key: str) -> str:
        return str(self._get(key, (str,), "a text"))

    def text_or(self, key: str, default: str = "") -> str:
        return default if self._data.get(key) is None else self.text(key)

    def number(self, key: str) -> float:
        value = self._get(key, (int, float), "a number")
        try:
            return float(value)
        except OverflowError as e:
            raise ReadingError(f"{self.where}.{key}: wanted a number, found one of over 300 digits") from e

    def count(self, key: str) -> int:
        return int(self._get(key, (int,), "a whole number"))

    def flag(self, key: str) -> bool:
        return bool(self._get(key, (bool,), "true or false"))

    def has(self, key: str) -> bool:
        return key in self._data

    def number_or_none(self, key: str) -> float | None:
        return None if self._data.get(key) is None else self.number(key)

    def text_or_none(self, key: str) -> str | None:
        return None if self._data.get(key) is None else self.text(key)

    def flag_or_none(self, key: str) -> bool | None:
        return None if self._data.get(key) is None else self.flag(key)

    def one_of(self, key: str, kind: type[E]) -> E:
        value = self.text(key)
        try:
            return kind(value)
        except ValueError:
            wanted = ", ".join(kind)
            raise ReadingError(f"{self.where}.{key}: wanted one of {wanted}, found {value!r}") from None

    def object(self, key: str) -> Fields:
        return Fields(self._data.get(key), f"{self.where}.{key}")

    def object_or_none(self, key: str) -> Fields | None:
        return None if self._data.get(key) is None else self.object(key)

    def each(self, key: str, make: Callable[[Fields], T]) -> tuple[T, ...]:
        rows = self._get(key, (list,), "a list")
        return tuple(make(Fields(row, f"{self.where}.{key}[{n}]")) for n, row in enumerate(rows))

    def texts(self, key: str) -> tuple[str, ...]:
        rows = self._get(key, (list,), "a list of texts")
        if not all(isinstance(row, str) for row in rows):
            raise ReadingError(f"{self.where}.{key}: wanted a list of texts, found {_shown(rows)}")
        return tuple(rows)

    def counts(self, key: str) -> tuple[int, ...]:
        rows = self._get(key, (list,), "a list of whole numbers")
        if not all(isinstance(row, int) for row in rows):
            raise ReadingError(f"{self.where}.{key}: wanted a list of whole numbers, found {_shown(rows)}")
        return tuple(rows)

    def entries(self, key: str) -> Iterator[tuple[str, Fields]]:
        inner = self.object(key)
        for name in inner._data:
            yield name, inner.object(name)

    def all_words(self) -> dict[str, str]:
        return {name: self.text(name) for name in self._data}

    def words(self, key: str) -> dict[str, str]:
        return self.object(key).all_words()

    def whole(self, key: str) -> dict[str, int]:
        inner = self.object(key)
        return {name: inner.count(name) for name in inner._data}


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
