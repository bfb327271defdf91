"""docs/openapi.yaml: is it whole, and does a value obey one of its schemas?

Knows the part of JSON Schema that the document uses; a keyword that it does not know is a
problem, so that none is there without effect."""

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same, but the first is fast
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int}
SAID = {"description", "example", "examples", "title"}  # for people, without effect
KEYWORDS = {"type", "properties", "required", "additionalProperties", "items", "enum", "$ref"}


class Document:
    """The parsed document. seen collects the properties that values have had, by schema."""

    def __init__(self, path):
        self.tree = yaml.load(path.read_text(), LOADER)
        self.seen = set()

    def operations(self):
        """(method, path, operation) in the document's order."""
        for path, item in self.tree["paths"].items():
            for method, operation in item.items():
                yield method.upper(), path, operation

    def resolve(self, node):
        """What a {"$ref": "#/…"} stands for, and the reference; any other node by itself."""
        if "$ref" not in node:
            return node, None
        target = self.tree
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return target, node["$ref"]

    def problems(self, schema, value, where, name="(inline)"):
        """What is wrong with a value, one sentence each."""
        schema, reference = self.resolve(schema)
        name = reference or name
        unknown = set(schema) - KEYWORDS - SAID
        if unknown:
            yield f"{name}: keyword {sorted(unknown)[0]} is not known to this check"
        kind = TYPES[schema["type"]]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            yield f"{where}: {value!r} is not of type {schema['type']}"
        elif "enum" in schema and value not in schema["enum"]:
            yield f"{where}: {value!r} is none of {schema['enum']}"
        elif kind is list:
            for index, item in enumerate(value):
                yield from self.problems(schema["items"], item, f"{where}[{index}]", f"{name}[]")
        elif kind is dict:
            yield from self._object(schema, value, where, name)

    def _object(self, schema, value, where, name):
        properties = schema["properties"]
        if schema.get("additionalProperties") is not False:
            yield f"{name}: says nothing of additionalProperties: false"
        for missing in sorted(set(schema.get("required", ())) - set(value)):
            yield f"{where}: {missing} is missing"
        for key in value:
            if key in properties:
                self.seen.add((name, key))
                yield from self.problems(properties[key], value[key], f"{where}.{key}", f"{name}.{key}")
            else:
                yield f"{where}: {key} is not described"

    def unseen(self):
        """Properties of the named schemas that no value has had so far."""
        for title, schema in self.tree["components"]["schemas"].items():
            yield from self._unseen(schema, f"#/components/schemas/{title}")

    def _unseen(self, schema, name):
        if schema["type"] == "array" and "$ref" not in schema["items"]:
            yield from self._unseen(schema["items"], f"{name}[]")
        for key, part in schema.get("properties", {}).items():
            if (name, key) not in self.seen:
                yield f"{name}: no answer has {key}"
            if "$ref" not in part:
                yield from self._unseen(part, f"{name}.{key}")

    def content(self, response):
        """{media type: description} of a response."""
        return self.resolve(response)[0]["content"]

    def examples(self):
        """(where, schema, value) of every example of a JSON answer."""
        for method, path, operation in self.operations():
            for status, response in operation["responses"].items():
                body = self.content(response).get("application/json")
                if body:
                    yield f"{method} {path} {status}", body["schema"], body.get("example")

    def own_problems(self):
        """What is wrong with the document by itself."""
        if not str(self.tree["openapi"]).startswith("3.1."):
            yield f"openapi: {self.tree['openapi']} is not 3.1"
        for method, path, operation in self.operations():
            for need in ("operationId", "summary", "responses"):
                if need not in operation:
                    yield f"{method} {path}: no {need}"
            named = {parameter["name"] for parameter in operation.get("parameters", ())}
            wanted = {part[1:-1] for part in path.split("/") if part.startswith("{")}
            if named != wanted:
                yield f"{method} {path}: parameters {sorted(named)} for {sorted(wanted)}"
        for where, schema, value in self.examples():
            if value is None:
                yield f"{where}: no example"
            else:
                yield from self.problems(schema, value, f"example of {where}")
