"""What a sentence for people tells, without how it says it: tests pin the data in it, and leave its words free."""

from __future__ import annotations

import re


def tells(text: str, *data: str) -> bool:
    """Whether a text holds each of these data (a number, a CPU list, an option, a name) as a word of its own."""
    return all(re.search(rf"(?<![\w,.-]){re.escape(each)}(?![\w-]|[,.]\w)", text) for each in data)
