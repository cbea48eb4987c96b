# SPDX-License-Identifier: LGPL-2.1-or-later
"""The people and groups of tests/servers/entra, and the two languages in which Graph is asked for them."""

import re
import uuid

# Those that $filter takes for a property without the advanced query parameters (ConsistencyLevel and $count), and with
# them: Microsoft's table "Support for filter by properties of Microsoft Entra ID objects".
DEFAULT = {
    "accountEnabled": {"eq", "in"}, "businessPhones": {"any"}, "department": {"eq", "in", "ge", "le", "startswith"},
    "displayName": {"eq", "in", "startswith"}, "employeeId": {"eq", "startswith"},
    "givenName": {"eq", "in", "ge", "le", "startswith"}, "id": {"eq"}, "jobTitle": {"eq", "in", "ge", "le"},
    "mail": {"eq", "in", "ge", "le", "startswith"}, "mailNickname": {"eq", "in", "ge", "le", "startswith"},
    "onPremisesSecurityIdentifier": {"eq", "in"},
    "securityIdentifier": {"eq", "startswith"}, "surname": {"eq", "in", "ge", "le", "startswith"},
    "userPrincipalName": {"eq", "in", "le", "startswith"}, "userType": {"eq", "in"}}
ADVANCED = {
    "mobilePhone": {"eq", "in", "ge", "le", "startswith"},
    "onPremisesSamAccountName": {"eq", "in", "ge", "le", "startswith"},
    "mail": {"endswith"}, "userPrincipalName": {"endswith"}, "companyName": {"eq", "in", "startswith"}}
PROPERTIES = sorted(DEFAULT.keys() | ADVANCED.keys() | {"onPremisesExtensionAttributes", "officeLocation"})


class GraphError(Exception):
    """An answer that is an error, in Graph's shape."""

    def __init__(self, status, code, message, headers=None):
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers or {}


def unsupported(message):
    return GraphError(400, "Request_UnsupportedQuery", message)


def unknown_property(name):
    return GraphError(400, "BadRequest", f"Could not find a property named '{name}' on type 'microsoft.graph.user'.")


def person(number, given, surname, login=None, **changes):
    """One user; login makes it one that comes from a domain of the organisation's own."""
    made = dict.fromkeys(PROPERTIES)
    local = login or f"{given}.{surname}".lower()
    made.update(id=str(uuid.UUID(int=0x6e1a_0000_4000_8000_0000_0000_0000_0000 + number)), displayName=f"{given} {surname}",
                givenName=given, surname=surname, userPrincipalName=f"{local}@example.org", mail=f"{local}@example.org",
                mailNickname=local, accountEnabled=True, businessPhones=[], userType="Member", employeeId=f"E{number:06d}",
                securityIdentifier=f"S-1-12-1-{number}-1156-2-{number}",
                onPremisesExtensionAttributes={f"extensionAttribute{i}": None for i in range(1, 16)})
    if login:
        made.update(onPremisesSamAccountName=login,
                    onPremisesSecurityIdentifier=f"S-1-5-21-1004336348-1177238915-682003330-{number}")
    made.update(changes)
    return made


def named_people():
    badge = {f"extensionAttribute{i}": None for i in range(1, 16)} | {"extensionAttribute3": "B-4711"}
    return [
        person(1, "Ada", "Lovelace", "alovelace", department="Engines", jobTitle="Analyst",
               businessPhones=["+44 20 7946 0001"], onPremisesExtensionAttributes=badge),
        person(2, "Grace", "Hopper", "ghopper", department="Compilers", mobilePhone="+1 202 555 0102"),
        person(3, "Alan", "Turing", department="Engines", mail=None),
        person(4, "Charles", "Babbage", "cbabbage", department="Engines", accountEnabled=False),
        person(5, "Conor", "O'Neill", "coneill", department="Compilers"),
        person(6, "Zoë", "Ångström", "zangstrom", department="Compilers",
               displayName="Zoë \"Z\" Ångström \\ (R&D) 100% + #1"),
        person(7, "Guest", "Visitor", userPrincipalName="guest_partner.test#EXT#@example.org", mail="guest@partner.test",
               userType="Guest"),
    ]


GROUPS = {  # id: name, members, groups within
    "a0000000-0000-4000-8000-000000000001": ("Card holders", [2], ["a0000000-0000-4000-8000-000000000002"]),
    "a0000000-0000-4000-8000-000000000002": ("Engines", [1, 4], []),
    "a0000000-0000-4000-8000-000000000003": ("Everybody", [1, 2, 3, 4, 5, 6], [])}


def members_of(group, seen=()):
    """Numbers of the people in a group and in groups within it."""
    _, direct, inner = GROUPS[group]
    return set(direct).union(*(members_of(each, (*seen, group)) for each in inner if each not in seen))


# --- $filter ---

TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<word>[A-Za-z_][A-Za-z0-9_/]*)|(?P<mark>[(),:]))")


