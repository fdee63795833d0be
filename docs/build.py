"""Build the documentation site: ``python docs/build.py FOLDER`` (``tox run -e docs``).

The pages of ``docs/pages`` are copied, those of the reference are generated from the program itself (commands, checks,
specs, JSON Schemas of the files), and MkDocs makes a site of both, in which every link must lead somewhere.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from generated_pages import generate_pages, generate_schemas

DOCS = Path(__file__).resolve().parent


def collect_pages(folder: Path) -> None:
    """Write every page and every file that pages link to.

    Args:
        folder: Where to; it must not exist yet.
    """
    shutil.copytree(DOCS / "pages", folder)
    shutil.copytree(DOCS / "examples", folder / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(DOCS.parent / "reports" / "pictures", folder / "pictures")
    shutil.copy(DOCS / "bounds.md", folder / "explanation" / "bounds.md")
    for name, text in {**generate_pages(), **generate_schemas()}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def build_site(site: Path) -> None:
    """Build the site.

    Args:
        site: The folder of the site; an older one is replaced.

    Raises:
        subprocess.CalledProcessError: A link leads nowhere, or a page cannot be built.
    """
    with tempfile.TemporaryDirectory() as work:
        pages = Path(work) / "pages"
        collect_pages(pages)
        settings = (DOCS / "mkdocs.yml").read_text(encoding="utf-8")
        snippets = "  - pymdownx.snippets: { base_path: [pages/examples], check_paths: true }\n"
        settings = settings.replace("  - pymdownx.superfences\n", f"  - pymdownx.superfences\n{snippets}")
        (Path(work) / "mkdocs.yml").write_text(f"docs_dir: pages\n{settings}", encoding="utf-8")
        command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site.resolve())]
        subprocess.run(command, cwd=work, check=True)


if __name__ == "__main__":
    build_site(Path(sys.argv[1]))
