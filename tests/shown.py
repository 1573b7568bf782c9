"""What a browser would send if somebody only pressed Save."""

from html.parser import HTMLParser
from typing import Any


class _Form(HTMLParser):
    """The fields of the form of that id, as the page shows them."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.form, self.inside = form, False
        self.sent: dict[str, Any] = {}
        self.select = self.textarea = ""

    def add(self, name: str, value: str) -> None:
        """A field; several of one name, such as ticked boxes, are all sent."""
        before = self.sent.get(name)
        several = before if isinstance(before, list) else [before]
        self.sent[name] = value if before is None else [*several, value]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.inside = given.get("id") == self.form
        if not self.inside:
            return
        name = given.get("name", "")
        match tag:
            case "input" if name and given.get("type") in ("checkbox", "radio"):
                if "checked" in given:
                    self.add(name, given.get("value", "on"))
            case "input" if name and given.get("type") != "submit":
                self.add(name, given.get("value", ""))
            case "select":
                self.select = name
            case "option" if "selected" in given:
                self.sent[self.select] = given.get("value", "")
            case "textarea":
                self.textarea = name
                self.sent[name] = ""

    def handle_data(self, data: str) -> None:
        if self.textarea:
            # As browsers do: a line end right after the tag is not part of the text.
            self.sent[self.textarea] += data if self.sent[self.textarea] else data.lstrip("\r\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.textarea = ""
        if tag == "form":
            self.inside = False


def shown_form(page: Any, form: str) -> dict[str, Any]:
    parser = _Form(form)
    parser.feed(page.text)
    assert parser.sent, f"There is no form {form}."
    return parser.sent
