"""The check that all answers of the other tests pass."""

import json
import types
import unittest

from document import Document

PETS = {
    "paths": {"/pets/{id}": {"get": {"responses": {
        "200": {"content": {"application/json": {"schema": {
            "$ref": "#/components/schemas/Pet"}}, "image/*": {}}},
        "204": {"description": "Gone"},
        "404": {"$ref": "#/components/responses/Missing"}}}},
              "/pets/all": {"get": {"responses": {"204": {}}}}},
    "components": {
        "schemas": {"Pet": {"type": "object", "required": ["name"],
                            "properties": {"name": {"type": "string"}}}},
        "responses": {"Missing": {"content": {"application/problem+json": {
            "schema": {"required": ["code"]}}}}}}}


def answer(status, kind="", body=b""):
    return types.SimpleNamespace(
        status=status, headers={"Content-Type": kind} if kind else {},
        body=body, json=json.loads(body) if "json" in kind else None)


class Documents(unittest.TestCase):
    def test_what_is_told_passes(self):
        pets = Document(PETS)
        for it in (answer(200, "application/json", b'{"name": "Rex"}'),
                   answer(200, "image/png", b"\x89PNG"),
                   answer(200, "application/json; charset=utf-8",
                          b'{"name": "Rex", "age": 3}'),
                   answer(204),
                   answer(404, "application/problem+json", b'{"code": "x"}')):
            pets.check("GET", "/pets/7?x=1", it)
        pets.check("HEAD", "/pets/7", answer(200, "image/png"))
        pets.check("GET", "/pets/all", answer(204))
        pets.check("GET", "/nothing", answer(418))

    def test_all_else_does_not(self):
        pets = Document(PETS)
        for it in (answer(500), answer(200, "text/html", b"<p>"),
                   answer(200, body=b"bytes of no type"),
                   answer(200, "application/json", b'{"name": 7}'),
                   answer(200, "application/json", b"[]"),
                   answer(204, "text/plain", b"Gone"),
                   answer(404, "application/json", b'{"code": "x"}'),
                   answer(404, "application/problem+json", b"{}")):
            with self.assertRaises(AssertionError, msg=vars(it)):
                pets.check("GET", "/pets/7", it)
        with self.assertRaises(AssertionError):
            pets.check("GET", "/pets/all", answer(
                200, "application/json", b'{"name": "Rex"}'))


if __name__ == "__main__":
    unittest.main()