class Filter:
    """A predicate of the OData that Graph takes: comparisons, startsWith, endsWith, any; and, or, not; parentheses."""

    def __init__(self, text, advanced):
        self.tokens, self.at, self.advanced = [], 0, advanced
        position = 0
        while text[position:].strip():
            match = TOKEN.match(text, position)
            if not match:
                raise GraphError(400, "BadRequest", f"Syntax error at position {position} in '{text}'.")
            self.tokens.append((match.lastgroup, match.group(match.lastgroup)))
            position = match.end()
        self.matches = self.either()
        if self.at != len(self.tokens):
            raise self.syntax()

    def syntax(self):
        return GraphError(400, "BadRequest", "Invalid filter clause: syntax error.")

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else (None, None)

    def take(self, kind, *values):
        found, value = self.peek()
        if found != kind or (values and value.lower() not in values):
            raise self.syntax()
        self.at += 1
        return value

    def is_word(self, word):
        kind, value = self.peek()
        return kind == "word" and value.lower() == word

    def either(self):
        parts = [self.both()]
        while self.is_word("or"):
            self.at += 1
            parts.append(self.both())
        return lambda user: any(part(user) for part in parts)

    def both(self):
        parts = [self.one()]
        while self.is_word("and"):
            self.at += 1
            parts.append(self.one())
        return lambda user: all(part(user) for part in parts)

    def one(self):
        if self.is_word("not"):
            if not self.advanced:
                raise unsupported("Unsupported Query.")
            self.at += 1
            inner = self.one()
            return lambda user: not inner(user)
        if self.peek() == ("mark", "("):
            self.at += 1
            inner = self.either()
            self.take("mark", ")")
            return inner
        if self.is_word("startswith") or self.is_word("endswith"):
            return self.call()
        return self.comparison()

    def call(self):
        name = self.take("word").lower()
        self.take("mark", "(")
        prop = self.property(name)
        self.take("mark", ",")
        value = self.literal().lower()
        self.take("mark", ")")
        test = str.startswith if name == "startswith" else str.endswith
        return lambda user: test((user[prop] or "").lower(), value)

    def comparison(self):
        name = self.take("word")
        if name.endswith("/any"):
            return self.any_of(name[:-len("/any")])
        operator = self.take("word", "eq", "ne", "ge", "le").lower()
        self.check(name, "eq" if operator == "ne" else operator)
        value = self.literal()
        if operator == "ne" and not self.advanced:
            raise unsupported("Unsupported Query.")
        if operator in ("ge", "le"):
            return lambda user: (user[name] or "") >= value if operator == "ge" else (user[name] or "") <= value
        return lambda user: (fold(user[name]) == fold(value)) == (operator == "eq")

    def any_of(self, prop):
        self.check(prop, "any")
        self.take("mark", "(")
        each = self.take("word")
        self.take("mark", ":")
        self.take("word", each.lower())
        self.take("word", "eq")
        value = self.literal()
        self.take("mark", ")")
        return lambda user: value in user[prop]

    def property(self, operator):
        name = self.take("word")
        self.check(name, operator)
        return name

    def check(self, name, operator):
        if name not in PROPERTIES:
            raise unknown_property(name)
        allowed = DEFAULT.get(name, set()) | (ADVANCED.get(name, set()) if self.advanced else set())
        if operator not in allowed:
            raise unsupported("Unsupported or invalid query filter clause specified for property "
                              f"'{name}' of resource 'User'.")

    def literal(self):
        kind, value = self.peek()
        self.at += 1
        if kind == "text":
            return value[1:-1].replace("''", "'")
        if kind == "word" and value in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[value]
        raise self.syntax()


def fold(value):
    return value.lower() if isinstance(value, str) else value


# --- $search ---

CLAUSE = re.compile(r'\s*(?:(?P<clause>"(?:[^"\\]|\\["\\])*")|(?P<word>AND|OR)(?=\s))')


def tokens_of(text):
    """The words that Graph makes of a text: apart by spaces, symbols, digits, and a capital after a small letter."""
    return [each.lower() for each in re.findall(r"[^\W\d_]+|\d+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text))]


def clause(text):
    if "&" in text:
        raise GraphError(400, "BadRequest", "Syntax error: character '&' is not valid.")  # Graph's known issue 18185
    name, colon, value = re.sub(r"\\(.)", r"\1", text[1:-1]).partition(":")
    if not colon or name not in PROPERTIES or not value:
        raise GraphError(400, "BadRequest", f"Invalid search clause for '{name}'.")
    if not (DEFAULT.get(name, set()) | ADVANCED.get(name, set())) & {"startswith"}:
        raise unsupported(f"Unsupported property '{name}' in search clause.")
    if name == "displayName":
        wanted = tokens_of(value)
        return lambda user: bool(wanted) and all(any(has.startswith(each) for has in tokens_of(user[name] or ""))
                                                 for each in wanted)
    return lambda user: (user[name] or "").lower().startswith(value.lower())


def search(text):
    """A predicate; clauses in double quotes with AND or OR between them, from the left to the right."""
    found, position, operator = None, 0, "OR"
    while text[position:].strip():
        match = CLAUSE.match(text, position)
        if not match or (match.lastgroup == "clause") != (operator is not None):
            raise GraphError(400, "BadRequest", f"Syntax error in search at position {position}: {text}")
        position = match.end()
        if match.lastgroup == "word":
            operator = match.group("word")
            continue
        found, operator = joined(found, operator, clause(match.group("clause"))), None
    if operator or not found:
        raise GraphError(400, "BadRequest", "Syntax error in search.")
    return found


def joined(left, operator, right):
    if not left:
        return right
    if operator == "AND":
        return lambda user: left(user) and right(user)
    return lambda user: left(user) or right(user)
