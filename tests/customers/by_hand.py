"""Who a search for customers has to find, worked out from the rules alone, in plain Python.

Nothing of this is shared with the search, which reads these rules in SQL. A customer matches if
each word stands in name, company, e-mail, phone or id; the numbers in a row may also stand in the
digits of the phone, dialled from abroad or at home. Beyond the latest customers it has to stand
where it is looked for: letters anywhere if they are three or more, else where a word begins; digits
where digits begin, or anywhere in a phone number; an id where it begins.
"""

import random
import re
import string
from collections.abc import Iterator, Sequence

from customers.models import Customer
from tests.by_hand import fold


def fields(customer: Customer) -> list[str]:
    digits = re.sub(r"\D", "", customer.phone)
    own = [customer.first_name, customer.last_name, customer.company, customer.email_key]
    return [fold(text) for text in [*own, customer.phone, digits, customer.public_id]]


def has(customer: Customer, typed: str) -> bool:
    """Whether a word, or a phone number without spaces, matches by the rules for all customers."""
    if re.fullmatch(r"[+0-9]+", typed):
        return any(number in digits for number in dialled(typed) for digits in fields(customer))
    return any(fold(typed) in text for text in fields(customer))


def is_looked_for(customer: Customer, typed: str) -> bool:
    """The same, where it is looked for among many."""
    *others, own_id = fields(customer)
    text = " ".join(others)
    if own_id.startswith(fold(typed)):
        return True
    if re.fullmatch(r"[+0-9]+", typed):
        phone = others[5]
        return any(
            re.search(rf"(?<![0-9]){number}", text) or number in phone for number in dialled(typed)
        )
    word = fold(typed)
    begins = rf"(?<![a-z]){re.escape(word)}" if word[0].isalpha() else re.escape(word)
    return bool(re.search(begins if len(word) < 3 else re.escape(word), text))


def dialled(number: str) -> set[str]:
    digits = number.lstrip("+")
    if number.startswith(("+", "00")) and len(digits) > 9:
        known = digits.lstrip("0")
        return {known, *(f"0{known[length:]}" for length in (1, 2, 3))}
    return {digits.lstrip("0") or digits}


def questions(customers: Sequence[Customer], number: int, chance: random.Random) -> Iterator[str]:
    """What one might type about somebody: some of their words in any order, some cut short, half
    an e-mail, or their phone number from abroad, from home, or its end."""
    for _ in range(number):
        customer = chance.choice(customers)
        words = f"{customer.first_name} {customer.last_name} {customer.company}".split()
        words = chance.sample(words, min(len(words), chance.choice((1, 1, 2, 2, 3))))
        words = [w[: chance.randint(2, len(w))] if chance.random() < 0.3 else w for w in words]
        kind = chance.random()
        if kind < 0.2:
            words = [customer.email[: chance.randint(2, len(customer.email))]]
        elif kind < 0.5:
            digits = re.sub(r"\D", "", customer.phone)
            known = [word for word in words if word.isalpha()][: chance.randint(0, 1)]
            number = chance.choice((f"+{digits}", f"0{digits[2:]}", digits[-4:], digits[3:8]))
            words = [*known, number]
        yield " ".join(words)


def mistyped(word: str, chance: random.Random) -> str:
    """A word with a letter too many, too few, wrong, or in its neighbour's place."""
    n, other = chance.randrange(1, len(word) - 1), chance.choice(string.ascii_lowercase)
    before, letter, after = word[:n], word[n], word[n + 1 :]
    return chance.choice([
        before + after,
        before + other + letter + after,
        before + other + after,
        before + after[0] + letter + after[1:],
    ])  # fmt: skip
