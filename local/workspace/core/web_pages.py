"""Common parts of the workspace's pages: access, style, sections and tables."""

import html

from fastapi import APIRouter, Depends, Request

from local.workspace.core.errors import ApiError

_LOCAL = ("127.0.0.1", "localhost")


def local_only(request: Request) -> None:
    """Refuses requests that name another host: a page of another site could send them (DNS rebinding)."""
    if request.url.hostname not in _LOCAL:
        raise ApiError(403, "PERMISSION_DENIED", f"pages are served under {' and '.join(_LOCAL)} only")


def pages_router() -> APIRouter:
    """Returns a router for pages, which need no token on this machine, as they only read."""
    return APIRouter(dependencies=[Depends(local_only)])


STYLE = """
:root { color-scheme: light dark; --line: light-dark(#e3e6ea, #33383f); --quiet: light-dark(#667080, #9aa4b2);
        --paper: light-dark(#fff, #1b1e23); --back: light-dark(#f5f6f8, #121418); --link: light-dark(#1456b8, #7db2ff) }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0; background: var(--back) }
main { max-width: 70rem; margin: 0 auto; padding: 2rem 1.5rem }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.05rem; margin: 0 0 .6rem }
header { display: flex; gap: 1.5rem; align-items: baseline; flex-wrap: wrap; margin-bottom: 1.5rem }
section { background: var(--paper); border: 1px solid var(--line); border-radius: 8px; padding: 1rem 1.2rem;
          margin-bottom: 1.2rem; overflow-x: auto }
table { border-collapse: collapse; width: 100% } a { color: var(--link) }
th { text-align: left; font-weight: 600; color: var(--quiet) }
th, td { padding: .3rem 1rem .3rem 0; border-top: 1px solid var(--line); vertical-align: top }
tr:first-child > * { border-top: 0 }
td.task { padding-left: 1.5rem } td { white-space: nowrap } td.number { font-variant-numeric: tabular-nums }
td.note { padding-left: 3rem; border-top: 0; white-space: pre-wrap; overflow-wrap: anywhere }
.grid { display: grid; grid-template-columns: repeat(6, minmax(0, 1fr)); gap: .8rem } .grid section { margin: 0 }
.grid td { white-space: normal }
.grid h2 { font-size: .95rem } p.counter { font-size: 2rem; margin: 0; font-variant-numeric: tabular-nums }
@media (max-width: 50rem) { .grid { display: block } .grid section { margin-bottom: .8rem } }
.quiet { color: var(--quiet) }
.good { color: light-dark(#17783a, #5fd38a) } .bad { color: light-dark(#b3261e, #ff8a80) }
"""


def document(title: str, header: str, sections: list[str]) -> str:
    """Returns a whole page.

    Args:
        title: The heading, as plain text.
        header: The rest of the page's header, as HTML.
        sections: The page's content, as from `section`.
    """
    name = html.escape(title)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{name}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body><main>'
        f"<header><h1>{name}</h1>{header}</header>{''.join(sections)}</main></body></html>"
    )


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def section(title: str, columns: list[str], rows: list[str], nothing: str) -> str:
    """Returns a titled table or, without rows, the text `nothing`, which is HTML."""
    content = table(columns, rows) if rows else f'<p class="quiet">{nothing}</p>'
    return f"<section><h2>{title}</h2>{content}</section>"


def table(columns: list[str], rows: list[str]) -> str:
    """Returns a table; the titles of the columns are HTML, the rows as from `row`."""
    heads = "".join(f"<th>{column}</th>" for column in columns)
    return f"<table><tr>{heads}</tr>{''.join(rows)}</table>"


def row(*cells: object, first: str = "") -> str:
    """Returns a row of a table; cells are escaped unless they are `Markup`."""
    shown = [cell if isinstance(cell, Markup) else html.escape(str(cell)) for cell in cells]
    rest = "".join(f'<td class="number">{cell}</td>' for cell in shown[1:])
    return f'<tr><td class="{first}">{shown[0]}</td>{rest}</tr>'


def note(text: str, columns: int) -> str:
    """Returns a row with a text that belongs to the row above and spans so many columns."""
    return f'<tr><td class="note bad" colspan="{columns}">{html.escape(text)}</td></tr>'
