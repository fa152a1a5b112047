from django.http import QueryDict

from catalog.pages.facets import SWATCHES, facets_of
from embeddings.color_names import NAMES


def counted(**kinds):
    return {"facets": {name: [{"value": v, "label": v.title(), "count": n} for v, n in kinds[name]] for name in kinds}}


def test_a_kind_with_one_value_is_nothing_to_choose():
    assert facets_of(counted(brand=[("linden", 3)]), QueryDict()) == []


def test_a_chosen_value_stays_though_nothing_near_has_it():
    (facet,) = facets_of(counted(brand=[("linden", 3)]), QueryDict("brand=nike"))

    assert [(option.value, option.count, option.is_chosen) for option in facet.options] == [
        ("linden", 3, False),
        ("nike", None, True),
    ]


def test_an_answer_of_an_earlier_version_has_none():
    assert facets_of({}, QueryDict()) == []


def test_every_color_name_can_be_shown():
    assert set(SWATCHES) | {"multicolor"} == set(NAMES)
