"""XML as a tree that knows its lines, read without following what a document points to."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from lembas_pyg.io.content import read_bytes
from lembas_pyg.io.replace import FilePath


@dataclass
class Element:
    """An element of an XML document.

    Attributes:
        tag: Its name, without the namespace.
        attributes: By name.
        line: Where it starts, from 1.
        children: Elements in it, in order.
        text: What stands in it, but for its children.
    """

    tag: str
    attributes: dict[str, str]
    line: int
    children: list["Element"] = field(default_factory=list)
    text: str = ""

    def find(self, tag: str) -> Iterator["Element"]:
        """Children with this name."""
        return (child for child in self.children if child.tag == tag)


def read_xml(path: FilePath, root: str) -> Element:
    """Read an XML document.

    A document type may be named and is not loaded; entities, which can make a small file fill the
    memory, are refused.

    Args:
        path: File, plain or ``.gz``.
        root: Name the outermost element must have.

    Returns:
        The outermost element.

    Raises:
        OSError: There is no such file.
        ValueError: The file is not well-formed XML, declares an entity, or holds something else.
    """
    path = Path(path)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    top = Element("", {}, 0)
    stack = [top]

    def start(name: str, attributes: dict[str, str]) -> None:
        element = Element(name.rpartition(" ")[2], attributes, parser.CurrentLineNumber)
        stack[-1].children.append(element)
        stack.append(element)

    def refuse(name: str, *_: object) -> None:
        raise ValueError(
            f"{path}, line {parser.CurrentLineNumber}: the document declares the entity '{name}'. "
            "Entities are not expanded, as they can fill the memory; remove the declaration."
        )

    def text(characters: str) -> None:
        stack[-1].text += characters

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: stack.pop()
    parser.CharacterDataHandler = text
    parser.EntityDeclHandler = refuse
    content = read_bytes(path)
    if not content.strip():
        raise ValueError(f"{path} is empty. Expected an XML document.")
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise ValueError(
            f"{path}, line {error.lineno}: not well-formed XML ({expat.ErrorString(error.code)}). "
            "Download the file again, or mend this line."
        ) from error
    (found,) = top.children
    if found.tag != root:
        raise ValueError(
            f"{path}, line {found.line}: the document is a <{found.tag}>, expected a <{root}>. "
            "Is it another format, or the message of a web server?"
        )
    return found


def attribute(element: Element, name: str, path: FilePath) -> str:
    """Look up an attribute that has to be there.

    Args:
        element: The element.
        name: Of the attribute.
        path: For the message.

    Raises:
        ValueError: The attribute is missing or blank.
    """
    value = element.attributes.get(name, "").strip()
    if not value:
        raise ValueError(
            f"{path}, line {element.line}: the <{element.tag}> has no attribute '{name}'; it has "
            f"{sorted(element.attributes) or 'none'}."
        )
    return value
