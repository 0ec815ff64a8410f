"""Texts that come in pieces, so that only what is new is shown: also where each piece holds all of it."""

from __future__ import annotations


class ShownTexts:
    """What was shown of each text so far, by item and place in it."""

    def __init__(self) -> None:
        self._shown: dict[tuple[str, int], str] = {}

    def add(self, key: tuple[str, int], delta: str) -> str:
        """An increment, which is shown as it is."""
        self._shown[key] = self._shown.get(key, "") + delta
        return delta

    def revise(self, key: tuple[str, int], text: str) -> tuple[str, bool]:
        """All of the text so far: what is new of it, or all of it anew (True) where words were taken back."""
        shown = self._shown.get(key, "")
        self._shown[key] = text
        if text.startswith(shown):
            return text[len(shown) :], False
        return text, True

    def finish(self, key: tuple[str, int], text: str) -> tuple[str, bool]:
        """The whole text. Space around it is not worth taking words back for."""
        shown = self._shown.pop(key, "")
        if text.strip() == shown.strip():
            return "", False
        for begun in (shown, shown.lstrip()):
            if text.startswith(begun):
                return text[len(begun) :], False
        return text, True
