"""Holds answers to the document that the server serves."""

import fnmatch

import jsonschema


class Document:
    """What the server's OpenAPI document says of answers."""

    def __init__(self, document):
        self.document = document
        self.resolver = jsonschema.RefResolver("", document)
        # A fixed part goes before a variable one.
        self.paths = sorted(
            ((pattern.split("/"), operations)
             for pattern, operations in document["paths"].items()),
            key=lambda it: [part[:1] == "{" for part in it[0]])

    def operation(self, method, path):
        """What the request leads to, and its pattern; None if to nothing."""
        parts = path.partition("?")[0].split("/")
        if parts[1:2] == ["img"]:
            parts = [*parts[:3], "image"]  # whatever lies beneath
        for pattern, operations in self.paths:
            if len(pattern) == len(parts) and all(
                    part == is_ or (part[:1] == "{" and is_)
                    for part, is_ in zip(pattern, parts)):
                name = "get" if method == "HEAD" else method.lower()
                return operations.get(name), "/".join(pattern)
        return None, path

    def check(self, method, path, answer):
        """Fails for a status, a type or a body that is not told of what the
        request leads to."""
        operation, pattern = self.operation(method, path)
        if not operation:
            return
        where = f"{method} {pattern} ({path}): {answer.status}"
        told = operation["responses"].get(str(answer.status))
        if told is None:
            raise AssertionError(f"{where} is not documented")
        if "$ref" in told:
            told = self.resolver.resolve(told["$ref"])[1]
        if not answer.body:
            return
        kind = (answer.headers.get("Content-Type") or "").partition(";")[0]
        schemas = [content.get("schema", {}) for types, content
                   in told.get("content", {}).items()
                   if fnmatch.fnmatchcase(kind, types)]
        if not schemas:
            raise AssertionError(f"{where} is not documented as {kind!r}")
        if answer.json is None:
            return
        validator = jsonschema.Draft202012Validator(
            schemas[0], resolver=self.resolver)
        wrong = [f"{list(each.path)}: {each.message[:300]}" for each in
                 validator.iter_errors(answer.json)]
        if wrong:
            raise AssertionError(f"{where} is not as documented: {wrong}")
