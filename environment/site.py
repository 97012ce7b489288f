"""A hook of MkDocs: README.md is the first page of the site, and the theme's barriers are taken away."""

from __future__ import annotations

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

STYLE = """\
[data-md-color-scheme=slate] { --md-code-bg-color: #1c1e26; }
[data-md-color-scheme] .md-typeset pre code {
  --md-code-hl-comment-color: var(--md-default-fg-color);
  --md-code-hl-generic-color: var(--md-default-fg-color);
}
.md-typeset a:not(.headerlink) { text-decoration: underline; }
.md-typeset pre { overflow-x: auto; }
.md-typeset pre > code { box-sizing: border-box; min-width: 100%; overflow: visible; width: max-content; }
"""


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Called by MkDocs once it knows the files of docs/: links of README.md are seen from there."""
    text = Path(config.config_file_path).with_name("README.md").read_text(encoding="utf-8")
    text = text.replace("](docs/", "](").replace('src="docs/', 'src="')
    files.append(File.generated(config, "index.md", content=text))
    files.append(File.generated(config, "site.css", content=STYLE))
    return files


def on_post_page(output: str, *, page: Page, config: MkDocsConfig) -> str:
    """Give the search a name, and let keys scroll long lines of code."""
    named = output.replace('role="dialog"', 'role="dialog" aria-label="Search"')
    return named.replace("<pre>", '<pre tabindex="0">')
