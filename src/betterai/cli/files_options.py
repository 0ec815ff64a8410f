"""The options of `betterai files`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from betterai.cli.arguments import read_seconds

if TYPE_CHECKING:
    from betterai.cli.parser import Commands


def add_files(commands: Commands) -> None:
    from betterai.cli.parser import add_common

    listed = commands.add("files", "list the files that are kept at a provider", notes="example: betterai files openai")
    add_common(listed, "one JSON object with the files")
    upload = commands.add(
        "files upload",
        "upload a file, and print its id",
        module="files",
        notes="example: betterai files upload openai report.pdf",
    )
    download = commands.add(
        "files download",
        "write a file of a provider here",
        module="files",
        more="\nMost providers give out what was made there, and not what was uploaded.",
        notes="example: betterai files download openai file-1 --save report.pdf",
    )
    delete = commands.add(
        "files delete", "delete a file", module="files", notes="example: betterai files delete openai file-1"
    )
    for parser in (listed, upload, download, delete):
        parser.add_argument("where", metavar="PROVIDER", help="a provider, or a model of it")
        parser.add_argument("--base-url", metavar="URL", help="ask here instead of at the provider's own address")
        parser.add_argument("--timeout", type=read_seconds, metavar="SECONDS", help="of each request, with its retries")
    add = upload.add_argument
    add("file", metavar="FILE", help="its path")
    add("--purpose", default="", metavar="WORD", help="the provider's word for what it is for")
    add("--expires-in", type=int, metavar="SECONDS", help="when the provider is to delete it")
    add_common(upload, "one JSON object that describes the file")
    for parser in (download, delete):
        parser.add_argument("id", metavar="ID", help="the provider's id of it")
    download.add_argument("--save", metavar="PATH", default=".", help="a folder, or a file; here by default")
    add_common(download, "one JSON object with the path")
    add_common(delete, "errors as JSON")
