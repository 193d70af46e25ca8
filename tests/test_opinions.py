"""Second opinions: planted themes are found by another method too, and chapters explain what they explain."""

import pandas as pd
import pytest
from planted import planted_tokens
from sklearn.metrics import adjusted_mutual_info_score

from shinan_research.errors import ShinanError
from shinan_research.opinions import explained_by_chapters, second_opinion, topic_places
from shinan_research.topics import Topics, fit_topics


@pytest.fixture(scope="module")
def topics() -> Topics:
    """Return a model of planted topics."""
    return fit_topics(planted_tokens(), 4, runs=4, length=48, most=0.6)


def test_another_method_finds_the_planted_themes(topics: Topics) -> None:
    """Each topic has a partner in NMF with nearly its shares and most of its words, no partner twice."""
    table = second_opinion(topics, models=("nmf",))
    assert (table["correlation"] > 0.9).all() and (table["shared"] >= 5).all()
    assert table["topic"].tolist() == topics.ids and table["words"].nunique() == 4
    with pytest.raises(ShinanError, match=r"models is \('bert',\); expected one or both of nmf, lda"):
        second_opinion(topics, models=("bert",))


def test_every_model_is_asked(topics: Topics) -> None:
    """Without a choice both models are set beside each topic."""
    table = second_opinion(topics)
    assert table["model"].tolist() == ["nmf"] * 4 + ["lda"] * 4 and table["correlation"].between(-1, 1).all()


def test_chapters_that_are_topics_explain_them(topics: Topics) -> None:
    """Where chapters of one theme are matched, they tell nearly all; where text is random, next to nothing."""
    shares = topics.shares
    strata = shares[["report", "chapter"]].drop_duplicates()
    strata = strata.assign(stratum=(strata["chapter"] % 4).astype(str))
    told = explained_by_chapters(topics, strata=strata).set_index("topic")
    assert told.loc["all", "ami"] > 0.9 and told.loc["all", "units"] == len(shares) == told["units"][:-1].sum()
    assert explained_by_chapters(topics).set_index("topic").loc["all", "ami"] > 0.9
    leads = shares[topics.ids].to_numpy().argmax(axis=1)
    expected = adjusted_mutual_info_score(shares["chapter"] % 4, leads == 2, average_method="min")
    assert told.loc["T3", "ami"] == pytest.approx(expected, abs=1e-4)
    random = pd.concat([strata, strata]).drop_duplicates(["report", "chapter"]).assign(stratum="one")
    assert explained_by_chapters(topics, strata=random).set_index("topic").loc["all", "ami"] == 0


def test_places_hold_the_shares_of_each_chapter(topics: Topics) -> None:
    """A row is the share of a topic in a matched chapter on one side, weighted by tokens; what a side lacks has no row."""
    strata = topics.shares[["report", "chapter"]].drop_duplicates()
    strata = strata.assign(stratum=[f"s{chapter}" if chapter else f"s0 {name}" for name, chapter in strata.to_numpy()])
    table = topic_places(topics, 2010, 2011, strata=strata)
    units = topics.shares[(topics.shares["year"] == 2011) & (topics.shares["chapter"] == 3)]
    expected = (units["T2"] * units["size"]).sum() / units["size"].sum()
    row = table[(table["stratum"] == "s3") & (table["side"] == "after") & (table["topic"] == "T2")].iloc[0]
    assert row["share"] == pytest.approx(expected, abs=1e-6) and row["size"] == units["size"].sum() and row["group"] == "2011"
    assert table.groupby(["stratum", "side"])["share"].sum().to_numpy() == pytest.approx(1, abs=1e-4)
    assert set(table.loc[table["stratum"] == "s0 A-2010", "side"]) == {"before"} and len(set(table["stratum"])) == 13
    told = explained_by_chapters(topics, strata=strata).set_index("topic")["ami"]
    assert dict(zip(table["topic"], table["ami"], strict=True)) == told.drop("all").to_dict()
