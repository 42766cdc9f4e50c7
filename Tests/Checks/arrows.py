#!/usr/bin/env python3
"""Holds the package's targets and the imports of their files against arrows.txt.

usage: arrows.py              check the repository that this file is in; exit 1 if an arrow is wrong
       arrows.py --self-test  check that wrong arrows are found
"""
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
IMPORT = re.compile(
    r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+"
    r"(?:(?:struct|class|enum|protocol|typealias|func|let|var|actor|macro)\s+)?([A-Za-z_]\w*)"
)
# Parts of the toolchain: in arrows.txt like any other, but in no manifest.
TOOLCHAIN = {"Glibc", "Synchronization", "Foundation", "FoundationEssentials", "Dispatch"}
ALIASES = {"Musl": "Glibc"}


def read_rules(text):
    """Target -> (allowed, never), both sets of names."""
    rules = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split("#", 1)[0].strip()
        if not line:
            continue
        target, colon, rest = line.partition(":")
        if not colon:
            sys.exit(f"arrows.txt:{number}: no colon")
        names = rest.split()
        allowed, never = rules.setdefault(target.strip(), (set(), set()))
        if names[:1] == ["never"]:
            never.update(names[1:])
        else:
            allowed.update(names[1:] if names[:1] == ["+"] else names)
    return rules


def read_imports(lines):
    """(line number, module) of each import; submodules count as their module."""
    found = []
    for number, line in enumerate(lines, 1):
        match = IMPORT.match(line)
        if match:
            found.append((number, ALIASES.get(match.group(1), match.group(1))))
    return found


def violations(rules, manifest, files):
    """What is wrong, as lines. manifest: target -> dependencies; files: target -> [(path, [(line, module)])]."""
    wrong = []
    for target in sorted(set(manifest) | set(files)):
        if target not in rules:
            wrong.append(f"{target}: no row in Tests/Checks/arrows.txt")
            continue
        allowed = rules[target][0]
        declared = manifest.get(target, set())
        if target not in manifest:
            wrong.append(f"{target}: a folder under Sources that is no target of Package.swift")
        for name in sorted(declared - allowed):
            wrong.append(f"Package.swift: {target} depends on {name}: not an arrow of the design")
        imported = set()
        for path, modules in files.get(target, []):
            for line, module in modules:
                imported.add(module)
                if module == "Swift":
                    continue
                if module not in allowed:
                    wrong.append(f"{path}:{line}: {target} imports {module}: not an arrow of the design")
                elif module not in TOOLCHAIN and module not in declared and target in manifest:
                    wrong.append(f"{path}:{line}: {target} imports {module} without saying so in Package.swift")
        if files.get(target):
            for name in sorted(declared - imported):
                wrong.append(f"Package.swift: {target} depends on {name}, but imports it nowhere")
    for target, (_, never) in sorted(rules.items()):
        for name in sorted(never & reached(manifest, target)):
            wrong.append(f"{target} reaches {name}, which it never may")
    return wrong


def reached(manifest, target):
    """Every name that a target depends on, directly or through others."""
    seen, waiting = set(), [target]
    while waiting:
        for name in manifest.get(waiting.pop(), ()):
            if name not in seen:
                seen.add(name)
                waiting.append(name)
    return seen


def read_manifest():
    command = ["swift", "package", "--package-path", str(ROOT), "dump-package"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit("arrows: swift package dump-package failed")
    manifest = {}
    for target in json.loads(done.stdout)["targets"]:
        if target["type"] == "test":
            continue
        # {"byName": [name, …]}, {"target": [name, …]} or {"product": [name, package, …]}
        manifest[target["name"]] = {value[0] for item in target["dependencies"] for value in item.values()}
    return manifest


def read_files():
    files = {}
    for folder in sorted((ROOT / "Sources").iterdir()):
        if folder.is_dir():
            files[folder.name] = [
                (path.relative_to(ROOT), read_imports(path.read_text(encoding="utf-8").splitlines()))
                for path in sorted(folder.rglob("*.swift"))
            ]
    return files


def self_test():
    rules = read_rules("Low:\nHigh: Low Glibc\nSecret: Low\nTool: High\nTool: + Low # both\nTool: never Secret\n")
    manifest = {"Low": set(), "High": {"Low"}, "Secret": {"Low"}, "Tool": {"High"}}
    clean = {"Low": [], "High": [("a.swift", read_imports(["public import Low", "  import Musl"]))], "Secret": []}
    lines = [
        "import A", "  @testable import B", "public import struct C.D", "@_exported import E", "// import F",
        'let text = "import G"', "importer H", "@preconcurrency internal import I",
    ]
    cases = [
        ("nothing", violations(rules, manifest, clean), []),
        ("import", violations(rules, manifest, {"Low": [("b.swift", [(3, "High")])]}), ["b.swift:3: Low imports High"]),
        ("manifest", violations(rules, {**manifest, "Low": {"High"}}, {}), ["Package.swift: Low depends on High"]),
        ("undeclared", violations(rules, {"High": set()}, clean | {"Secret": []}), ["a.swift:1: High imports Low"]),
        ("unused", violations(rules, manifest, {"High": [("a.swift", [])]}), ["Package.swift: High depends on Low"]),
        ("unknown", violations(rules, {**manifest, "New": set()}, {}), ["New: no row"]),
        ("Foundation", violations(rules, manifest, {"Low": [("c.swift", [(1, "Foundation")])]}), ["c.swift:1: Low imp"]),
        ("reach", violations(rules, {**manifest, "High": {"Low", "Secret"}}, {}), ["Tool reaches Secret"]),
        ("imports", [m for _, m in read_imports(lines)], list("ABCEI")),
    ]
    failed = False
    for name, found, expected in cases:
        if bool(found) != bool(expected) or any(not any(f.startswith(e) for f in found) for e in expected):
            failed = True
            print(f"arrows --self-test: {name}: expected {expected}, found {found}")
    print("arrows: the check itself " + ("FAILS" if failed else f"holds ({len(cases)} cases)"))
    return 1 if failed else 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    if sys.argv[1:]:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    manifest, files = read_manifest(), read_files()
    rules = read_rules((HERE / "arrows.txt").read_text(encoding="utf-8"))
    wrong = violations(rules, manifest, files)
    for line in wrong:
        print(line)
    count = sum(len(paths) for paths in files.values())
    print(f"arrows: {len(manifest)} targets, {count} files: {len(wrong) or 'none'} wrong")
    return 1 if wrong else 0


sys.exit(main())
