"""Fails where two sources of one target have a private name in common: they
could not be compiled in groups (CMAKE_UNITY_BUILD), and often one is a copy of
the other. Called with lines of `TARGET SOURCE`; reads what stands at the left
margin of an anonymous namespace, which is how this project writes them:
functions, types and constants, not enumerators or names from headers."""
import collections
import pathlib
import re
import sys

TYPE = re.compile(r"(?:struct|class|enum(?: class)?) (\w+)(?! ?;)")
VALUE = re.compile(r"(?:constexpr|const|static|inline|thread_local) "
                   r"[^=({]*?(\w+)(?:\[\w*\])?\s*(?:=|\{)")
CALL = re.compile(r"(\w+)\(([^)]*)\)[^;]*$")
ARGUMENT = re.compile(r"\s*\w+\s*(=[^,]*)?(?=,|$)")
NO_NAMES = ("TEST", "INSTANTIATE", "static_assert", "template", "using",
            "public:", "protected:", "private:")


def private_lines(text):
    """Each line that begins something, with the three behind it."""
    lines = text.splitlines()
    inside = False
    for number, line in enumerate(lines):
        if line == "namespace {":
            inside = True
        elif line == "} // namespace":
            inside = False
        elif inside and re.match(r"[a-z]", line, re.I):
            yield line, " ".join(lines[number:number + 4])


def private_names(text):
    for line, statement in private_lines(text):
        if line.startswith(NO_NAMES):
            continue
        if found := TYPE.match(line) or VALUE.match(line):
            yield found.group(1)
        elif found := CALL.search(statement.replace("{}", "").split("{")[0]):
            arguments = ARGUMENT.sub("", found.group(2))
            plain = ''.join(arguments.split())
            yield f"{found.group(1)}({plain})"


def main(listing):
    owners = collections.defaultdict(list)
    for line in pathlib.Path(listing).read_text().splitlines():
        target, source = line.split(" ", 1)
        text = pathlib.Path(source).read_text()
        space = re.search(r"^namespace ([\w:]+) \{", text, re.M)
        for name in set(private_names(text)):
            owners[target, space and space.group(1), name].append(source)
    shared = {key: files for key, files in owners.items() if len(files) > 1}
    for (target, _, name), files in sorted(shared.items(), key=str):
        print(f"{target}: {name} in {', '.join(files)}")
    print(f"{len(owners)} private names")
    return bool(shared) or not owners


sys.exit(main(sys.argv[1]))
