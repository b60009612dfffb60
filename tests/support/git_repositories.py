"""Create Git repositories."""

import subprocess
from pathlib import Path


def git(folder: Path, *arguments: str) -> str:
    """Run a Git command in a folder, and return its output."""
    done = subprocess.run(
        ["git", "-C", str(folder), "-c", "user.name=x", "-c", "user.email=x@y.z", *arguments],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def commit_all(folder: Path) -> str:
    """Create a repository of a folder and commit all files in it. Return the commit."""
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "first")
    return git(folder, "rev-parse", "HEAD")
