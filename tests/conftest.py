"""What several test modules share: the real study, read once, a small, repeatable Hypothesis profile, and a closed network."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, settings

from shinan_research.outline import outline
from shinan_research.reports import Report
from shinan_research.restore import restore
from shinan_research.study import Study, open_study
from shinan_research.tokens import Segmenter, tokenize

settings.register_profile(
    "small",
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("small")


@pytest.fixture(scope="session", autouse=True)
def closed_network() -> Iterator[None]:
    """Let a socket connect to this machine only: to a file, or to a loopback address."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        inside = isinstance(address, str | bytes) or str(address[0]).startswith("127.") or address[0] in ("localhost", "::1")
        assert inside, f"a connection to {address} was tried"
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield


@pytest.fixture(scope="session")
def study() -> Study:
    """Return the study of this repository."""
    return open_study(Path(__file__).parents[1])


@pytest.fixture(scope="session")
def page(study: Study) -> str:
    """Return the real page, read without any help of the library."""
    return (study.data / "raw/shinan-page.txt").read_bytes().decode("utf-8")


@pytest.fixture(scope="session")
def reports(study: Study) -> list[Report]:
    """Return the two real reports, restored."""
    return restore(study.reports(), study.emendations)


@pytest.fixture(scope="session")
def sentences(study: Study, reports: list[Report]) -> pd.DataFrame:
    """Return the outline of the real reports, by the reviewed headings."""
    return outline(reports, headings=study.headings)


@pytest.fixture(scope="session")
def tokens(study: Study, sentences: pd.DataFrame) -> pd.DataFrame:
    """Return the tokens of the real reports."""
    return tokenize(sentences, study.segmenter)


@pytest.fixture(scope="session")
def segmenter() -> Segmenter:
    """Return the default segmenter, which knows no term of the study."""
    return Segmenter()
